"""The only place where things are built and joined. Nobody but entry points imports it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from app.accounts.accounts import Accounts
from app.accounts.tokens import Tokens
from app.clients.forge import ForgeClient
from app.clients.forge_health import ForgeHealth
from app.clients.forge_http import forge_session
from app.database.connection import opened
from app.database.durability import sync_of
from app.database.instance import only_server
from app.database.migration import migrate, wait_for_database
from app.events import EventBus
from app.generation.forge_run import GenerationLimits
from app.generation.images import ImageStore
from app.generation.previews import Previews
from app.generation.txt2img import Txt2ImgHandler
from app.jobs.models import JobKind, Lane
from app.jobs.queue import JobQueue
from app.jobs.worker import Worker
from app.library.catalogue import Catalogue
from app.settings import Settings
from app.web.application import asgi_app
from app.web.asgi import App
from app.web.hosts import Hosts
from app.web.realtime import Realtime
from app.web.services import Services

MODEL_MODULES = ("app.accounts.models", "app.jobs.models", "app.generation.models")
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
            max_queued_per_user=settings.max_queued_jobs_per_user,
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
        catalogue = Catalogue(forge)
        health = ForgeHealth(forge, on_ready=catalogue.refresh)
        previews = Previews()
        handler = Txt2ImgHandler(
            forge=forge,
            health=health,
            lists=lambda: catalogue.lists,
            queue=queue,
            images=images,
            previews=previews,
            events=events,
            limits=_limits(settings),
        )
        worker = Worker(
            queue, events, Lane.GENERATION, {JobKind.TXT2IMG: handler}, ready=health.wait_ready
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
            health=health,
            images=images,
            previews=previews,
            max_pixels=settings.image_pixel_limit,
            trusted_proxies=settings.trusted_proxies,
            hosts=hosts,
            compass_folder=settings.compass_folder,
            discord_client_id=settings.discord_client_id,
        )
        await stack.enter_async_context(realtime.emitting())
        await stack.enter_async_context(health.watched())
        await stack.enter_async_context(catalogue.kept_fresh())
        await stack.enter_async_context(worker.working())
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
        max_pixels=settings.image_pixel_limit,
    )
