"""The only place where things are built and joined. Nobody but entry points imports it."""

import contextlib
import functools
from collections.abc import AsyncIterator
from dataclasses import dataclass

from app.accounts.accounts import Accounts
from app.accounts.legacy_bots import LegacyBots
from app.accounts.tokens import Tokens
from app.build_info import build_info
from app.clients.forge import ForgeClient
from app.clients.forge_health import ForgeHealth
from app.clients.forge_http import forge_session
from app.database.connection import opened
from app.database.durability import sync_of
from app.database.instance import only_server
from app.database.migration import migrate, wait_for_database
from app.events import EventBus
from app.generation.archive import Archives
from app.generation.first_pass import FirstPass
from app.generation.forge_run import GenerationLimits
from app.generation.gallery import Gallery
from app.generation.handler import GenerationHandler
from app.generation.images import ImageStore
from app.generation.input_images import InputImages
from app.generation.picture_counts import PictureCounts
from app.generation.previews import Previews
from app.generation.records import ImageRecords
from app.generation.requests import Img2Img, Preparing, Txt2Img
from app.generation.thumbnails import Thumbnails
from app.jobs.allowance import Allowance
from app.jobs.models import JobKind, Lane
from app.jobs.queue import JobQueue
from app.jobs.worker import Worker
from app.library.catalogue import Catalogue
from app.library.known_checkpoints import KnownCheckpoints
from app.library.list_file import ListFile
from app.settings import Settings
from app.tasks import running
from app.web.application import asgi_app
from app.web.asgi import App
from app.web.hosts import Hosts
from app.web.realtime import Realtime
from app.web.services import Services

MODEL_MODULES = (
    "app.accounts.models",
    "app.jobs.models",
    "app.generation.models",
    "app.library.models",
)
DATABASE_PATIENCE_S = 30.0


@dataclass(frozen=True)
class Navigator:
    """A running Navigator: what to serve, and what to close first when serving ends."""

    asgi: App
    realtime: Realtime
    health: ForgeHealth


@contextlib.asynccontextmanager
async def navigator(settings: Settings) -> AsyncIterator[Navigator]:
    """Builds everything, opens it in order, and closes it in reverse when the block ends."""
    async with contextlib.AsyncExitStack() as stack:
        await _open_database(stack, settings)
        session = await stack.enter_async_context(forge_session())
        forge = ForgeClient(
            session,
            api_url=settings.sd_api_host,
            root_url=settings.forge_url,
            auth=settings.sd_api_auth,
        )
        events = EventBus()
        queue = JobQueue(
            events,
            allowance=Allowance(
                max_jobs=settings.max_queued_jobs_per_user,
                max_bytes=settings.max_queued_bytes_per_user,
            ),
            max_attempts=settings.job_attempts,
            sync=sync_of(settings.database),
        )
        await queue.recover()
        images = ImageStore(settings.data_dir / "images")
        images.prepare()
        accounts = Accounts(
            Tokens(settings.secret_key, settings.token_expiration_time_s),
            superuser_token=settings.superuser_admin_token,
            demo_user=settings.enable_demo_user,
        )
        await accounts.ensure_system_users()
        inputs = InputImages(settings.data_dir / "inputs")
        inputs.prepare()
        known_checkpoints = KnownCheckpoints()
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

        health = ForgeHealth(forge, on_ready=refresh)
        previews = Previews()
        thumbnails = Thumbnails(
            settings.data_dir / "thumbnails",
            images,
            max_bytes=settings.thumbnail_cache_mb * 1_000_000,
        )
        counts = PictureCounts()
        gallery = Gallery(images, previews, counts)
        max_pixels = settings.image_pixel_limit
        kinds: dict[JobKind, Preparing] = {
            JobKind.TXT2IMG: Txt2Img(forge, first_pass, gallery, max_pixels=max_pixels),
            JobKind.IMG2IMG: Img2Img(forge, inputs, max_pixels=max_pixels),
        }
        handler = GenerationHandler(
            forge=forge,
            health=health,
            lists=lambda: catalogue.lists,
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
        hosts = Hosts(
            public_url=settings.public_url,
            trusted_proxies=settings.trusted_proxies,
            discord_redirect_uri=settings.discord_redirect_uri,
        )
        realtime = Realtime(accounts, events, hosts, settings.trusted_proxies)
        services = Services(
            accounts=accounts,
            queue=queue,
            catalogue=catalogue,
            known_checkpoints=known_checkpoints,
            health=health,
            gallery=gallery,
            images=images,
            inputs=inputs,
            previews=previews,
            build_info=functools.cache(
                functools.partial(build_info, settings.branch, settings.commit_sha)
            ),
            max_pixels=max_pixels,
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
        )
        await stack.enter_async_context(thumbnails.opened())
        await stack.enter_async_context(realtime.emitting())
        await stack.enter_async_context(health.watched())
        await stack.enter_async_context(catalogue.kept_fresh())
        await stack.enter_async_context(inputs.kept_clean(events))
        await stack.enter_async_context(worker.working())
        await stack.enter_async_context(running(counts.read_all()))
        yield Navigator(asgi_app(services, realtime), realtime, health)


async def _open_database(stack: contextlib.AsyncExitStack, settings: Settings) -> None:
    location = settings.database
    await wait_for_database(location, timeout_s=DATABASE_PATIENCE_S)
    # First, so that nobody migrates the tables under a server that works with them.
    await stack.enter_async_context(only_server(location))
    await migrate(location, MODEL_MODULES, backups_dir=settings.data_dir / "backups")
    await stack.enter_async_context(opened(location, MODEL_MODULES))


def _limits(settings: Settings) -> GenerationLimits:
    return GenerationLimits(
        look_interval_s=settings.job_progress_check_interval_ms / 1000,
        stall_s=settings.job_stall_minutes * 60,
        load_s=settings.checkpoint_load_minutes * 60,
    )
