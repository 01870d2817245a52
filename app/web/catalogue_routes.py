"""What Forge has, and what Navigator allows: lists from memory, none of them waits for Forge."""

from dataclasses import dataclass
from typing import Any

from quart import Blueprint, request
from quart_schema import document_querystring

from app.errors import UpstreamUnavailable
from app.web.access import public
from app.web.answers import Limits, Models, Online, Sampler, Scheduler, Upscaler
from app.web.documentation import answers, fails
from app.web.services import services

blueprint = Blueprint("catalogue", __name__)

_SAMPLERS_SHOWN = 25

Item = dict[str, Any]


@dataclass
class SamplersQuery:
    """`all` lists all of them, whatever its value."""

    all: str = ""


@blueprint.get("/")
@public
@answers(Online)
async def get_root() -> dict[str, str]:
    """Says that Navigator runs."""
    return {"message": "Hello World!", "status": "online"}


@blueprint.get("/api/config/limits")
@public
@answers(Limits)
async def get_limits() -> dict[str, int]:
    """How large a picture may be, in pixels."""
    return {"max_pixels": services().max_pixels}


@blueprint.get("/api/models")
@public
@answers(Models)
@fails(UpstreamUnavailable)
async def get_models() -> dict[str, list[Item]]:
    """The checkpoints, in Forge's order."""
    lists = services().catalogue.known()
    return {"models": [{**item, "known": False} for item in lists.checkpoints]}


@blueprint.get("/api/samplers")
@public
@document_querystring(SamplersQuery)
@answers(list[Sampler])
@fails(UpstreamUnavailable)
async def get_samplers() -> list[Item]:
    """The first 25 samplers; all of them with `?all`."""
    samplers = [dict(item) for item in services().catalogue.known().samplers]
    return samplers if "all" in request.args else samplers[:_SAMPLERS_SHOWN]


@blueprint.get("/api/schedulers")
@public
@answers(list[Scheduler])
@fails(UpstreamUnavailable)
async def get_schedulers() -> list[Item]:
    """The schedulers, `name` and `label` among their keys."""
    return [dict(item) for item in services().catalogue.known().schedulers]


@blueprint.get("/api/upscalers")
@public
@answers(list[Upscaler])
@fails(UpstreamUnavailable)
async def get_upscalers() -> list[Item]:
    """The upscalers, without Forge's entry `None`."""
    upscalers = services().catalogue.known().upscalers
    return [dict(item) for item in upscalers if item.get("name") != "None"]
