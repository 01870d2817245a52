"""`navigator invite`: links that let friends in."""

from pathlib import Path

import click
from click.core import ParameterSource

from app.cli.admin_api import AdminApi, JsonObject, call
from app.cli.links import link_options, show_link
from app.cli.options import common, role_choice, role_name, role_number
from app.cli.printing import moment, show, show_json, table
from app.cli.running import exits
from app.errors import NavigatorError

_PATH = "/api/admin/invitations"
_DAY_S = 86400
# Those that a sub-command takes over from `navigator invite`.
_SHARED = {"data_dir", "as_json"}


@click.group(invoke_without_command=True)
@click.option("--name", default="", help="What the friend will be called.")
@click.option("--role", type=role_choice(), default="apprentice", show_default=True)
@click.option(
    "--uses", type=click.IntRange(1, 1000), default=1, show_default=True, help="For how many."
)
@click.option(
    "--days", type=click.IntRange(1, 366), default=7, show_default=True, help="How long it lasts."
)
@click.option("--never-expires", is_flag=True, help="It lasts until you withdraw it.")
@click.option("--ask-me", is_flag=True, help="Who comes with it waits until you approve them.")
@link_options
@common
@click.pass_context
def invite(
    context: click.Context,
    *,
    name: str,
    role: str,
    uses: int,
    days: int,
    never_expires: bool,
    ask_me: bool,
    qr: bool,
    svg: Path | None,
    png: Path | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Make a link that lets a friend in, whether the server runs or not."""
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        context.obj = (data_dir, as_json)
        return
    if never_expires and _is_given(context, "days"):
        raise click.UsageError("--days goes without --never-expires.")
    wanted: JsonObject = {
        "name": name,
        "role": role_number(role),
        "uses": uses,
        "expires_in_s": None if never_expires else days * _DAY_S,
        "preapproved": not ask_me,
    }
    with exits():
        made = call(data_dir, lambda api: api.call("POST", _PATH, wanted))
        show_link(made, as_json=as_json, qr=qr, svg=svg, png=png)


@invite.command("list")
@common
@click.pass_obj
def list_(above: tuple[Path | None, bool], data_dir: Path | None, as_json: bool) -> None:
    """List the invitations, also those that are no good any more."""
    with exits():
        found = call(data_dir or above[0], lambda api: api.pages(_PATH, "invitations"))
        if as_json or above[1]:
            show_json(found)
            return
        titles = ("ID", "NAME", "ROLE", "USED", "STATE", "MADE", "UNTIL")
        show(table(titles, [_row(one) for one in found["invitations"]]))


@invite.command()
@click.argument("invitation_id", metavar="ID")
@common
@click.pass_obj
def withdraw(
    above: tuple[Path | None, bool], invitation_id: str, data_dir: Path | None, as_json: bool
) -> None:
    """Make an invitation useless. Who came with it stays."""

    async def ask(api: AdminApi) -> JsonObject:
        if not (invitation_id.isascii() and invitation_id.isalnum()):
            raise NavigatorError("There is no such invitation.")
        return await api.call("DELETE", f"{_PATH}/{invitation_id}")

    with exits():
        told = call(data_dir or above[0], ask)
        if as_json or above[1]:
            show_json(told)
        else:
            show(f"The invitation {invitation_id} is good for nothing any more.")


def _row(one: JsonObject) -> tuple[str | None, ...]:
    is_way_back = one["user_id"] is not None
    return (
        one["id"],
        one["name"] or one["user_id"],
        role_name(one["role"]),
        f"{one['uses']} of {one['max_uses']}",
        _state(one) + (", a way back in" if is_way_back else ""),
        moment(one["created_at"]),
        moment(one["expires_at"]) or "never",
    )


def _state(one: JsonObject) -> str:
    from datetime import UTC, datetime

    if one["revoked_at"] is not None:
        return "withdrawn"
    if one["uses"] >= one["max_uses"]:
        return "used"
    if one["expires_at"] and datetime.fromisoformat(one["expires_at"]) <= datetime.now(UTC):
        return "expired"
    return "good" if one["preapproved"] else "good, asks you"


def _refuse_options(context: click.Context) -> None:
    """What is for a new invitation means nothing to a sub-command."""
    for parameter in context.command.params:
        if parameter.name not in _SHARED and _is_given(context, str(parameter.name)):
            raise click.UsageError(
                f"{parameter.opts[0]} goes without {context.invoked_subcommand}."
            )


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is not ParameterSource.DEFAULT
