"""The only place where things are built and joined. Nobody but entry points imports it."""

import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from app.accounts.legacy_bots import LegacyBots
from app.accounts.people import People
from app.accounts.throttle import Throttle
from app.bootstrap_database import open_database
from app.bootstrap_downloads import fetching
from app.bootstrap_entry import open_entry
from app.bootstrap_models import metadata, open_models
from app.bootstrap_shelf import shelf
from app.build_info import build_info
from app.clients.forge import ForgeClient
from app.clients.forge_health import ForgeHealth
from app.clients.forge_http import forge_session
from app.database.durability import sync_of
from app.events import EventBus
from app.generation.archive import Archives
from app.generation.erasing import PictureEraser
from app.generation.first_pass import FirstPass
from app.generation.forge_run import GenerationLimits
from app.generation.gallery import Gallery
from app.generation.handler import GenerationHandler
from app.generation.idle_unload import IdleUnload
from app.generation.images import ImageStore
from app.generation.input_images import InputImages
from app.generation.loaded_checkpoint import LoadedCheckpoint
from app.generation.picture_counts import PictureCounts
from app.generation.previews import Previews
from app.generation.records import ImageRecords
from app.generation.removal import PictureRemoval
from app.generation.requests import Img2Img, Preparing, Txt2Img
from app.generation.stored_pictures import StoredPictures
from app.generation.thumbnails import Thumbnails
from app.generation.unloading import Unloading
from app.jobs.allowance import Allowance
from app.jobs.erasing import JobEraser
from app.jobs.latest_progress import LatestProgress
from app.jobs.models import JobKind, Lane
from app.jobs.pause import Pauses
from app.jobs.queue import JobQueue
from app.jobs.worker import Worker
from app.library.catalogue import Catalogue
from app.library.disk import DiskWatch
from app.library.known_checkpoints import KnownCheckpoints
from app.library.list_file import ListFile
from app.settings import Settings
from app.tasks import running
from app.web.application import asgi_app
from app.web.asgi import App
from app.web.hosts import Hosts
from app.web.picture_access import PictureAccess
from app.web.realtime import Realtime
from app.web.services import Services

LOGIN_BURST = 10
LOGIN_INTERVAL_S = 60.0
FORGE_RESTART_S = 60.0


@dataclass(frozen=True)
class Navigator:
    """A running Navigator: what to serve, and what to close first when serving ends."""

    asgi: App
    realtime: Realtime
    events: EventBus
    health: ForgeHealth
    stop_waiting: Callable[[], None]  # no request is to wait for something long from now on


@contextlib.asynccontextmanager
async def navigator(
    settings: Settings,
    *,
    programs: Mapping[str, str] | None = None,
    login_throttle: Throttle | None = None,
    working: bool = True,
) -> AsyncIterator[Navigator]:
    """Builds everything, opens it in order, and closes it in reverse when the block ends.

    `programs` are those of the owner's that may do everything, by the token of each.
    `login_throttle` is for tests that log in more often than anybody may. Without `working`
    requests are answered, but nothing goes on beside them: no jobs, no talk with Forge.
    """
    async with contextlib.AsyncExitStack() as stack:
        await open_database(stack, settings)
        session = await stack.enter_async_context(forge_session())
        forge = ForgeClient(
            session,
            api_url=settings.sd_api_host,
            root_url=settings.forge_url,
            auth=settings.sd_api_auth,
        )
        events = EventBus()
        pauses = Pauses(events)
        await pauses.load()
        queue = JobQueue(
            events,
            allowance=Allowance(
                max_jobs=settings.max_queued_jobs_per_user,
                max_bytes=settings.max_queued_bytes_per_user,
            ),
            max_attempts=settings.job_attempts,
            sync=sync_of(settings.database),
            pauses=pauses,
        )
        await queue.recover()
        images = ImageStore(settings.data_dir / "images")
        images.prepare()
        models = await open_models(stack, settings)
        entry = await open_entry(stack, settings, events, programs or {})
        inputs = InputImages(settings.data_dir / "inputs")
        inputs.prepare()
        known_checkpoints = await KnownCheckpoints.read()
        catalogue = Catalogue(
            forge,
            events,
            ListFile(settings.data_dir / "forge-lists.json"),
            known_checkpoints=known_checkpoints,
        )
        catalogue.load()
        first_pass = FirstPass()

        async def refresh() -> None:
            first_pass.forget()
            await catalogue.refresh()

        # Who has the launcher's token is there to restart Forge.
        patience_s = FORGE_RESTART_S if settings.launcher_token is not None else 0.0
        health = ForgeHealth(forge, on_ready=refresh, restart_patience_s=patience_s)
        previews = Previews()
        thumbnails = Thumbnails(
            settings.data_dir / "thumbnails",
            images,
            max_bytes=settings.thumbnail_cache_mb * 1_000_000,
        )
        counts = PictureCounts()
        stored_pictures = StoredPictures()
        gallery = Gallery(images, stored_pictures, previews, counts)
        kinds: dict[JobKind, Preparing] = {
            JobKind.TXT2IMG: Txt2Img(
                forge, first_pass, gallery, max_pixels=settings.image_pixel_limit
            ),
            JobKind.IMG2IMG: Img2Img(forge, inputs, max_pixels=settings.image_pixel_limit),
        }
        loaded = LoadedCheckpoint(forge, health, lambda: catalogue.lists)
        owned = shelf(
            models.folder,
            events=events,
            known=known_checkpoints,
            catalogue=catalogue,
            pauses=pauses,
            loaded=loaded,
        )
        fetched = fetching(models, settings, queue, events, catalogue)
        said = metadata(
            models,
            settings,
            events,
            lists=lambda: catalogue.lists,
            is_idle=lambda: queue.idle.since(Lane.GENERATION) is not None,
        )
        handler = GenerationHandler(
            forge=forge,
            health=health,
            lists=lambda: catalogue.lists,
            loaded=loaded,
            kinds=kinds,
            queue=queue,
            images=images,
            records=ImageRecords(queue, counts),
            previews=previews,
            events=events,
            limits=_limits(settings),
        )
        worker = Worker(
            queue,
            events,
            Lane.GENERATION,
            dict.fromkeys(kinds, handler),
            ready=health.wait_ready,
        )
        removal = PictureRemoval(gallery, images, thumbnails, queue)
        people = People(
            events,
            changed=entry.accounts.changed,
            erasers=(
                JobEraser(queue, removed=(inputs.remove, fetched.downloads.discard)).erase,
                PictureEraser(gallery, removal).erase,
            ),
        )
        hosts = Hosts(
            public_url=settings.public_url,
            trusted_proxies=settings.trusted_proxies,
            discord_redirect_uri=settings.discord_redirect_uri,
            is_shared=settings.is_shared,
        )
        realtime = Realtime(entry.accounts, events, hosts, settings.trusted_proxies)
        services = Services(
            accounts=entry.accounts,
            logins=entry.logins,
            people=people,
            invitations=entry.invitations,
            discord=entry.discord,
            login_throttle=login_throttle
            or Throttle(burst=LOGIN_BURST, interval_s=LOGIN_INTERVAL_S),
            queue=queue,
            catalogue=catalogue,
            known_checkpoints=known_checkpoints,
            model_browser=models.browser,
            checkpoints=owned.checkpoints,
            model_disk=owned.disk,
            downloads=fetched.downloads,
            finished_downloads=fetched.finished,
            metadata=said,
            model_previews=models.previews,
            health=health,
            gallery=gallery,
            images=images,
            removal=removal,
            stored_pictures=stored_pictures,
            inputs=inputs,
            previews=previews,
            picture_access=PictureAccess(
                entry.accounts,
                public=settings.public_image_links,
                trusted_proxies=settings.trusted_proxies,
            ),
            build_info=functools.cache(
                functools.partial(build_info, settings.branch, settings.commit_sha)
            ),
            max_pixels=settings.image_pixel_limit,
            lists_loras=settings.enable_lora_requests,
            legacy_bots=LegacyBots(
                enabled=settings.allow_legacy_bot_endpoints,
                allowed=settings.legacy_bot_allowed_addresses,
            ),
            thumbnails=thumbnails,
            archives=Archives(images),
            trusted_proxies=settings.trusted_proxies,
            hosts=hosts,
            compass_folder=settings.compass_folder,
            discord_client_id=settings.discord_client_id,
            pauses=pauses,
            unloading=Unloading(forge, queue, pauses, loaded),
            idle_unload=IdleUnload(
                forge,
                health,
                queue,
                pauses,
                loaded,
                interval=settings.checkpoint_unload_interval,
            ),
            loaded=loaded,
            progress=LatestProgress(events),
            disk=DiskWatch(events, settings.data_dir),
        )
        for owner in (catalogue.opened(), thumbnails.opened(), removal.finishing()):
            await stack.enter_async_context(owner)
        if working:
            beside: tuple[contextlib.AbstractAsyncContextManager[object], ...] = (
                realtime.emitting(),
                health.watched(),
                catalogue.kept_fresh(),
                inputs.kept_clean(events),
                services.disk.watched(),
                services.progress.followed(),
                pauses.kept(),
                services.unloading.working(),
                services.idle_unload.working(),
                owned.uses.noted(),
                owned.disk.working(),
                worker.working(),
                fetched.working(),
                said.working(),
            )
            for one in beside:
                await stack.enter_async_context(one)
            await stack.enter_async_context(running(counts.read_all()))
        stop_waiting = fetched.downloads.stop_waiting
        yield Navigator(asgi_app(services, realtime), realtime, events, health, stop_waiting)


def _limits(settings: Settings) -> GenerationLimits:
    return GenerationLimits(
        look_interval_s=settings.job_progress_check_interval_ms / 1000,
        stall_s=settings.job_stall_minutes * 60,
        load_s=settings.checkpoint_load_minutes * 60,
    )
