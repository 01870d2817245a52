"""Small pictures of models, as CivitAI shows them, from our own disk."""

import asyncio
from typing import Any

from quart import Blueprint, Response, request

from app.errors import NotFound
from app.scaling import MEDIA_TYPE
from app.web.access import shows_picture
from app.web.documentation import Content, answers, fails
from app.web.services import services

blueprint = Blueprint("model previews", __name__)

_CACHE_CONTROL = "private, max-age=86400"


@blueprint.get("/api/models/previews/<file_hash>")
@shows_picture
@answers(Content(MEDIA_TYPE), description="At most 450 pixels wide or high.")
@fails(NotFound)
async def get_model_preview(file_hash: str) -> Response:
    """The picture of a LoRA or a checkpoint; the first time it is fetched from CivitAI."""
    version = services().metadata.version(file_hash)
    path = None
    if version is not None:
        path = await services().model_previews.get(file_hash, version)
    if path is None:
        raise NotFound("There is no picture of this model.")
    try:
        content = b"" if request.method == "HEAD" else await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise NotFound("There is no picture of this model.") from error
    return Response(content, headers={"Content-Type": MEDIA_TYPE, "Cache-Control": _CACHE_CONTROL})


def told_of_version(file_hash: str, version: dict[str, Any]) -> dict[str, Any]:
    """What clients are told of a checkpoint that CivitAI knows."""
    model, words = version.get("model"), version.get("trainedWords")
    name = model.get("name") if isinstance(model, dict) else None
    return {
        "civitai_name": str(name or version.get("name") or ""),
        "trained_words": [str(word) for word in words] if isinstance(words, list) else [],
        "preview": f"/api/models/previews/{file_hash}" if version.get("images") else None,
    }
