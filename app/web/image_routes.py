"""What belongs to a picture besides its bytes (those: `image_files.py`)."""

from html import escape
from typing import Any
from urllib.parse import quote

from quart import Blueprint, Response, request
from quart_schema import security_scheme

from app.errors import NotFound, UpstreamUnavailable
from app.generation.stored_pictures import image_missing
from app.web.access import caller_if_any, public, shows_picture
from app.web.documentation import OPTIONAL_LOGIN, Content, answers, fails
from app.web.gallery_answers import ImageInfo
from app.web.services import services

blueprint = Blueprint("images", __name__)

_EMBED = """\
<!DOCTYPE html>
<html lang="en">
<head>
<title>Navigator picture</title>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="theme-color" content="#0095ff">
<meta property="og:title" content="A picture">
<meta property="og:description" content="Served by Navigator">
<meta property="og:type" content="website">
<meta property="og:site_name" content="Navigator">
<meta property="og:url" content="{address}">
<meta property="og:image" content="{address}">
<meta property="og:image:width" content="{width}">
<meta property="og:image:height" content="{height}">
<meta name="twitter:card" content="summary_large_image">
<meta name="twitter:image" content="{address}">
</head>
<body><a href="{address}"><img src="{address}" alt="The picture"></a></body>
</html>
"""
_EMBED_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'",
    "X-Content-Type-Options": "nosniff",
}
_SIGNATURES = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"RIFF", "image/webp"))


@blueprint.get("/api/images/<image_id>/info")
@public
@security_scheme(OPTIONAL_LOGIN)
@answers(ImageInfo)
@fails(NotFound, UpstreamUnavailable)
async def get_image_info(image_id: str) -> dict[str, Any]:
    """Infotext and parsed parameters, so that a shared picture can be recalled.

    The owner's id is shown to the owner and to administrators only.
    """
    image = await services().gallery.find(image_id)
    if image is None:
        raise image_missing()
    parameters = dict(image.parameters)
    caller = await caller_if_any()
    if caller is not None and caller.may_use(image.owner_id):
        parameters["owner_id"] = image.owner_id
    return {"info": image.infotext, "items": {}, "parameters": parameters}


@blueprint.get("/embed/<image_id>")
@shows_picture
@answers(Content("text/html"), description="The page.")
@fails(NotFound, UpstreamUnavailable)
async def get_embed(image_id: str) -> Response:
    """A page for messengers, which show the picture that it names beside a link to it."""
    image = await services().gallery.find(image_id)
    if image is None:
        raise NotFound("Job not found", code="IMAGE_NOT_FOUND")
    origin = await services().hosts.origin(request.scope)  # type: ignore[arg-type]
    address = escape(f"{origin}/api/images/{quote(image.id)}")
    page = _EMBED.format(address=address, width=image.width, height=image.height)
    return Response(page, content_type="text/html; charset=utf-8", headers=_EMBED_HEADERS)


@blueprint.get("/api/previews/<job_id>")
@shows_picture
@answers(Content("image/png", "image/jpeg", "image/webp", "application/octet-stream"))
@fails(NotFound)
async def get_preview(job_id: str) -> Response:
    """The latest preview of a recent job."""
    preview = services().previews.get(job_id.removesuffix(".png"))
    if preview is None:
        raise NotFound("Preview not found", code="PREVIEW_NOT_FOUND")
    media_type = next((kind for start, kind in _SIGNATURES if preview.startswith(start)), None)
    return Response(
        preview,
        content_type=media_type or "application/octet-stream",
        headers={"Cache-Control": "no-store"},
    )
