"""What Forge has, and what Navigator allows: lists from memory, none of them waits for Forge."""

import asyncio
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from quart import Blueprint, request
from quart_schema import document_querystring, security_scheme

from app.accounts.roles import Role
from app.errors import UpstreamFailed, UpstreamUnavailable
from app.web.access import caller, public, requires
from app.web.answers import (
    Limits,
    Models,
    Module,
    Online,
    Sampler,
    Scheduler,
    Upscaler,
    Version,
)
from app.web.checkpoint_access import reader_role
from app.web.documentation import OPTIONAL_LOGIN, Content, answers, fails
from app.web.model_previews import told_of_version
from app.web.services import services
from app.web.staleness import STALE, from_forge

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
class SamplersQuery:
    """`all` lists all of them, whatever its value."""

    all: str = ""


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
@answers(Models, headers=STALE)
@fails(UpstreamUnavailable)
@from_forge
async def get_models() -> dict[str, list[Item]]:
    """The checkpoints in Forge's order, with the owner's names.

    Restricted ones are there for those who may use them; a cookie does not show them.
    `?refresh=true` makes Forge look for new files first, if a logged-in user asks.
    """
    asks = request.args.get("refresh") == "true" and request.method == "GET"
    role = await reader_role()
    if asks and role > Role.NONE:
        await _rescan()
    return await _models(role)


@blueprint.post("/api/models/refresh")
@requires(Role.APPRENTICE)
@answers(Models, headers=STALE)
@from_forge
async def post_models_refresh() -> dict[str, list[Item]]:
    """Makes Forge look for new files, and gives the checkpoints."""
    await _rescan()
    return await _models(caller().role)


@blueprint.get("/api/models/embeddings")
@public
@answers(list[str], headers=STALE)
@fails(UpstreamUnavailable)
@from_forge
async def get_embeddings() -> list[str]:
    """The names of the embeddings."""
    return list(services().catalogue.known().embeddings)


@blueprint.get("/api/samplers")
@public
@document_querystring(SamplersQuery)
@answers(list[Sampler], headers=STALE)
@fails(UpstreamUnavailable)
@from_forge
async def get_samplers() -> list[Item]:
    """The first 25 samplers; all of them with `?all`."""
    samplers = [dict(item) for item in services().catalogue.known().samplers]
    return samplers if "all" in request.args else samplers[:_SAMPLERS_SHOWN]


@blueprint.get("/api/schedulers")
@public
@answers(list[Scheduler], headers=STALE)
@fails(UpstreamUnavailable)
@from_forge
async def get_schedulers() -> list[Item]:
    """The schedulers, `name` and `label` among their keys."""
    return [dict(item) for item in services().catalogue.known().schedulers]


@blueprint.get("/api/upscalers")
@public
@answers(list[Upscaler], headers=STALE)
@fails(UpstreamUnavailable)
@from_forge
async def get_upscalers() -> list[Item]:
    """The upscalers, without Forge's entry `None`."""
    upscalers = services().catalogue.known().upscalers
    return [dict(item) for item in upscalers if item.get("name") != "None"]


@blueprint.get("/api/modules")
@public
@answers(list[Module], headers=STALE)
@fails(UpstreamUnavailable)
@from_forge
async def get_modules() -> list[Item]:
    """The additional modules (VAEs, text encoders) that a checkpoint may need."""
    return [dict(item) for item in services().catalogue.known().modules]


async def _models(role: Role) -> dict[str, list[Item]]:
    lists = await services().catalogue.renamed()
    known = await services().known_checkpoints.rows()
    told = []
    for item in map(dict, lists.checkpoints):
        row = known.get(str(item.get("model_name")))
        version = services().metadata.of_checkpoint(item)
        known_there = told_of_version(*version) if version is not None else {}
        if row is None:
            told.append(item | known_there | {"known": False})
        elif role >= row.needed_role:
            told.append(
                item
                | known_there
                | {
                    "known": True,
                    "id": row.id,
                    "friendly_name": row.friendly_name,
                    "is_restricted": row.is_restricted,
                    "required_role": row.needed_role or None,
                    "tags": row.tags or [],
                }
            )
    return {"models": told}


async def _rescan() -> None:
    """Afterwards the last known lists are answered, whatever became of it."""
    try:
        await services().catalogue.rescan()
    except (UpstreamFailed, UpstreamUnavailable):
        services().catalogue.known()  # there may be none
