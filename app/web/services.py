"""What handlers may use: one value, put on the application by bootstrap."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from quart import current_app

from app.accounts.accounts import Accounts
from app.accounts.invitations import Invitations
from app.accounts.legacy_bots import LegacyBots
from app.accounts.login import Logins
from app.accounts.people import People
from app.accounts.throttle import Throttle
from app.build_info import BuildInfo
from app.clients.discord import DiscordClient
from app.clients.forge_health import ForgeHealth
from app.generation.archive import Archives
from app.generation.gallery import Gallery
from app.generation.idle_unload import IdleUnload
from app.generation.images import ImageStore
from app.generation.input_images import InputImages
from app.generation.loaded_checkpoint import LoadedCheckpoint
from app.generation.previews import Previews
from app.generation.removal import PictureRemoval
from app.generation.stored_pictures import StoredPictures
from app.generation.thumbnails import Thumbnails
from app.generation.unloading import Unloading
from app.jobs.latest_progress import LatestProgress
from app.jobs.models import Lane
from app.jobs.pause import Pauses
from app.jobs.queue import JobQueue
from app.library.catalogue import Catalogue
from app.library.checkpoint_attributes import CheckpointAttributes
from app.library.disk import DiskWatch
from app.library.downloads import Downloads
from app.library.finished_downloads import FinishedDownloads
from app.library.known_checkpoints import KnownCheckpoints
from app.library.model_browser import ModelBrowser
from app.library.model_disk import ModelDisk
from app.library.model_metadata import ModelMetadata
from app.library.preview_images import PreviewImages
from app.setting_types import Networks
from app.web.hosts import Hosts
from app.web.picture_access import PictureAccess

EXTENSION = "navigator"


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything the web layer hands work to."""

    accounts: Accounts
    logins: Logins
    people: People
    invitations: Invitations
    discord: DiscordClient
    login_throttle: Throttle
    queue: JobQueue
    catalogue: Catalogue
    known_checkpoints: KnownCheckpoints
    model_browser: ModelBrowser
    checkpoints: CheckpointAttributes
    model_disk: ModelDisk
    downloads: Downloads
    finished_downloads: FinishedDownloads
    metadata: ModelMetadata
    model_previews: PreviewImages
    health: ForgeHealth
    gallery: Gallery
    images: ImageStore
    removal: PictureRemoval
    stored_pictures: StoredPictures
    inputs: InputImages
    previews: Previews
    picture_access: PictureAccess
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
    pauses: Pauses
    unloading: Unloading
    idle_unload: IdleUnload
    loaded: LoadedCheckpoint
    progress: LatestProgress
    disk: DiskWatch
    started_s: float = field(default_factory=time.monotonic)

    @property
    def waiting_reason(self) -> str | None:
        """Why no picture is drawn now, a sentence; None when all is well."""
        return self.pauses.waiting_reason(Lane.GENERATION) or self.health.waiting_reason


def services() -> Services:
    """The services of the application that handles this request."""
    return cast("Services", current_app.extensions[EXTENSION])
