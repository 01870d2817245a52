"""What a client may ask for, checked; and its names looked up in Forge's lists.

Sizes are in pixels. Zero means the default for width, height, steps and cfg_scale, and is a value
for seeds and strengths. Numbers may come as text.
"""

import math
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.clients.forge_lists import ForgeLists
from app.errors import InvalidInput

DEFAULT_SAMPLER = "DPM++ 2M"
DEFAULT_SCHEDULER = "automatic"
_MAX_WHOLE = 2**53 - 1  # what a client in JavaScript can hold exactly
_MAX_SIDE = 16_384
_MAX_PROMPT_CHARS = 50_000


def _number(value: object) -> object:
    """Takes numbers and numeric text; refuses what pydantic would bend into one."""
    if isinstance(value, str):
        text = value.strip()
        if "_" in text:  # 1_000 is a number to Python only
            raise ValueError("must be a number")
        try:
            value = float(text) if not text.lstrip("+-").isdigit() else int(text)
        except ValueError as error:
            raise ValueError("must be a number") from error
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be a finite number")
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _whole(value: object) -> object:
    number = _number(value)
    if isinstance(number, float):
        raise ValueError("must be a whole number")
    return number


def _switch(value: object) -> object:
    """Takes booleans and their words; anything else is refused."""
    if isinstance(value, str) and value.strip().lower() in {"true", "false", "1", "0", ""}:
        return value.strip().lower() in {"true", "1"}
    if isinstance(value, bool) or value in (0, 1):
        return bool(value)
    raise ValueError("must be true or false")


def _text(value: object) -> object:
    if isinstance(value, str) and "\0" in value:
        raise ValueError("must not contain NUL characters")
    return value


Number = Annotated[int | float, BeforeValidator(_number)]
Whole = Annotated[int, BeforeValidator(_whole)]
Switch = Annotated[bool, BeforeValidator(_switch)]
Prompt = Annotated[str, BeforeValidator(_text), Field(max_length=_MAX_PROMPT_CHARS)]
Name = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=255)]
Strength = Annotated[Number, Field(ge=0, le=1)]
Seed = Annotated[Whole, Field(ge=-1, le=_MAX_WHOLE)]

_DEFAULTS_FOR_ZERO = {
    "width": 512, "height": 512, "steps": 50, "cfg_scale": 7, "distilled_cfg": 3.5,
}  # fmt: skip
_MAY_NOT_BE_EMPTY = ("model_name", "prompt", "sampler_name", "scheduler_name", "upscaler_name")


class Txt2ImgParameters(BaseModel):
    """What a txt2img job is made of, by its wire names; stored with the job.

    `hrf_steps` are the steps of the second pass of the high-resolution fix, `force_hr_fix` doubles
    both sides, `image_enhancements` switches FreeU and self-attention guidance on.
    """

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, protected_namespaces=())

    model_name: Name
    prompt: Prompt
    negative_prompt: Prompt | None = None
    width: Whole = Field(512, ge=64, le=_MAX_SIDE)
    height: Whole = Field(512, ge=64, le=_MAX_SIDE)
    steps: Whole = Field(50, ge=1, le=150)
    hrf_steps: Whole | None = Field(None, ge=0, le=150)
    seed: Seed = -1
    cfg_scale: Number = Field(7, ge=0, le=100)
    distilled_cfg: Number = Field(3.5, ge=0, le=100)
    sampler_name: Name = DEFAULT_SAMPLER
    scheduler_name: Name = DEFAULT_SCHEDULER
    denoising_strength: Strength = 0
    force_hr_fix: Switch = False
    categoryId: Whole | None = Field(None, ge=0, le=_MAX_WHOLE)  # noqa: N815 - its name on the wire
    image_enhancements: Switch = False
    subseed: Seed | None = None
    subseed_strength: Strength | None = None
    upscaler_name: Name | None = None
    modules: list[Name] | None = Field(None, max_length=16)

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height

    def checked(self, lists: ForgeLists, *, max_pixels: int) -> Self:
        """These parameters with the names that Forge knows them by.

        Raises `InvalidInput`, naming the field, for what Forge would silently replace. A list
        that is not known yet accepts everything.
        """
        if self.pixels > max_pixels:
            raise InvalidInput(
                f"The total value of (Width * Height) must not exceed {max_pixels}",
                code="TOO_MANY_PIXELS",
            )
        found: dict[str, Any] = {
            "model_name": self.model_name,
            "sampler_name": self.sampler_name,
            "scheduler_name": lists.scheduler(self.scheduler_name) or DEFAULT_SCHEDULER,
        }
        if not lists.schedulers:
            found["scheduler_name"] = self.scheduler_name
        if lists.checkpoints:
            checkpoint = lists.checkpoint(self.model_name)
            if checkpoint is None:
                raise _unknown("model_name", "checkpoint", self.model_name)
            found["model_name"] = checkpoint["model_name"]
        if lists.samplers:
            sampler = lists.sampler(self.sampler_name)
            if sampler is None:
                raise _unknown("sampler_name", "sampler", self.sampler_name)
            found["sampler_name"] = sampler
        if self.upscaler_name is not None and lists.upscalers:
            found["upscaler_name"] = lists.upscaler(self.upscaler_name)
        if self.modules and lists.are_known:
            found["modules"] = [_known_module(name, lists) for name in self.modules]
        if not self.modules:
            found["modules"] = None
        if self.subseed is None or self.subseed_strength is None:
            found |= {"subseed": None, "subseed_strength": None}
        return self.model_copy(update=found)


class Txt2ImgRequest(Txt2ImgParameters):
    """A txt2img request: what is missing, null or empty gets its default.

    `job_id` is a name of the client's own.
    """

    job_id: str | None = Field(None, exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        given = {
            name: value
            for name, value in data.items()
            if not (value is None or (value == "" and name in _MAY_NOT_BE_EMPTY))
        }
        for name, default in _DEFAULTS_FOR_ZERO.items():
            if name in given and _is_zero(given[name]):
                given[name] = default
        return given

    @model_validator(mode="after")
    def _second_pass_as_the_first(self) -> Self:
        if "steps" in self.model_fields_set and self.hrf_steps is None:
            self.hrf_steps = self.steps
        return self


def _is_zero(value: object) -> bool:
    try:
        return _number(value) == 0
    except ValueError:
        return False


def _known_module(name: str, lists: ForgeLists) -> str:
    module = lists.module(name)
    if module is None:
        raise _unknown("modules", "module", name)
    return module


def _unknown(field: str, noun: str, name: str) -> InvalidInput:
    shown = name if len(name) <= 80 else name[:79] + "…"
    return InvalidInput(f"{field}: there is no {noun} named '{shown}'.", code="UNKNOWN_NAME")
