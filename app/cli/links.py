"""Shows a link that lets somebody in, with its QR code. It is shown this once only."""

import base64
import os
import sys
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from app.cli.admin_api import JsonObject
from app.cli.options import role_name
from app.cli.printing import moment, show, show_json, warn
from app.errors import NavigatorError

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path, dir_okay=False, writable=True)


def link_options(command: F) -> F:
    """`--qr`, `--svg` and `--png`."""
    for option in (
        click.option("--png", type=_FILE, metavar="FILE", help="Save the QR code as a picture."),
        click.option("--svg", type=_FILE, metavar="FILE", help="Save the QR code as a drawing."),
        click.option("--qr", is_flag=True, help="Print the QR code, also into a file."),
    ):
        command = option(command)
    return command


def show_link(
    link: JsonObject, *, as_json: bool, qr: bool, svg: Path | None, png: Path | None
) -> None:
    """Prints a `NewInvitation` of the API's, and saves its code where it is wanted.

    Raises `NavigatorError` when that cannot be done; then the link was printed.
    """
    if as_json:
        show_json(link)
    else:
        show(str(link["link"]))
        if qr or sys.stdout.isatty():
            _show_code(str(link["link"]))
        show(_described(link))
    if is_local(str(link["link"])):
        warn(
            "this link only works on this computer; start Navigator with --lan or set PUBLIC_URL,"
            " and make another one."
        )
    if svg is not None:
        _save(svg, str(link["qr_svg"]).encode())
    if png is not None:
        _save(png, base64.b64decode(str(link["qr_png"]).partition(",")[2]))


def is_local(link: str) -> bool:
    """Whether no other machine can open it."""
    host = urlsplit(link).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost"


def _show_code(link: str) -> None:
    from app.web.qr import terminal

    show(terminal(link))


def _described(link: JsonObject) -> str:
    """What it is good for, and until when."""
    until = moment(link["expires_at"])
    lasts = "until you withdraw it" if until is None else f"until {until}"
    if link["user_id"] is not None:
        return f"Lets {link['name'] or link['user_id']} back in, once, {lasts}."
    uses = int(link["max_uses"])
    whom = "one friend" if uses == 1 else f"up to {uses} friends"
    if link["name"]:
        whom += f" by the name of {link['name']}"
    asks = "" if link["preapproved"] else ", each after you approved them"
    return (
        f"Lets {whom} in as {role_name(link['role'])}{asks}, {lasts}."
        f" To withdraw it: navigator invite withdraw {link['id']}"
    )


def _save(path: Path, content: bytes) -> None:
    try:
        # Whoever can read the file can come in.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - with the rights from above
            file.write(content)
    except OSError as error:
        raise NavigatorError(f"{path} cannot be written ({error.strerror}).") from error
