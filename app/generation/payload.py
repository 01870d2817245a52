"""Builds the bodies of Forge's generation requests. Pure: data in, data out."""

import base64
import math
from typing import Any

from app.generation.parameters import Txt2ImgParameters

ONE_PASS_MAX_PIXELS = 1_048_576
_LARGE_SECOND_PASS_MAX_STEPS = 30
_HIRES_DENOISING_STRENGTH = 0.35
# Positional arguments of the two scripts [txt2img/success_alwayson_freeu_sag].
ENHANCEMENTS: dict[str, Any] = {
    "FreeU Integrated (SD 1.x, SD 2.x, SDXL)": {"args": [True, 1.1, 1.2, 0.6, 0.4, 0, 1]},
    "SelfAttentionGuidance Integrated (SD 1.x, SD 2.x, SDXL)": {"args": [True, 0.5, 2, 1]},
}


def txt2img_payload(
    parameters: Txt2ImgParameters,
    *,
    task_id: str,
    upscaler: str | None,
    has_modules: bool = True,
    firstpass_image: bytes | None = None,
) -> dict[str, Any]:
    """The body of POST `/sdapi/v1/txt2img`.

    `upscaler` is the one to use for a second pass. `has_modules` False leaves out what only Forge
    knows. `firstpass_image` holds the bytes of a picture that replaces the first
    pass, for a Forge with our patch. With a second pass `hr_cfg` is always sent: its default of 1
    would ignore the negative prompt (forge recordings, section 1).
    """
    modules = parameters.modules or []
    override: dict[str, Any] = {"sd_model_checkpoint": parameters.model_name}
    payload: dict[str, Any] = {
        "prompt": parameters.prompt,
        "negative_prompt": parameters.negative_prompt or "",
        "seed": parameters.seed,
        "steps": parameters.steps,
        "width": parameters.width,
        "height": parameters.height,
        "cfg_scale": parameters.cfg_scale,
        "sampler_name": parameters.sampler_name,
        "scheduler": parameters.scheduler_name,
        "enable_hr": False,
        "save_images": False,
        "override_settings": override,
        "override_settings_restore_afterwards": False,
        "force_task_id": task_id,
    }
    if has_modules:
        override["forge_additional_modules"] = modules
        payload["distilled_cfg_scale"] = parameters.distilled_cfg
        payload["hr_additional_modules"] = modules
    if upscaler is not None:
        payload["hr_upscaler"] = upscaler
    if parameters.denoising_strength > 0:
        payload["denoising_strength"] = parameters.denoising_strength
    if parameters.subseed is not None and parameters.subseed_strength is not None:
        payload["subseed"] = parameters.subseed
        payload["subseed_strength"] = parameters.subseed_strength
    if parameters.image_enhancements:
        payload["alwayson_scripts"] = ENHANCEMENTS
    if firstpass_image is not None:
        payload["firstpass_image"] = base64.b64encode(firstpass_image).decode()
    _add_second_pass(payload, parameters, has_modules=has_modules)
    return payload


def _add_second_pass(
    payload: dict[str, Any], parameters: Txt2ImgParameters, *, has_modules: bool
) -> None:
    """The high-resolution fix: asked for (doubles both sides), or because one pass at that size
    would repeat the motif (halves both sides first)."""
    width, height = parameters.width, parameters.height
    if parameters.force_hr_fix:
        target = (2 * width, 2 * height)
        steps = min(parameters.hrf_steps or parameters.steps, parameters.steps)
    elif parameters.pixels > ONE_PASS_MAX_PIXELS:
        target = (width, height)
        steps = min(parameters.steps, _LARGE_SECOND_PASS_MAX_STEPS)
        payload["width"], payload["height"] = math.ceil(width / 2), math.ceil(height / 2)
    else:
        return
    payload["enable_hr"] = True
    payload["hr_resize_x"], payload["hr_resize_y"] = target
    payload["hr_second_pass_steps"] = steps
    payload["hr_cfg"] = parameters.cfg_scale
    if has_modules:
        payload["hr_distilled_cfg"] = parameters.distilled_cfg
    payload.setdefault("denoising_strength", _HIRES_DENOISING_STRENGTH)
