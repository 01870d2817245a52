"""What handlers may use: one value, put on the application by bootstrap."""

from dataclasses import dataclass
from typing import cast

from quart import current_app

from app.accounts.accounts import Accounts
from app.clients.forge_health import ForgeHealth
from app.generation.archive import Archives
from app.generation.gallery import Gallery
from app.generation.images import ImageStore
from app.generation.input_images import InputImages
from app.generation.previews import Previews
from app.generation.thumbnails import Thumbnails
from app.jobs.queue import JobQueue
from app.library.catalogue import Catalogue
from app.setting_types import Networks

EXTENSION = "navigator"


@dataclass(frozen=True)
class Services:
    """Everything the web layer hands work to."""

    accounts: Accounts
    queue: JobQueue
    catalogue: Catalogue
    health: ForgeHealth
    gallery: Gallery
    images: ImageStore
    inputs: InputImages
    previews: Previews
    thumbnails: Thumbnails
    archives: Archives
    max_pixels: int
    trusted_proxies: Networks


def services() -> Services:
    """The services of the application that handles this request."""
    return cast("Services", current_app.extensions[EXTENSION])
