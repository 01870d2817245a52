"""Checkpoints, for administrators: what friends read of them, and who may use them."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from quart import Blueprint, request
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, validate_request

from app.accounts.audit import Action, note_if_possible
from app.accounts.roles import Role
from app.errors import Conflict, InvalidInput, NotFound, UpstreamUnavailable
from app.generation.parameter_types import Name, Switch, Whole
from app.library.checkpoint_attributes import Attributes
from app.web.access import actor, caller, requires
from app.web.documentation import answers, fails
from app.web.model_answers import AdminCheckpoint, AdminCheckpoints
from app.web.services import services

blueprint = Blueprint("checkpoints", __name__)


def _shown(value: str) -> str:
    """Trimmed; raises ValueError for what would not be seen."""
    text = value.strip()
    if not text.isprintable():
        raise ValueError("must be printable text")
    return text


def _tags(value: list[str]) -> list[str]:
    """Each once, in order."""
    return [tag for tag in dict.fromkeys(value) if tag]


FriendlyName = Annotated[str, AfterValidator(_shown), Field(max_length=255)]
Tag = Annotated[str, AfterValidator(_shown), Field(max_length=40)]
Tags = Annotated[list[Tag], AfterValidator(_tags), Field(max_length=20)]


class CheckpointChange(BaseModel):
    """`model_name` is Forge's name. Only what is given changes; null clears it.

    `required_role` is from 1 to 4 and counts for a restricted checkpoint; null is 3.
    """

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, protected_namespaces=())

    model_name: Name
    friendly_name: FriendlyName | None = None
    is_restricted: Switch | None = None
    required_role: Annotated[Whole, Field(ge=1, le=4)] | None = None
    tags: Tags | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """What was given, as it is stored."""
        given = self.model_dump(exclude_unset=True, exclude={"model_name"})
        if "is_restricted" in given:
            given["is_restricted"] = bool(given["is_restricted"])
        for name in ("friendly_name", "tags"):
            if name in given:
                given[name] = given[name] or None
        return given


@dataclass
class CheckpointQuery:
    """`model_name` is Forge's name of the checkpoint."""

    model_name: str = ""


@blueprint.get("/api/admin/checkpoints")
@requires(Role.ARCHITECT)
async def get_admin_checkpoints() -> AdminCheckpoints:
    """All checkpoints with what is said of them, also of those whose file is gone."""
    found = await services().checkpoints.all()
    return {"checkpoints": [_answer(one) for one in found]}


@blueprint.patch("/api/admin/checkpoints")
@requires(Role.ARCHITECT)
@validate_request(CheckpointChange)
@answers(AdminCheckpoint)
@fails(NotFound, Conflict, UpstreamUnavailable)
async def patch_admin_checkpoint(data: CheckpointChange) -> AdminCheckpoint:
    """Changes what is said of a checkpoint, and tells everybody to read the list again.

    Jobs that were accepted before run on.
    """
    changes = data.changes
    changed = await services().checkpoints.change(
        data.model_name, changes, highest_role=caller().role
    )
    await note_if_possible(
        actor(), Action.CHANGE_CHECKPOINT, None, model_name=data.model_name, **changes
    )
    return _answer(changed)


@blueprint.delete("/api/admin/checkpoints")
@requires(Role.ARCHITECT)
@document_querystring(CheckpointQuery)
@answers(status=204)
@fails(NotFound, InvalidInput)
async def delete_admin_checkpoint() -> ResponseReturnValue:
    """Forgets what was said of a checkpoint; its file stays, and everybody may use it."""
    model_name = request.args.get("model_name", "")
    if not model_name:
        raise InvalidInput("Missing required parameters: model_name", code="MISSING_PARAMETERS")
    await services().checkpoints.forget(model_name, highest_role=caller().role)
    await note_if_possible(actor(), Action.FORGET_CHECKPOINT, None, model_name=model_name)
    return "", 204


def _answer(found: Attributes) -> AdminCheckpoint:
    told: AdminCheckpoint = asdict(found)  # type: ignore[assignment]
    return told
