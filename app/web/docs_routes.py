"""The description of this API, and a page that shows it."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any, cast

from quart import Blueprint, Response, current_app, request

from app.errors import NotFound
from app.web.access import public
from app.web.documentation import Content, answers, fails
from app.web.openapi import Specification

EXTENSION = "navigator.openapi"

blueprint = Blueprint("documentation", __name__)

_STATIC = Path(__file__).parent / "static"
# Everything that may be asked for, with its media type.
_FILES = {
    "docs.js": ("docs/docs.js", "text/javascript; charset=utf-8"),
    "favicon-32x32.png": ("swagger-ui/favicon-32x32.png", "image/png"),
    "swagger-ui.css": ("swagger-ui/swagger-ui.css", "text/css; charset=utf-8"),
    "swagger-ui-bundle.js": ("swagger-ui/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
}
# Nothing is loaded from elsewhere, and nothing runs that is not a file of ours. Swagger UI's icons
# are `data:`, and it shows answered pictures as `blob:`.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_TAGGED = {"ETag": "Of the content; answered with 304 in `If-None-Match`."}


@blueprint.get("/openapi.json")
@public
@answers(dict[str, Any], description="This description, as OpenAPI 3.1.", headers=_TAGGED)
@answers(status=304, description="It has not changed.")
async def get_openapi() -> Response:
    """This description, as OpenAPI 3.1."""
    specification = cast("Specification", current_app.extensions[EXTENSION])
    content = await asyncio.to_thread(lambda: specification.content)
    return await _tagged(content, "application/json")


@blueprint.get("/docs")
@public
@answers(Content("text/html"), description="The page.", headers=_TAGGED)
@answers(status=304, description="It has not changed.")
async def get_docs() -> Response:
    """A page that shows this description, and lets you try it."""
    content = await asyncio.to_thread((_STATIC / "docs" / "index.html").read_bytes)
    response = await _tagged(content, "text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@blueprint.get("/docs/<name>")
@public
@answers(
    Content("text/javascript", "text/css", "image/png"), description="The file.", headers=_TAGGED
)
@answers(status=304, description="It has not changed.")
@fails(NotFound)
async def get_docs_file(name: str) -> Response:
    """A script, style or icon of the page `/docs`."""
    if name not in _FILES:
        raise NotFound("There is no such file.", code="UNKNOWN_ROUTE")
    path, media_type = _FILES[name]
    return await _tagged(await asyncio.to_thread((_STATIC / path).read_bytes), media_type)


async def _tagged(content: bytes, media_type: str) -> Response:
    """`content`, or 304 if the client has it. Browsers ask each time, so updates show at once."""
    response = Response(content, content_type=media_type)
    response.set_etag(hashlib.sha256(content).hexdigest())
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return await response.make_conditional(request)
