"""Tests of `app/generation/upscale.py`: a picture says how it was made."""

from typing import Any

import pytest

from app.clients.forge_lists import ForgeLists
from app.errors import InvalidInput
from app.generation.infotext import parsed
from app.generation.models import Image
from app.generation.parameters import Txt2ImgParameters, UpscaleRequest
from tests.contract import exchange

LISTS = ForgeLists(
    checkpoints=[{"model_name": "paintModel_v2", "title": "p", "hash": "abc1234567"}],
    modules=[{"model_name": "ae.safetensors"}, {"model_name": "clip_l.pt"}],
    samplers=[{"name": "Euler a", "aliases": []}, {"name": "DPM++ 2M", "aliases": []}],
    schedulers=[
        {"name": "automatic", "label": "Automatic"},
        {"name": "sgm_uniform", "label": "SGM Uniform"},
        {"name": "karras", "label": "Karras"},
    ],
    upscalers=[{"name": "4x_NMKD-Siax_200k"}, {"name": "Lanczos"}],
)
INFOTEXT = (
    "a lighthouse,\nat dusk <lora:x:1>\nNegative prompt: blurry, text\n"
    "Steps: 20, Sampler: Euler a, Schedule type: SGM Uniform, CFG scale: 6.5,"
    " Distilled CFG Scale: 4.0, Seed: 777, Size: 512x640, Model hash: abc1234567,"
    " Model: paintModel_v2, Variation seed: 5, Variation seed strength: 0.3,"
    " Version: f2, Module 1: ae, Module 2: clip_l"
)


def image(infotext: str = INFOTEXT, width: int = 512, height: int = 640, **said: Any) -> Image:
    return Image(
        id="the-picture",
        width=width,
        height=height,
        infotext=infotext,
        parameters=parsed(infotext) | said,
    )


def upscaled(of: Image, *, max_pixels: int = 3_686_400, **chosen: Any) -> Txt2ImgParameters:
    from app.generation.upscale import upscale_of

    asked = UpscaleRequest.model_validate(chosen)
    return upscale_of(of, asked, LISTS, max_pixels=max_pixels)


def test_everything_that_made_the_picture_is_kept() -> None:
    assert upscaled(image()).model_dump(exclude_none=True) == {
        "model_name": "paintModel_v2",
        "prompt": "a lighthouse,\nat dusk <lora:x:1>",
        "negative_prompt": "blurry, text",
        "width": 512,
        "height": 640,
        "steps": 20,
        "seed": 777,
        "cfg_scale": 6.5,
        "distilled_cfg": 4,
        "sampler_name": "Euler a",
        "scheduler_name": "sgm_uniform",
        "denoising_strength": 0,
        "image_enhancements": False,
        "subseed": 5,
        "subseed_strength": 0.3,
        "modules": ["ae.safetensors", "clip_l.pt"],
        "hrf_steps": 20,
        "force_hr_fix": True,
        "first_pass": "the-picture",
        "first_pass_repeats": True,
    }


def test_what_the_caller_chose_counts() -> None:
    found = upscaled(image(), upscaler_name="Lanczos", denoising_strength="0.5", hrf_steps=7)
    assert (found.upscaler_name, found.denoising_strength, found.hrf_steps) == ("Lanczos", 0.5, 7)
    assert upscaled(image(), upscaler_name="none such").upscaler_name == "4x_NMKD-Siax_200k"


def test_enhancements_and_what_only_we_know_are_kept() -> None:
    text = INFOTEXT.replace(" Distilled CFG Scale: 4.0,", "")
    found = upscaled(image(text, freeu_enabled="True", distilled_cfg=3))
    assert found.image_enhancements
    assert found.distilled_cfg == 3


@pytest.mark.parametrize(
    ("of", "repeats"),
    [
        (image(), True),
        (image(width=1024, height=768), False),
        (image(INFOTEXT + ", Hires upscaler: Lanczos, Hires steps: 5"), False),
        (image(INFOTEXT + ", Denoising strength: 0.75"), False),
    ],
)
def test_picture_tells_whether_its_first_pass_can_be_drawn_again(of: Image, repeats: bool) -> None:
    found = upscaled(of)
    assert found.first_pass_repeats is repeats
    assert (found.width, found.height) == (of.width, of.height)


def test_checkpoint_that_was_renamed_is_found_by_its_hash() -> None:
    assert upscaled(image(INFOTEXT.replace("paintModel_v2", "old"))).model_name == "paintModel_v2"


def test_picture_that_would_become_too_large_is_refused() -> None:
    assert upscaled(image(width=960, height=960)).pixels == 921_600
    with pytest.raises(InvalidInput, match="Image is too large to upscale"):
        upscaled(image(width=960, height=961))


@pytest.mark.parametrize(
    "infotext", ["", "only a prompt", "Steps: 20, Seed: 1, Size: 8x8, CFG scale: 7"]
)
def test_picture_that_does_not_say_how_it_was_made_is_refused(infotext: str) -> None:
    with pytest.raises(InvalidInput, match="does not say how it was made"):
        upscaled(image(infotext))


def test_picture_without_negative_prompt_says_so_as_recorded() -> None:
    parameters = upscaled(image("a fox\nSteps: 20, Seed: 7, Size: 512x640, Model: paintModel_v2"))
    assert parameters.negative_prompt == exchange(181).answer["negative_prompt"] == ""
