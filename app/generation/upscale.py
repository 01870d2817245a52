"""The parameters of an upscale, read from what a finished picture says of itself. Pure."""

from typing import Any

from pydantic import ValidationError

from app.clients.forge_lists import ForgeLists
from app.errors import InvalidInput
from app.generation.models import Image
from app.generation.parameters import DEFAULT_SAMPLER, Txt2ImgParameters, UpscaleRequest

_MODULE_SUFFIXES = ("", ".safetensors", ".sft", ".pt", ".ckpt", ".bin", ".gguf")


def upscale_of(
    image: Image, chosen: UpscaleRequest, lists: ForgeLists, *, max_pixels: int
) -> Txt2ImgParameters:
    """What draws the picture at twice its width and height, with itself as the first pass.

    `categoryId` is left out: whose category it is the caller must check. Raises `InvalidInput`
    when the result would be too large, or when the picture does not say how it was made.
    """
    said = image.parameters
    if 4 * image.width * image.height > max_pixels:
        raise InvalidInput("Image is too large to upscale", code="TOO_LARGE_TO_UPSCALE")
    steps = said.get("Steps")
    asked: dict[str, Any] = {
        "model_name": _checkpoint(said, lists),
        "prompt": said.get("Prompt"),
        "negative_prompt": said.get("Negative prompt"),
        "width": image.width,
        "height": image.height,
        "steps": steps,
        "hrf_steps": chosen.hrf_steps or steps,
        "seed": said.get("Seed"),
        "cfg_scale": said.get("CFG scale"),
        "distilled_cfg": said.get("Distilled CFG Scale", said.get("distilled_cfg")),
        "sampler_name": said.get("Sampler", DEFAULT_SAMPLER),
        "scheduler_name": said.get("Schedule type"),
        "subseed": said.get("Variation seed"),
        "subseed_strength": said.get("Variation seed strength"),
        "denoising_strength": chosen.denoising_strength,
        "upscaler_name": chosen.upscaler_name,
        "image_enhancements": "freeu_enabled" in said or "sag_enabled" in said,
        "modules": _modules(said, lists),
        "force_hr_fix": True,
        "first_pass": image.id,
        "first_pass_repeats": _is_plain(image),
    }
    given = {name: value for name, value in asked.items() if value not in (None, "", [])}
    given = {"prompt": "", "negative_prompt": ""} | given
    try:
        parameters = Txt2ImgParameters.model_validate(given)
    except ValidationError as error:
        raise InvalidInput(
            "This picture does not say how it was made, so it cannot be upscaled.",
            code="UNKNOWN_ORIGIN",
        ) from error
    return parameters.checked(lists, max_pixels=max_pixels)


def _checkpoint(said: dict[str, Any], lists: ForgeLists) -> str | None:
    """By its name; a file that was renamed is found by its hash."""
    name, hash_ = said.get("Model"), said.get("Model hash")
    if name and lists.checkpoint(str(name)) is None and hash_:
        renamed = lists.checkpoint(str(hash_))
        if renamed is not None:
            return str(renamed["model_name"])
    return name


def _modules(said: dict[str, Any], lists: ForgeLists) -> list[str]:
    """The infotext leaves the suffixes of file names out."""
    stems: list[str] = []
    while (stem := said.get(f"Module {len(stems) + 1}")) is not None:
        stems.append(str(stem))
    return [_module_file(stem, lists) for stem in stems]


def _module_file(stem: str, lists: ForgeLists) -> str:
    candidates = [stem + suffix for suffix in _MODULE_SUFFIXES]
    found = next((name for name in candidates if lists.module(name) is not None), None)
    return found or stem + ".safetensors"


def _is_plain(image: Image) -> bool:
    """Whether one pass from the prompt alone gives this very picture again."""
    said = image.parameters
    if "Hires upscaler" in said or "Hires steps" in said or "Denoising strength" in said:
        return False
    return (said.get("Size-1"), said.get("Size-2")) == (str(image.width), str(image.height))
