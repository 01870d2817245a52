"""`navigator users`: who may come in, and every decision about them."""

from pathlib import Path

import click

from app.cli.admin_api import AdminApi, JsonObject, call
from app.cli.links import link_options, show_link
from app.cli.named_users import find_user, user_path
from app.cli.options import common, role_choice, role_name, role_number
from app.cli.printing import moment, show, show_json, table
from app.cli.running import exits

_PATH = "/api/admin/users"
STATES = ("pending", "approved", "disabled", "forgotten", "unknown")
_HOUR_S = 3600
_DEFAULT_ENTRIES = 50

_whom = click.argument("user", metavar="ID")


@click.group()
def users() -> None:
    """See and decide who may come in, whether the server runs or not.

    An ID may also be the name of a user, if nobody else has it.
    """


@users.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--search", metavar="TEXT", help="Only those with this in their name or id.")
@common
def list_(state: str | None, search: str | None, data_dir: Path | None, as_json: bool) -> None:
    """List the users, newest first."""
    wanted = {"state": state, "search": search}
    query: JsonObject = {name: text for name, text in wanted.items() if text is not None}
    with exits():
        found = call(data_dir, lambda api: api.pages(_PATH, "users", **query))
        if as_json:
            show_json(found)
            return
        titles = ("ID", "NAME", "ROLE", "STATE", "LAST LOGIN", "KNOCKED")
        show(table(titles, [_row(user) for user in found["users"]]))


@users.command("show")
@_whom
@common
def show_(user: str, data_dir: Path | None, as_json: bool) -> None:
    """Show what is known of a user."""
    with exits():
        found = call(data_dir, lambda api: find_user(api, user))
        if as_json:
            show_json(found)
            return
        for title, value in (
            ("Id", found["id"]),
            ("Name", found["name"]),
            ("Role", role_name(found["role"])),
            ("State", found["state"]),
            ("Comes by", found["provider"]),
            ("Knocked", moment(found["knocked_at"])),
            ("From", found["knock_address"]),
            ("Last login", moment(found["last_login_at"])),
            ("Known since", moment(found["created_at"])),
        ):
            show(f"{title + ':':<13}{value or '-'}")


@users.command()
@_whom
@click.option(
    "--role", type=role_choice(), help="If not said: that of their invitation, or apprentice."
)
@common
def approve(user: str, role: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Let a user in. Somebody who is in keeps a higher role."""
    body = {} if role is None else {"role": role_number(role)}
    decided = _decide(data_dir, user, "approve", body)
    _told(decided, as_json, f"may come in, as {role_name(decided['role'])}")


@users.command()
@_whom
@common
def deny(user: str, data_dir: Path | None, as_json: bool) -> None:
    """Refuse a user who asks to come in."""
    _told(_decide(data_dir, user, "deny"), as_json, "is refused")


@users.command()
@_whom
@common
def disable(user: str, data_dir: Path | None, as_json: bool) -> None:
    """Shut a user out, at once."""
    _told(_decide(data_dir, user, "disable"), as_json, "is shut out")


@users.command()
@_whom
@click.argument("role", type=role_choice())
@common
def role(user: str, role: str, data_dir: Path | None, as_json: bool) -> None:
    """Give a user another role."""
    decided = _decide(data_dir, user, "role", {"role": role_number(role)})
    _told(decided, as_json, f"is {role_name(decided['role'])} now")


@users.command("sign-out")
@_whom
@common
def sign_out(user: str, data_dir: Path | None, as_json: bool) -> None:
    """End all logins of a user. They may log in again."""
    _told(_decide(data_dir, user, "sign-out"), as_json, "is signed out everywhere")


@users.command()
@_whom
@click.option("--pictures", is_flag=True, help="Their pictures go too.")
@click.option("--yes", is_flag=True, help="Do not ask whether you are sure.")
@common
def forget(user: str, pictures: bool, yes: bool, data_dir: Path | None, as_json: bool) -> None:
    """Erase what is known of a user, and shut them out."""

    async def erase(api: AdminApi) -> JsonObject:
        path = user_path(found["id"])
        await api.call("DELETE", path, pictures=str(pictures).lower())
        return await api.call("GET", path)

    with exits():
        found = call(data_dir, lambda api: find_user(api, user))
        kept = "their pictures go too" if pictures else "their pictures stay"
        # Asked in between, so that no lock is held while somebody thinks about it.
        if not yes:
            click.confirm(f"Forget {_called(found)}; {kept}?", abort=True, err=True)
        forgotten = call(data_dir, erase)
    _told(forgotten, as_json, "is forgotten")


@users.command()
@_whom
@click.option(
    "--hours", type=click.IntRange(1, 8784), default=1, show_default=True, help="How long it lasts."
)
@link_options
@common
def link(
    *,
    user: str,
    hours: int,
    qr: bool,
    svg: Path | None,
    png: Path | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Make a link with which a user gets back into their account, once."""
    with exits():
        made = _decide(data_dir, user, "login-link", {"expires_in_s": hours * _HOUR_S})
        show_link(made, as_json=as_json, qr=qr, svg=svg, png=png)


@users.command()
@click.option("--of", "user", metavar="ID", help="Only what was done to this user.")
@click.option("--limit", type=click.IntRange(1), default=_DEFAULT_ENTRIES, show_default=True)
@common
def log(user: str | None, limit: int, data_dir: Path | None, as_json: bool) -> None:
    """Show who did what to whom, newest first."""

    async def ask(api: AdminApi) -> JsonObject:
        subject: JsonObject = (
            {} if user is None else {"subject": (await find_user(api, user))["id"]}
        )
        return await api.pages("/api/admin/audit", "entries", limit=limit, **subject)

    with exits():
        found = call(data_dir, ask)
        if as_json:
            show_json(found)
            return
        titles = ("WHEN", "WHO", "FROM", "WHAT", "WHOM", "DETAILS")
        show(table(titles, [_entry(entry) for entry in found["entries"]]))


def _decide(
    data_dir: Path | None, user: str, verb: str, body: JsonObject | None = None
) -> JsonObject:
    async def ask(api: AdminApi) -> JsonObject:
        found = await find_user(api, user)
        return await api.call("POST", f"{user_path(found['id'])}/{verb}", body)

    with exits():
        return call(data_dir, ask)


def _told(user: JsonObject, as_json: bool, outcome: str) -> None:
    if as_json:
        show_json(user)
    else:
        show(f"{_called(user)} {outcome}.")


def _called(user: JsonObject) -> str:
    return f"{user['name']} ({user['id']})" if user["name"] else str(user["id"])


def _row(user: JsonObject) -> tuple[str | None, ...]:
    return (
        user["id"],
        user["name"],
        role_name(user["role"]),
        user["state"],
        moment(user["last_login_at"]),
        moment(user["knocked_at"]),
    )


def _entry(entry: JsonObject) -> tuple[str | None, ...]:
    details = ", ".join(f"{name}={value}" for name, value in entry["details"].items())
    when = moment(entry["happened_at"])
    return when, entry["actor"], entry["address"], entry["action"], entry["subject"], details
