"""What handlers may use: one value, put on the application by bootstrap."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from quart import current_app

from app.accounts.accounts import Accounts
from app.accounts.legacy_bots import LegacyBots
from app.build_info import BuildInfo
from app.clients.forge_health import ForgeHealth
from app.generation.archive import Archives
from app.generation.gallery import Gallery
from app.generation.images import ImageStore
from app.generation.input_images import InputImages
from app.generation.previews import Previews
from app.generation.thumbnails import Thumbnails
from app.jobs.queue import JobQueue
from app.library.catalogue import Catalogue
from app.library.known_checkpoints import KnownCheckpoints
from app.setting_types import Networks
from app.web.hosts import Hosts

EXTENSION = "navigator"


@dataclass(frozen=True)
class Services:
    """Everything the web layer hands work to."""

    accounts: Accounts
    queue: JobQueue
    catalogue: Catalogue
    known_checkpoints: KnownCheckpoints
    health: ForgeHealth
    gallery: Gallery
    images: ImageStore
    inputs: InputImages
    previews: Previews
    thumbnails: Thumbnails
    archives: Archives
    build_info: Callable[[], BuildInfo]
    max_pixels: int
    lists_loras: bool
    legacy_bots: LegacyBots
    trusted_proxies: Networks
    hosts: Hosts
    compass_folder: Path
    discord_client_id: str | None


def services() -> Services:
    """The services of the application that handles this request."""
    return cast("Services", current_app.extensions[EXTENSION])
