"""QR codes of links, to be shown on a screen and read by a phone."""

import base64
import io

import segno

_QUIET_ZONE = 4  # modules of white around it, as readers need
_PNG_SCALE = 8
_WHITE_ON_BLACK = "\x1b[97;40m"
_AS_BEFORE = "\x1b[0m"


def svg(link: str) -> str:
    """A whole SVG document, dark on white, that takes the size it is given."""
    stream = io.BytesIO()
    segno.make(link, error="m").save(
        stream, kind="svg", border=_QUIET_ZONE, light="#fff", omitsize=True, xmldecl=False
    )
    return stream.getvalue().decode().strip()


def png_uri(link: str) -> str:
    """A PNG as a `data:` address."""
    stream = io.BytesIO()
    segno.make(link, error="m").save(
        stream, kind="png", border=_QUIET_ZONE, scale=_PNG_SCALE, light="#fff"
    )
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def terminal(link: str) -> str:
    """Lines for a terminal. They bring their colours, as it may be dark or bright."""
    stream = io.StringIO()
    segno.make(link, error="m").terminal(stream, border=_QUIET_ZONE, compact=True)
    lines = stream.getvalue().splitlines()
    return "\n".join(f"{_WHITE_ON_BLACK}{line}{_AS_BEFORE}" for line in lines)
