"""What Forge has, and what Navigator allows: lists from memory, none of them waits for Forge."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from quart import Blueprint, after_this_request, request
from quart.typing import ResponseTypes
from quart_schema import document_querystring, security_scheme

from app.accounts.roles import Role
from app.errors import Forbidden, UpstreamFailed, UpstreamUnavailable
from app.web.access import caller, caller_if_any, public, requires
from app.web.answers import (
    Limits,
    Lora,
    Models,
    Module,
    Online,
    Sampler,
    Scheduler,
    Upscaler,
    Version,
)
from app.web.documentation import OPTIONAL_LOGIN, Content, answers, fails
from app.web.services import services

blueprint = Blueprint("catalogue", __name__)

_SAMPLERS_SHOWN = 25

Item = dict[str, Any]
P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class ModelsQuery:
    """`refresh` is `true` to make Forge look for new files first."""

    refresh: str = ""


@dataclass
class LorasQuery:
    """`forge_only` is `true` for Forge's own list; `force_update_metadata` needs a higher role."""

    forge_only: str = ""
    force_update_metadata: str = ""


@dataclass
class SamplersQuery:
    """`all` lists all of them, whatever its value."""

    all: str = ""


_STALE = {"X-Navigator-Stale": "When the list was read, if Forge is away or the list is old."}


def _from_forge(handler: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Marks the answer with `X-Navigator-Stale` while Forge is away: when its lists were read."""

    @functools.wraps(handler)
    async def marked(*args: P.args, **kwargs: P.kwargs) -> R:
        answer = await handler(*args, **kwargs)
        use = services()
        if use.catalogue.is_stale or not use.health.is_ready:
            read_at = use.catalogue.read_at
            told = read_at.isoformat(timespec="seconds") if read_at else "unknown"

            @after_this_request
            async def mark(response: ResponseTypes) -> ResponseTypes:
                response.headers["X-Navigator-Stale"] = told
                return response

        return answer

    return marked


@blueprint.get("/")
@public
@answers(Online)
@answers(Content("text/html"), description="To a browser: Compass, or a page of ours.")
@answers(status=304, description="To a browser: the page has not changed.")
async def get_root() -> dict[str, str]:
    """Says that Navigator runs."""
    return {"message": "Hello World!", "status": "online"}


@blueprint.get("/api/config/limits")
@public
@answers(Limits)
async def get_limits() -> dict[str, int]:
    """How large a picture may be, in pixels."""
    return {"max_pixels": services().max_pixels}


@blueprint.get("/api/config/version")
@public
@answers(Version)
async def get_version() -> dict[str, str]:
    """Branch and commit of this Navigator, `unknown` when nothing tells them."""
    build = await asyncio.to_thread(services().build_info)
    return {"branch": build.branch, "commit": build.commit}


@blueprint.get("/api/models")
@public
@security_scheme(OPTIONAL_LOGIN)
@document_querystring(ModelsQuery)
@answers(Models, headers=_STALE)
@fails(UpstreamUnavailable)
@_from_forge
async def get_models() -> dict[str, list[Item]]:
    """The checkpoints in Forge's order, with the owner's names.

    `?refresh=true` makes Forge look for new files first, if a logged-in user asks.
    """
    asks = request.args.get("refresh") == "true" and request.method == "GET"
    # A cookie alone must not make anything happen.
    if asks and "Authorization" in request.headers and await caller_if_any() is not None:
        await _rescan()
    return await _models()


@blueprint.post("/api/models/refresh")
@requires(Role.APPRENTICE)
@answers(Models, headers=_STALE)
@_from_forge
async def post_models_refresh() -> dict[str, list[Item]]:
    """Makes Forge look for new files, and gives the checkpoints."""
    await _rescan()
    return await _models()


@blueprint.get("/api/models/embeddings")
@public
@answers(list[str], headers=_STALE)
@fails(UpstreamUnavailable)
@_from_forge
async def get_embeddings() -> list[str]:
    """The names of the embeddings."""
    return list(services().catalogue.known().embeddings)


@blueprint.get("/api/models/loras")
@requires(Role.APPRENTICE)
@document_querystring(LorasQuery)
@answers(list[Lora] | list[Item], headers=_STALE)
@fails(Forbidden)
@_from_forge
async def get_loras() -> list[Item]:
    """The LoRAs; with `?forge_only=true` as Forge lists them."""
    if _is_true("force_update_metadata") and caller().role < Role.ARTIFICER:
        raise Forbidden("You are not authorized to force refresh metadata.")
    if not services().lists_loras:
        return []
    loras = services().catalogue.known().loras
    if _is_true("forge_only"):
        return [dict(item) for item in loras]
    return [_without_metadata(dict(item)) for item in loras]


@blueprint.get("/api/samplers")
@public
@document_querystring(SamplersQuery)
@answers(list[Sampler], headers=_STALE)
@fails(UpstreamUnavailable)
@_from_forge
async def get_samplers() -> list[Item]:
    """The first 25 samplers; all of them with `?all`."""
    samplers = [dict(item) for item in services().catalogue.known().samplers]
    return samplers if "all" in request.args else samplers[:_SAMPLERS_SHOWN]


@blueprint.get("/api/schedulers")
@public
@answers(list[Scheduler], headers=_STALE)
@fails(UpstreamUnavailable)
@_from_forge
async def get_schedulers() -> list[Item]:
    """The schedulers, `name` and `label` among their keys."""
    return [dict(item) for item in services().catalogue.known().schedulers]


@blueprint.get("/api/upscalers")
@public
@answers(list[Upscaler], headers=_STALE)
@fails(UpstreamUnavailable)
@_from_forge
async def get_upscalers() -> list[Item]:
    """The upscalers, without Forge's entry `None`."""
    upscalers = services().catalogue.known().upscalers
    return [dict(item) for item in upscalers if item.get("name") != "None"]


@blueprint.get("/api/modules")
@public
@answers(list[Module], headers=_STALE)
@fails(UpstreamUnavailable)
@_from_forge
async def get_modules() -> list[Item]:
    """The additional modules (VAEs, text encoders) that a checkpoint may need."""
    return [dict(item) for item in services().catalogue.known().modules]


async def _models() -> dict[str, list[Item]]:
    lists = await services().catalogue.renamed()
    known = await services().known_checkpoints.rows()

    def merged(item: Item) -> Item:
        row = known.get(str(item.get("model_name")))
        if row is None:
            return item | {"known": False}
        return item | {
            "known": True,
            "id": row.id,
            "friendly_name": row.friendly_name,
            "is_restricted": row.is_restricted,
        }

    return {"models": [merged(dict(item)) for item in lists.checkpoints]}


async def _rescan() -> None:
    """Afterwards the last known lists are answered, whatever became of it."""
    try:
        await services().catalogue.rescan()
    except (UpstreamFailed, UpstreamUnavailable):
        services().catalogue.known()  # there may be none


def _without_metadata(lora: Item) -> Item:
    """A LoRA of which only Forge has told so far."""
    name = str(lora.get("name", ""))
    return {
        "forge": lora,
        "localOverride": {
            "name": name,
            "description": "",
            "nsfw": False,
            "baseModel": "",
            "trainedWords": [],
            "images": [],
        },
        "alias": lora.get("alias", name),
        "name": name,
        "nsfw": False,
        "provider": 0,
        "metadata": "pending",
    }


def _is_true(name: str) -> bool:
    return request.args.get(name, "").lower() == "true"
