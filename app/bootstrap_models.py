"""Builds what knows the world of models, for `bootstrap.py`."""

import contextlib
import functools
from collections.abc import Callable
from dataclasses import dataclass

from app.clients.civitai import CivitaiClient
from app.clients.civitai_files import CivitaiFiles
from app.clients.civitai_http import SERVICE
from app.clients.forge_lists import ForgeLists
from app.clients.public_web import PublicWeb
from app.clients.web_http import web_session
from app.events import EventBus
from app.library.file_hashes import FileHashes
from app.library.file_metadata import MetadataStore
from app.library.metadata_lookup import MetadataLookup
from app.library.model_browser import ModelBrowser
from app.library.model_folder import ModelFolder
from app.library.model_keys import ModelKeys
from app.library.model_metadata import ModelMetadata
from app.library.preview_images import PreviewImages
from app.library.transfer import Transfer
from app.settings import Settings


@dataclass(frozen=True)
class Models:
    """What knows of models: the files on our disk, and CivitAI."""

    folder: ModelFolder
    hashes: FileHashes
    civitai: CivitaiClient
    browser: ModelBrowser
    transfer: Transfer
    previews: PreviewImages
    store: MetadataStore


def metadata(
    models: Models,
    settings: Settings,
    events: EventBus,
    *,
    lists: Callable[[], ForgeLists],
    is_idle: Callable[[], bool],
) -> ModelMetadata:
    """Joins what is said of models; large files are read while `is_idle` only."""
    return ModelMetadata(
        lists,
        models.store,
        ModelKeys(models.folder, models.hashes, is_idle=is_idle),
        events=events,
        make_lookup=functools.partial(MetadataLookup, models.civitai),
        wants_loras=settings.enable_lora_requests,
    )


async def open_models(stack: contextlib.AsyncExitStack, settings: Settings) -> Models:
    """Opens it on `stack`."""
    session = await stack.enter_async_context(web_session())
    civitai = CivitaiClient(
        session, api_bases=settings.civitai_api_base, api_key=settings.civitai_api_key
    )
    await stack.enter_async_context(civitai.open())
    public_web = PublicWeb(trusted=settings.civitai_api_base, service=SERVICE)
    files = CivitaiFiles(
        await stack.enter_async_context(public_web.session()),
        public_web,
        api_bases=settings.civitai_api_base,
        api_key=settings.civitai_api_key,
    )
    previews = PreviewImages(settings.data_dir / "model-previews", files)
    stack.push_async_callback(previews.close)
    folder = ModelFolder(settings.model_dir)
    hashes = FileHashes(folder)
    stack.push_async_callback(hashes.close)
    browser = ModelBrowser(civitai, folder)
    store = MetadataStore()
    await store.load()
    return Models(folder, hashes, civitai, browser, Transfer(files), previews, store)
