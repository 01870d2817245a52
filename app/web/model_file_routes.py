"""The model files on the owner's disk, for administrators: what they take, and taking them away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field
from quart import Blueprint, request
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, validate_request

from app.accounts.audit import Action, note_if_possible
from app.accounts.roles import Role
from app.errors import Conflict, InvalidInput, NotFound
from app.library.model_disk import FileState, ModelInUse
from app.library.model_folder import ModelFolderMissing, ModelKind
from app.library.model_names import name_of
from app.library.model_shelf import ModelDiskFailed, ModelFileRefused
from app.library.models import PATH_CHARS
from app.web.access import actor, requires
from app.web.admin_user_routes import page_and_limit
from app.web.documentation import answers, fails
from app.web.model_answers import KindTold, ModelFileMoved, ModelFiles, ModelFileTold
from app.web.moments import moment
from app.web.services import services

blueprint = Blueprint("model files", __name__)

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_ORDERS: dict[str, Callable[[FileState], Any]] = {
    "size": lambda state: -state.file.size_bytes,
    "name": lambda state: name_of(state.file).casefold(),
    "modified": lambda state: -state.file.modified_ns,
    "last-used": lambda state: state.last_used_at or _LONG_AGO,
}


@dataclass
class FilesQuery:
    """`kind` is one kind, or empty for all; `archived` is `true` for those in the archive.

    `sort` is `size` (the largest first), `name`, `modified` (the newest first) or `last-used`
    (what was used longest ago, or never, first).
    """

    page: int = 1
    limit: int = 50
    kind: str = ""
    sort: str = "size"
    archived: str = ""


@dataclass
class FileQuery:
    """`path` is that of a list; `archived` is `true` for one in the archive."""

    path: str = ""
    archived: str = ""


class FileRequest(BaseModel):
    """`path` is that of a list."""

    path: Annotated[str, Field(min_length=1, max_length=PATH_CHARS)]


@blueprint.get("/api/admin/models/files")
@requires(Role.ARCHITECT)
@document_querystring(FilesQuery)
@fails(InvalidInput, ModelFolderMissing)
async def get_model_files() -> ModelFiles:
    """A page of the model files in `MODEL_DIR`, and how full its disk is."""
    kind, sort = request.args.get("kind", ""), request.args.get("sort", "") or "size"
    if kind and kind not in set(ModelKind):
        raise InvalidInput(f"kind must be one of {', '.join(ModelKind)}.")
    if sort not in _ORDERS:
        raise InvalidInput(f"sort must be one of {', '.join(_ORDERS)}.")
    page, limit = page_and_limit()
    found = await services().model_disk.inventory(archived=_is_archived())
    files = [state for state in found.files if kind in {"", state.file.kind}]
    files.sort(key=lambda state: (_ORDERS[sort](state), state.file.path))
    return {
        "folder": str(found.folder),
        "free_bytes": None if found.disk is None else found.disk.free_bytes,
        "total_bytes": None if found.disk is None else found.disk.total_bytes,
        "kinds": _kinds(found.files),
        "count": len(files),
        "page": page,
        "files": [_told(state) for state in files[(page - 1) * limit : page * limit]],
    }


@blueprint.delete("/api/admin/models/files")
@requires(Role.ARCHITECT)
@document_querystring(FileQuery)
@answers(status=204)
@fails(InvalidInput, NotFound, ModelInUse, ModelFileRefused, ModelFolderMissing, ModelDiskFailed)
async def delete_model_file() -> ResponseReturnValue:
    """Deletes a model file for good, unless Forge has it loaded or a job needs it."""
    path, archived = request.args.get("path", ""), _is_archived()
    if not path:
        raise InvalidInput("Missing required parameters: path", code="MISSING_PARAMETERS")
    await services().model_disk.remove(path, archived=archived)
    await note_if_possible(actor(), Action.DELETE_MODEL, None, path=path, archived=archived)
    return "", 204


@blueprint.post("/api/admin/models/files/archive")
@requires(Role.ARCHITECT)
@validate_request(FileRequest)
@answers(ModelFileMoved)
@fails(NotFound, ModelInUse, ModelFileRefused, Conflict, ModelFolderMissing, ModelDiskFailed)
async def post_model_file_archive(data: FileRequest) -> ModelFileMoved:
    """Puts a model file where Forge does not look, unless it is loaded or a job needs it."""
    await services().model_disk.archive(data.path)
    await note_if_possible(actor(), Action.ARCHIVE_MODEL, None, path=data.path)
    return {"path": data.path, "is_archived": True}


@blueprint.post("/api/admin/models/files/restore")
@requires(Role.ARCHITECT)
@validate_request(FileRequest)
@answers(ModelFileMoved)
@fails(NotFound, ModelFileRefused, Conflict, ModelFolderMissing, ModelDiskFailed)
async def post_model_file_restore(data: FileRequest) -> ModelFileMoved:
    """Puts an archived model file back to where it was; Forge then finds it."""
    await services().model_disk.restore(data.path)
    await note_if_possible(actor(), Action.RESTORE_MODEL, None, path=data.path)
    return {"path": data.path, "is_archived": False}


def _is_archived() -> bool:
    return request.args.get("archived", "").lower() == "true"


def _kinds(files: Sequence[FileState]) -> list[KindTold]:
    told = []
    for kind in ModelKind:
        sizes = [state.file.size_bytes for state in files if state.file.kind is kind]
        told.append(KindTold(kind=kind.value, size_bytes=sum(sizes), count=len(sizes)))
    return told


def _told(state: FileState) -> ModelFileTold:
    file = state.file
    return {
        "path": file.path,
        "kind": file.kind.value,
        "name": name_of(file),
        "size_bytes": file.size_bytes,
        "modified_at": _moment_of(file.modified_ns),
        "last_used_at": moment(state.last_used_at),
        "is_loaded": state.is_loaded,
        "is_waited_for": state.is_waited_for,
        "is_removable": state.why_not is None,
        "why_not": state.why_not,
    }


def _moment_of(modified_ns: int) -> str | None:
    """None for a time that no calendar has, as broken file systems give."""
    try:
        return moment(datetime.fromtimestamp(modified_ns / 1e9, UTC))
    except (ValueError, OverflowError, OSError):
        return None
