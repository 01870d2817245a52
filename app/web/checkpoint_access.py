"""Who may use which checkpoint: joins users' roles with what the owner says of checkpoints."""

from quart import request

from app.accounts.roles import Role
from app.errors import Forbidden, UpstreamUnavailable
from app.jobs.models import Job
from app.web.access import caller, caller_if_any
from app.web.services import services


class CheckpointRestricted(Forbidden):
    """The owner keeps this checkpoint for those with a higher role."""

    code = "CHECKPOINT_RESTRICTED"


async def reader_role() -> Role:
    """The role of who asks a public route; `NONE` without a usable login in the header.

    A cookie does not count: every client that shows checkpoints sends the header.
    """
    reader = await caller_if_any() if "Authorization" in request.headers else None
    return Role.NONE if reader is None else reader.role


async def check_checkpoint(name: str) -> None:
    """Raises `CheckpointRestricted` unless the caller may use the checkpoint of any such name.

    A bot proves nobody's role, so it may use none that is restricted. Raises
    `UpstreamUnavailable` when that cannot be told, because Forge has told no list yet.
    """
    use, role = services(), caller().role
    rows = await use.known_checkpoints.rows()
    lists = use.catalogue.lists
    found = lists.checkpoint(name)
    if found is not None:
        called_so = [rows[key] for key in (str(found.get("model_name")),) if key in rows]
    else:
        called_so = [row for row in rows.values() if name in {row.model_name, row.friendly_name}]
    needed = max((row.needed_role for row in called_so), default=0)
    if role < needed:
        raise CheckpointRestricted(
            f"model_name: this checkpoint needs the role {Role(needed).name} or above."
        )
    may_be_restricted = any(role < row.needed_role for row in rows.values())
    if not lists.checkpoints and name not in rows and may_be_restricted:
        raise UpstreamUnavailable(
            "model_name: Forge has not answered yet, so nobody knows which checkpoint this is.",
            service="forge",
            code="FORGE_UNAVAILABLE",
        )


async def check_checkpoint_of(job: Job) -> None:
    """The same for a job that is there already, which may use none."""
    name = job.parameters.get("model_name")
    if name is not None:
        await check_checkpoint(str(name))
