"""The request models of Forge: its fields, defaults and 422 answers. Checks types only.

Source: `get/openapi.json` of the recordings; FastAPI 0.104 and pydantic 2.8 wrote the errors.
"""

import json
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from app.simulator.errors import ValidationFailed

ModelT = TypeVar("ModelT", bound=BaseModel)


class Generation(BaseModel):
    """What txt2img and img2img share."""

    model_config = ConfigDict(extra="ignore")

    prompt: str | None = ""
    negative_prompt: str | None = ""
    styles: list[str] | None = None
    seed: int | None = -1
    subseed: int | None = -1
    subseed_strength: float | None = 0
    seed_resize_from_h: int | None = -1
    seed_resize_from_w: int | None = -1
    sampler_name: str | None = None
    scheduler: str | None = None
    batch_size: int | None = 1
    n_iter: int | None = 1
    steps: int | None = 50
    cfg_scale: float | None = 7.0
    distilled_cfg_scale: float | None = 3.5
    width: int | None = 512
    height: int | None = 512
    restore_faces: bool | None = None
    tiling: bool | None = None
    do_not_save_samples: bool | None = False
    do_not_save_grid: bool | None = False
    eta: float | None = None
    s_min_uncond: float | None = None
    s_churn: float | None = None
    s_tmax: float | None = None
    s_tmin: float | None = None
    s_noise: float | None = None
    override_settings: dict[str, Any] | None = None
    override_settings_restore_afterwards: bool | None = True
    refiner_checkpoint: str | None = None
    refiner_switch_at: float | None = None
    disable_extra_networks: bool | None = False
    firstpass_image: str | None = None
    comments: dict[str, Any] | None = None
    force_task_id: str | None = None
    hr_distilled_cfg: float | None = 3.5
    sampler_index: str = "Euler"
    script_name: str | None = None
    script_args: list[Any] = []
    send_images: bool = True
    save_images: bool = False
    alwayson_scripts: dict[str, Any] = {}
    infotext: str | None = None


class Txt2Img(Generation):
    """POST /sdapi/v1/txt2img."""

    denoising_strength: float | None = None
    enable_hr: bool | None = False
    firstphase_width: int | None = 0
    firstphase_height: int | None = 0
    hr_scale: float | None = 2.0
    hr_upscaler: str | None = None
    hr_second_pass_steps: int | None = 0
    hr_resize_x: int | None = 0
    hr_resize_y: int | None = 0
    hr_checkpoint_name: str | None = None
    hr_additional_modules: list[Any] | None = None
    hr_sampler_name: str | None = None
    hr_scheduler: str | None = None
    hr_prompt: str | None = ""
    hr_negative_prompt: str | None = ""
    hr_cfg: float | None = 1.0


class Img2Img(Generation):
    """POST /sdapi/v1/img2img."""

    denoising_strength: float = 0.75
    init_images: list[Any] | None = None
    resize_mode: int | None = 0
    image_cfg_scale: float | None = None
    mask: str | None = None
    mask_blur_x: int | None = 4
    mask_blur_y: int | None = 4
    mask_blur: int | None = None
    mask_round: bool | None = True
    inpainting_fill: int | None = 0
    inpaint_full_res: bool | None = True
    inpaint_full_res_padding: int | None = 0
    inpainting_mask_invert: int | None = 0
    initial_noise_multiplier: float | None = None
    latent_mask: str | None = None
    include_init_images: bool = False


class PngInfo(BaseModel):
    """POST /sdapi/v1/png-info."""

    image: str


class TaskProgress(BaseModel):
    """POST /internal/progress."""

    id_task: str = None  # type: ignore[assignment]  # Forge: may be left out, may not be null
    id_live_preview: int = -1
    live_preview: bool = True


def parse_body(raw: bytes, content_type: str) -> object:
    """Gives the JSON value of a request body, or None for an empty one.

    A body of another content type stays text, which no model accepts. Raises
    ValidationFailed for malformed JSON.
    """
    if not raw:
        return None
    if content_type and not _is_json(content_type):
        return raw.decode("utf-8", "replace")
    try:
        # The standard library, as in Forge: it takes NaN and integers of any size, and its
        # texts are shown.
        return json.loads(raw)
    except json.JSONDecodeError as error:
        raise ValidationFailed(
            [
                {
                    "type": "json_invalid",
                    "loc": ["body", error.pos],
                    "msg": "JSON decode error",
                    "input": {},
                    "ctx": {"error": error.msg},
                }
            ]
        ) from error


def validate(kind: type[ModelT], body: object) -> ModelT:
    """Gives the body as this model, or raises ValidationFailed."""
    if body is None:
        raise _missing_body()
    try:
        return cast("ModelT", _adapter(kind).validate_python(body, from_attributes=True))
    except ValidationError as error:
        raise _failed(error) from error


def validate_dict(body: object) -> dict[str, Any]:
    """Gives the body as an object with any content, or raises ValidationFailed."""
    if body is None:
        raise _missing_body()
    try:
        return _dict_adapter().validate_python(body)
    except ValidationError as error:
        raise _failed(error) from error


@cache
def _adapter(kind: type[BaseModel]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


@cache
def _dict_adapter() -> TypeAdapter[dict[str, Any]]:
    return TypeAdapter(dict[str, Any])


def _is_json(content_type: str) -> bool:
    subtype = content_type.split(";", maxsplit=1)[0].strip().lower().removeprefix("application/")
    return subtype == "json" or subtype.endswith("+json")


def _missing_body() -> ValidationFailed:
    return ValidationFailed(
        [
            {
                "type": "missing",
                "loc": ["body"],
                "msg": "Field required",
                "input": None,
                "url": "https://errors.pydantic.dev/2.8/v/missing",
            }
        ]
    )


def _failed(error: ValidationError) -> ValidationFailed:
    entries = []
    for entry in error.errors(include_url=False):
        shown: dict[str, object] = {
            "type": entry["type"],
            "loc": ["body", *entry["loc"]],
            "msg": entry["msg"],
            "input": entry["input"],
        }
        if "ctx" in entry:
            shown["ctx"] = {key: str(value) for key, value in entry["ctx"].items()}
        shown["url"] = f"https://errors.pydantic.dev/2.8/v/{entry['type']}"
        entries.append(shown)
    return ValidationFailed(entries)
