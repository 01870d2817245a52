"""LoRAs with what is known of them, and what administrators say of them."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictBool, StrictInt, StrictStr, ValidationError
from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request, validate_request

from app.accounts.audit import Action, note_if_possible
from app.accounts.roles import Role
from app.errors import Forbidden, InvalidInput, NotFound
from app.library.models import NAME_CHARS
from app.web.access import actor, caller, requires
from app.web.answers import Lora, Message
from app.web.documentation import answers, fails
from app.web.services import services
from app.web.staleness import STALE, from_forge

blueprint = Blueprint("loras", __name__)

_PATIENCE_S = 20.0
_INVALID = "Invalid override format!"

Item = dict[str, Any]
Text = Annotated[StrictStr, Field(max_length=500)]


@dataclass
class LorasQuery:
    """`forge_only` is `true` for Forge's own list; `force_update_metadata` needs a higher role."""

    forge_only: str = ""
    force_update_metadata: str = ""


class LoraOverride(BaseModel):
    """What clients show of a LoRA in place of what CivitAI says. `images` are addresses."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=255)]
    description: Annotated[StrictStr, Field(max_length=20_000)]
    nsfw: StrictBool
    baseModel: Annotated[StrictStr, Field(max_length=100)]  # noqa: N815 - the contract's name
    trainedWords: Annotated[list[Text], Field(max_length=200)] = []  # noqa: N815
    images: Annotated[list[Annotated[StrictStr, Field(max_length=2000)]], Field(max_length=20)] = []


class UpdatesRequest(BaseModel):
    """`updates_disabled` keeps what is known of a LoRA as it is. `metadata_id` is the id of
    CivitAI's version of the model, for a file that CivitAI takes for another one."""

    updates_disabled: StrictBool | None = None
    metadata_id: Annotated[StrictInt, Field(ge=1, lt=10**15)] | None = None


@blueprint.get("/api/models/loras")
@requires(Role.APPRENTICE)
@document_querystring(LorasQuery)
@answers(list[Lora] | list[Item], headers=STALE)
@fails(Forbidden)
@from_forge
async def get_loras() -> ResponseReturnValue:
    """The LoRAs with what CivitAI and the owner say of them; see `forge_only`.

    What is not known yet is looked up behind; `models-refreshed` tells when there is more. With
    `?force_update_metadata=true` everything is looked up anew first, for 20 seconds at most.
    """
    if _is_true("force_update_metadata") and caller().role < Role.ARTIFICER:
        raise Forbidden("You are not authorized to force refresh metadata.")
    if not services().lists_loras:
        return []
    loras = services().catalogue.known().loras
    if _is_true("forge_only"):
        return [dict(item) for item in loras]
    if _is_true("force_update_metadata"):
        await services().metadata.lookup.refresh_all(patience_s=_PATIENCE_S)
    return Response(services().metadata.encoded_loras(), content_type="application/json")


@blueprint.post("/api/models/loras/override/<file_hash>")
@requires(Role.ARCHITECT)
@document_request(LoraOverride)
@answers(Message)
@fails(InvalidInput)
async def post_lora_override(file_hash: str) -> Message:
    """Sets what everybody sees of the LoRA with this `hash`, in place of what CivitAI says."""
    body = await request.get_json()
    try:
        override = LoraOverride.model_validate(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in problem["loc"]) or "the body"
        raise InvalidInput(_INVALID, summary=f"{_INVALID} {place}: {problem['msg']}.") from error
    key = _checked(file_hash)
    await services().metadata.set_override(key, override.model_dump())
    await note_if_possible(actor(), Action.CHANGE_LORA, lora=key)
    return {"message": f"Successfully set local override for lora {override.name} ({key})"}


@blueprint.delete("/api/models/loras/override/<file_hash>")
@requires(Role.ARCHITECT)
@answers(Message)
@fails(InvalidInput, NotFound)
async def delete_lora_override(file_hash: str) -> Message:
    """Takes back what was set, so that CivitAI's word counts again."""
    key = _checked(file_hash)
    if not services().metadata.has_override(key):
        raise NotFound("Nothing was set for this LoRA.")
    await services().metadata.set_override(key, None)
    await note_if_possible(actor(), Action.CHANGE_LORA, lora=key)
    return {"message": f"Successfully removed local override ({key})"}


@blueprint.post("/api/models/loras/updates/<file_hash>")
@requires(Role.ARCHITECT)
@validate_request(UpdatesRequest)
@answers(Message)
@fails(InvalidInput)
async def post_lora_updates(file_hash: str, data: UpdatesRequest) -> Message:
    """Sets whether CivitAI is asked for news of this LoRA, and for which version of a model."""
    key = _checked(file_hash)
    changes: dict[str, Any] = {}
    if data.updates_disabled is not None:
        changes["updates_disabled"] = data.updates_disabled
    if data.metadata_id is not None:
        changes["version_id"] = data.metadata_id
    if not changes:
        raise InvalidInput("updates_disabled or metadata_id is needed.")
    await services().metadata.set_updates(key, **changes)
    await note_if_possible(actor(), Action.CHANGE_LORA, lora=key)
    return {"message": f"Successfully set updates for lora {key}"}


def _checked(file_hash: str) -> str:
    """A hash or an alias, as `GET /api/models/loras` tells it."""
    if len(file_hash) > NAME_CHARS or not file_hash.isprintable():
        raise InvalidInput("The hash is none of a LoRA.")
    return file_hash


def _is_true(name: str) -> bool:
    return request.args.get(name, "").lower() == "true"
