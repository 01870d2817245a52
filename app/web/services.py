"""What handlers may use: one value, put on the application by bootstrap."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from quart import current_app

from app.accounts.accounts import Accounts
from app.clients.forge_health import ForgeHealth
from app.generation.images import ImageStore
from app.generation.previews import Previews
from app.jobs.queue import JobQueue
from app.library.catalogue import Catalogue
from app.setting_types import Networks
from app.web.hosts import Hosts

EXTENSION = "navigator"


@dataclass(frozen=True)
class Services:
    """Everything the web layer hands work to."""

    accounts: Accounts
    queue: JobQueue
    catalogue: Catalogue
    health: ForgeHealth
    images: ImageStore
    previews: Previews
    max_pixels: int
    trusted_proxies: Networks
    hosts: Hosts
    compass_folder: Path
    discord_client_id: str | None


def services() -> Services:
    """The services of the application that handles this request."""
    return cast("Services", current_app.extensions[EXTENSION])
