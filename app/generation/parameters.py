"""What a client may ask for, checked; and its names looked up in Forge's lists.

Sizes are in pixels. Zero means the default for width, height, steps and cfg_scale, and is a value
for seeds and strengths. Numbers may come as text.
"""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.clients.forge_lists import ForgeLists
from app.errors import InvalidInput
from app.generation.parameter_types import (
    CategoryId,
    Name,
    Number,
    Prompt,
    Seed,
    Strength,
    Switch,
    Whole,
    number,
)

DEFAULT_SAMPLER = "DPM++ 2M"
DEFAULT_SCHEDULER = "automatic"
_MAX_SIDE = 16_384

_DEFAULTS_FOR_ZERO = {
    "width": 512, "height": 512, "steps": 50, "cfg_scale": 7, "distilled_cfg": 3.5,
}  # fmt: skip


class DrawingParameters(BaseModel):
    """What every picture is made of, by its wire names; stored with the job.

    `image_enhancements` switches FreeU and self-attention guidance on.
    """

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, protected_namespaces=())

    model_name: Name
    prompt: Prompt
    negative_prompt: Prompt | None = None
    width: Whole = Field(512, ge=64, le=_MAX_SIDE)
    height: Whole = Field(512, ge=64, le=_MAX_SIDE)
    steps: Whole = Field(50, ge=1, le=150)
    seed: Seed = -1
    cfg_scale: Number = Field(7, ge=0, le=100)
    distilled_cfg: Number = Field(3.5, ge=0, le=100)
    sampler_name: Name = DEFAULT_SAMPLER
    scheduler_name: Name = DEFAULT_SCHEDULER
    denoising_strength: Strength = 0
    categoryId: CategoryId | None = None  # noqa: N815 - its name on the wire
    image_enhancements: Switch = False
    subseed: Seed | None = None
    subseed_strength: Strength | None = None
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
        if self.modules and lists.are_known:
            found["modules"] = [_known_module(name, lists) for name in self.modules]
        if not self.modules:
            found["modules"] = None
        if self.subseed is None or self.subseed_strength is None:
            found |= {"subseed": None, "subseed_strength": None}
        return self.model_copy(update=found)


class Txt2ImgParameters(DrawingParameters):
    """What a txt2img job is made of.

    `hrf_steps` are the steps of the second pass of the high-resolution fix, `force_hr_fix` doubles
    both sides. `first_pass` is the id of a finished picture that replaces the first pass;
    `first_pass_repeats` says whether these parameters would draw it again.
    """

    hrf_steps: Whole | None = Field(None, ge=0, le=150)
    force_hr_fix: Switch = False
    upscaler_name: Name | None = None
    first_pass: str | None = None
    first_pass_repeats: bool | None = None

    def checked(self, lists: ForgeLists, *, max_pixels: int) -> Self:
        """As for every picture; an unknown upscaler gives the default one."""
        found = super().checked(lists, max_pixels=max_pixels)
        if self.upscaler_name is None or not lists.upscalers:
            return found
        return found.model_copy(update={"upscaler_name": lists.upscaler(self.upscaler_name)})


class Img2ImgParameters(DrawingParameters):
    """What an img2img job is made of, besides its pictures. `has_mask` tells that there are two."""

    denoising_strength: Strength = 0.75
    has_mask: bool = False


class Txt2ImgRequest(Txt2ImgParameters):
    """A txt2img request: what is missing, null or empty gets its default.

    `job_id` is a name of the client's own.
    """

    job_id: str | None = Field(None, exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: Any) -> Any:
        given = _without_empties(data)
        if isinstance(given, dict):
            for name in ("first_pass", "first_pass_repeats"):
                given.pop(name, None)  # whose picture it is must be checked first
        return given

    @model_validator(mode="after")
    def _second_pass_as_the_first(self) -> Self:
        if "steps" in self.model_fields_set and self.hrf_steps is None:
            self.hrf_steps = self.steps
        return self


class Img2ImgRequest(Img2ImgParameters):
    """An img2img request. The pictures are base64, a data URI, or `NAVIGATOR_<id>` of one of ours.

    White parts of the mask are drawn anew.
    """

    init_image: str = Field(exclude=True, repr=False)
    mask: str | None = Field(None, exclude=True, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: Any) -> Any:
        given = _without_empties(data)
        if isinstance(given, dict):
            _check_strength(given.get("denoising_strength"))
            given["has_mask"] = "mask" in given
        return given


class UpscaleRequest(BaseModel):
    """What may be chosen for an upscale; everything else comes from the picture."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    upscaler_name: Name | None = None
    denoising_strength: Strength | None = None
    hrf_steps: Whole | None = Field(None, ge=0, le=150)

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: Any) -> Any:
        return _without_empties(data)


def _without_empties(data: Any) -> Any:
    """The fields that say something; zero where it means the default is that default."""
    if not isinstance(data, dict):
        return data
    given = {
        name: value
        for name, value in data.items()
        # A form whose fields were cleared sends empty texts.
        if not (value is None or (value == "" and name != "negative_prompt"))
    }
    for name, default in _DEFAULTS_FOR_ZERO.items():
        if name in given and _is_zero(given[name]):
            given[name] = default
    return given


def _check_strength(given: object) -> None:
    """Raises `InvalidInput` in the words that clients know."""
    try:
        is_fine = given is None or 0 <= number(given) <= 1
    except ValueError:
        return  # the field's own check says it better
    if not is_fine:
        raise InvalidInput(
            "Denoising strength must be between 0.0 and 1.0", code="INVALID_DENOISING_STRENGTH"
        )


def _is_zero(value: object) -> bool:
    try:
        return number(value) == 0
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
