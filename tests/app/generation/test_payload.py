"""Tests of what is sent to Forge, against requests that the earlier Navigator was seen to send."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clients.forge_lists import ForgeLists
from app.generation.parameters import Txt2ImgParameters, Txt2ImgRequest
from app.generation.payload import ENHANCEMENTS, ONE_PASS_MAX_PIXELS, txt2img_payload
from tests.app.simulator.recording import Recording
from tests.building import make_parameters
from tests.contract import FOLDER

SENT: dict[str, dict[str, Any]] = json.loads(
    Path(FOLDER / "sent_to_forge.json").read_text(encoding="utf-8")
)
LISTS = ForgeLists(
    modules=[{"model_name": "ae.safetensors"}, {"model_name": "clip_l.safetensors"}],
    samplers=Recording.load("get/samplers").body,
    schedulers=Recording.load("get/schedulers").body,
    upscalers=[{"name": "4x_NMKD-Siax_200k"}, {"name": "Lanczos"}],
)
# Where we mean to send something else. A second pass without `hr_cfg` ignores the negative
# prompt; the negative prompt was left out when the client had left it out.
CORRECTIONS: dict[str, dict[str, Any]] = {
    "139_txt2img_defaults": {"negative_prompt": ""},
    "140_txt2img_full": {},
    "157_txt2img_larger_than_1_megapixel": {
        "negative_prompt": "",
        "hr_cfg": 7,
        "hr_distilled_cfg": 3.5,
    },
    "158_txt2img_force_hr_fix": {"negative_prompt": "", "hr_cfg": 7, "hr_distilled_cfg": 3.5},
}


def payload_of(has_modules: bool = True, **changes: Any) -> dict[str, Any]:
    parameters = Txt2ImgParameters.model_validate(make_parameters(**changes))
    return txt2img_payload(
        parameters, task_id="navigator-abcdefgh", upscaler="Lanczos", has_modules=has_modules
    )


@pytest.mark.parametrize("name", sorted(SENT))
def test_forge_is_sent_what_was_recorded_but_for_the_corrections(name: str) -> None:
    recorded = SENT[name]["sent_to_forge"]
    asked = Txt2ImgRequest.model_validate(SENT[name]["request"])
    parameters = asked.checked(LISTS, max_pixels=3_686_400)
    payload = txt2img_payload(
        parameters,
        task_id=recorded["force_task_id"],
        upscaler=LISTS.upscaler(parameters.upscaler_name),
    )
    assert payload == recorded | CORRECTIONS[name]
    assert not CORRECTIONS[name].keys() & recorded.keys()


def test_every_recorded_request_has_its_corrections() -> None:
    assert SENT.keys() == CORRECTIONS.keys()


@pytest.mark.parametrize(
    ("width", "height", "is_split"), [(1024, 1024, False), (1025, 1024, True), (64, 16_384, False)]
)
def test_a_picture_of_more_than_a_megapixel_takes_two_passes(
    width: int, height: int, is_split: bool
) -> None:
    assert (width * height > ONE_PASS_MAX_PIXELS) is is_split
    assert payload_of(width=width, height=height)["enable_hr"] is is_split


def test_second_pass_by_itself_has_thirty_steps_at_most() -> None:
    large: dict[str, Any] = {"width": 1537, "height": 1025}
    assert payload_of(steps=40, **large)["hr_second_pass_steps"] == 30
    assert payload_of(steps=20, **large)["hr_second_pass_steps"] == 20
    assert payload_of(steps=40, hrf_steps=10, **large)["hr_second_pass_steps"] == 30


@pytest.mark.parametrize(
    ("steps", "hrf_steps", "second"), [(20, 30, 20), (20, 10, 10), (20, 20, 20), (20, None, 20)]
)
def test_asked_for_second_pass_has_no_more_steps_than_the_first(
    steps: int, hrf_steps: int | None, second: int
) -> None:
    payload = payload_of(force_hr_fix=True, steps=steps, hrf_steps=hrf_steps)
    assert payload["hr_second_pass_steps"] == second


def test_asked_for_second_pass_doubles_both_sides_of_a_large_picture_too() -> None:
    payload = payload_of(force_hr_fix=True, width=1200, height=1000)
    assert (payload["width"], payload["height"]) == (1200, 1000)
    assert (payload["hr_resize_x"], payload["hr_resize_y"]) == (2400, 2000)


def test_denoising_strength_of_the_client_goes_before_ours() -> None:
    assert payload_of(force_hr_fix=True, denoising_strength=0.6)["denoising_strength"] == 0.6
    assert payload_of(force_hr_fix=True)["denoising_strength"] == 0.35
    assert "denoising_strength" not in payload_of()


def test_second_pass_follows_the_guidance_of_the_first() -> None:
    payload = payload_of(force_hr_fix=True, cfg_scale=4.5, distilled_cfg=2)
    assert (payload["hr_cfg"], payload["hr_distilled_cfg"]) == (4.5, 2)
    assert "hr_cfg" not in payload_of()


def test_zero_is_sent_as_a_value_for_seeds_and_strength() -> None:
    payload = payload_of(seed=0, subseed=0, subseed_strength=0)
    assert (payload["seed"], payload["subseed"], payload["subseed_strength"]) == (0, 0, 0)


def test_variation_is_sent_whole_or_not_at_all() -> None:
    assert "subseed" not in payload_of(subseed=5)
    assert "subseed_strength" not in payload_of(subseed_strength=0.5)


def test_modules_are_named_for_both_passes() -> None:
    payload = payload_of(modules=["ae.safetensors"])
    assert payload["override_settings"]["forge_additional_modules"] == ["ae.safetensors"]
    assert payload["hr_additional_modules"] == ["ae.safetensors"]
    assert payload_of()["hr_additional_modules"] == []


def test_other_forks_are_not_sent_what_only_forge_knows() -> None:
    """An unknown key of `override_settings` is an error there."""
    payload = payload_of(has_modules=False, force_hr_fix=True, modules=["ae.safetensors"])
    assert payload["override_settings"] == {"sd_model_checkpoint": "dreamModel_v1"}
    only_forges = {"distilled_cfg_scale", "hr_additional_modules", "hr_distilled_cfg"}
    assert not only_forges & payload.keys()
    assert payload["hr_cfg"] == 7


def test_enhancements_are_sent_when_asked_for() -> None:
    assert payload_of(image_enhancements=True)["alwayson_scripts"] == ENHANCEMENTS
    assert "alwayson_scripts" not in payload_of()


def test_first_pass_image_is_sent_as_base64() -> None:
    parameters = Txt2ImgParameters.model_validate(make_parameters(force_hr_fix=True))
    payload = txt2img_payload(
        parameters, task_id="x", upscaler=None, firstpass_image=b"\x89PNG picture"
    )
    assert base64.b64decode(payload["firstpass_image"]) == b"\x89PNG picture"
    assert "hr_upscaler" not in payload


@given(
    width=st.integers(64, 2048),
    height=st.integers(64, 2048),
    steps=st.integers(1, 150),
    force=st.booleans(),
    strength=st.floats(0, 1),
)
def test_every_payload_is_one_that_forge_draws(
    width: int, height: int, steps: int, force: bool, strength: float
) -> None:
    payload = payload_of(
        width=width,
        height=height,
        steps=steps,
        force_hr_fix=force,
        denoising_strength=strength,
    )
    json.dumps(payload, allow_nan=False)
    assert payload["width"] * payload["height"] <= ONE_PASS_MAX_PIXELS or force
    assert payload["override_settings_restore_afterwards"] is False
    assert None not in payload.values()
    if payload["enable_hr"]:
        assert payload["denoising_strength"] > 0
        assert 1 <= payload["hr_second_pass_steps"] <= steps
        assert payload["hr_resize_x"] >= payload["width"]
