"""What belongs to a picture besides its bytes (those: `image_files.py`)."""

from typing import Any

from quart import Blueprint, Response
from quart_schema import security_scheme

from app.errors import NotFound, UpstreamUnavailable
from app.web.access import caller_if_any, public
from app.web.answers import ImageInfo
from app.web.documentation import Content, answers, fails
from app.web.services import services

blueprint = Blueprint("images", __name__)

_SIGNATURES = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"RIFF", "image/webp"))


@blueprint.get("/api/images/<image_id>/info")
@public
@security_scheme([{}, {"bearer": []}, {"superuser": []}])
@answers(ImageInfo)
@fails(NotFound, UpstreamUnavailable)
async def get_image_info(image_id: str) -> dict[str, Any]:
    """Infotext and parsed parameters, so that a shared picture can be recalled.

    The owner's id is shown to the owner and to administrators only.
    """
    image = await services().gallery.find(image_id)
    if image is None:
        raise NotFound("Image not found", code="IMAGE_NOT_FOUND")
    parameters = dict(image.parameters)
    caller = await caller_if_any()
    if caller is not None and caller.may_use(image.owner_id):
        parameters["owner_id"] = image.owner_id
    return {"info": image.infotext, "items": {}, "parameters": parameters}


@blueprint.get("/api/previews/<job_id>")
@public
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
