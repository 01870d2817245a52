"""Builds the bodies of Forge's generation requests. Pure: data in, data out."""

import base64
import math
from typing import Any

from app.generation.parameters import DrawingParameters, Txt2ImgParameters

ONE_PASS_MAX_PIXELS = 1_048_576
_LARGE_SECOND_PASS_MAX_STEPS = 30
HIRES_DENOISING_STRENGTH = 0.35
_IMG2IMG_MAX_STEPS = 75
# Positional arguments of the two scripts [txt2img/success_alwayson_freeu_sag].
ENHANCEMENTS: dict[str, Any] = {
    "FreeU Integrated (SD 1.x, SD 2.x, SDXL)": {"args": [True, 1.1, 1.2, 0.6, 0.4, 0, 1]},
    "SelfAttentionGuidance Integrated (SD 1.x, SD 2.x, SDXL)": {"args": [True, 0.5, 2, 1]},
}


# What a mask is used with (contract, section 3.9).
INPAINTING: dict[str, Any] = {
    "initial_noise_multiplier": 1,
    "inpaint_full_res": 1,
    "mask_blur": 4,
    "mask_blur_x": 4,
    "mask_blur_y": 4,
    "mask_round": True,
    "inpainting_fill": 1,
    "inpaint_full_res_padding": 32,
    "inpainting_mask_invert": 0,
    "image_cfg_scale": 1.5,
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
    payload = _payload(parameters, task_id=task_id, has_modules=has_modules)
    payload["enable_hr"] = False
    if has_modules:
        payload["hr_additional_modules"] = parameters.modules or []
    if upscaler is not None:
        payload["hr_upscaler"] = upscaler
    if parameters.denoising_strength > 0:
        payload["denoising_strength"] = parameters.denoising_strength
    if firstpass_image is not None:
        payload["firstpass_image"] = base64.b64encode(firstpass_image).decode()
    _add_second_pass(payload, parameters, has_modules=has_modules)
    return payload


def img2img_payload(
    parameters: DrawingParameters,
    *,
    task_id: str,
    init_image: bytes,
    mask: bytes | None = None,
    has_modules: bool = True,
) -> dict[str, Any]:
    """The body of POST `/sdapi/v1/img2img`; the pictures are bytes of PNGs.

    Without a mask its key is left out: an empty one makes Forge fail [img2img/mask_empty_string].
    """
    payload = _payload(parameters, task_id=task_id, has_modules=has_modules)
    payload["steps"] = min(parameters.steps, _IMG2IMG_MAX_STEPS)
    payload["denoising_strength"] = parameters.denoising_strength
    payload["init_images"] = [base64.b64encode(init_image).decode()]
    if mask is not None:
        payload |= INPAINTING
        payload["mask"] = base64.b64encode(mask).decode()
    return payload


def _payload(parameters: DrawingParameters, *, task_id: str, has_modules: bool) -> dict[str, Any]:
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
        "save_images": False,
        "override_settings": override,
        "override_settings_restore_afterwards": False,
        "force_task_id": task_id,
    }
    if has_modules:
        override["forge_additional_modules"] = parameters.modules or []
        payload["distilled_cfg_scale"] = parameters.distilled_cfg
    if parameters.subseed is not None and parameters.subseed_strength is not None:
        payload["subseed"] = parameters.subseed
        payload["subseed_strength"] = parameters.subseed_strength
    if parameters.image_enhancements:
        payload["alwayson_scripts"] = ENHANCEMENTS
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
    payload.setdefault("denoising_strength", HIRES_DENOISING_STRENGTH)
