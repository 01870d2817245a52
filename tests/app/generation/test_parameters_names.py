"""Tests of looking the names of a request up in Forge's lists."""

from dataclasses import replace
from typing import Any

import pytest

from app.clients.forge_lists import ForgeLists
from app.errors import InvalidInput
from app.generation.parameters import Txt2ImgParameters
from tests.app.simulator.recording import Recording
from tests.building import make_parameters

LISTS = ForgeLists(
    checkpoints=Recording.load("get/sd-models_all_hashed").body,
    modules=Recording.load("get/sd-modules").body,
    samplers=Recording.load("get/samplers").body,
    schedulers=Recording.load("get/schedulers").body,
    upscalers=Recording.load("get/upscalers").body,
)
MAX_PIXELS = 3_686_400


def checked(lists: ForgeLists = LISTS, **asked: Any) -> Txt2ImgParameters:
    asked = {"model_name": "randomA"} | asked
    parameters = Txt2ImgParameters.model_validate(make_parameters(**asked))
    return parameters.checked(lists, max_pixels=MAX_PIXELS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model_name", "NoSuchModel"),
        ("model_name", "RANDOMA"),
        ("sampler_name", "Nope"),
        ("modules", ["random_vae.safetensors", "nope.safetensors"]),
        ("modules", ["random_vae"]),
    ],
)
def test_name_that_forge_would_silently_replace_is_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidInput, match=f"^{name}: ") as error:
        checked(LISTS, **{name: value})
    unknown = value[-1] if isinstance(value, list) else value
    assert f"'{unknown}'" in error.value.message
    assert error.value.code == "UNKNOWN_NAME"


def test_module_is_refused_where_none_is_installed() -> None:
    with pytest.raises(InvalidInput, match=r"^modules: "):
        checked(replace(LISTS, modules=[]), modules=["ae.safetensors"])


def test_long_unknown_name_is_not_repeated_whole() -> None:
    with pytest.raises(InvalidInput) as error:
        checked(model_name="x" * 255)
    assert len(error.value.message) < 150


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("randomA", "randomA"),
        ("randomA.safetensors [02dcc7a1b0]", "randomA"),
        ("randomA.safetensors", "randomA"),
        ("sub/randomC.safetensors", "sub_randomC"),
    ],
)
def test_checkpoint_is_stored_by_its_model_name(given: str, known: str) -> None:
    assert checked(model_name=given).model_name == known


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("Euler a", "Euler a"),
        ("k_euler_a", "Euler a"),
        ("euler A", "Euler a"),
        ("K_EULER", "Euler"),
    ],
)
def test_sampler_is_found_by_name_alias_and_in_any_case(given: str, known: str) -> None:
    assert checked(sampler_name=given).sampler_name == known


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("karras", "karras"),
        ("Karras", "karras"),
        ("SGM Uniform", "sgm_uniform"),
        ("Align Your Steps", "align_your_steps"),
        ("Nope", "automatic"),
    ],
)
def test_scheduler_is_found_by_name_and_label_else_automatic(given: str, known: str) -> None:
    assert checked(scheduler_name=given).scheduler_name == known


def test_modules_are_stored_by_file_name_in_their_order() -> None:
    given = ["/forge/models/text_encoder/fake_te.safetensors", "random_vae.safetensors"]
    assert checked(modules=given).modules == ["fake_te.safetensors", "random_vae.safetensors"]
    assert checked(modules=[]).modules is None


def test_unknown_upscaler_becomes_one_that_exists_and_a_missing_one_stays_missing() -> None:
    known = [item["name"] for item in LISTS.upscalers]
    assert checked(upscaler_name="RealESRGAN_x4").upscaler_name in known
    assert checked(upscaler_name="Nearest").upscaler_name == "Nearest"
    assert checked().upscaler_name is None


def test_without_lists_everything_is_accepted_as_it_is() -> None:
    asked: dict[str, Any] = {
        "model_name": "NoSuchModel",
        "sampler_name": "Nope",
        "scheduler_name": "Nope",
        "upscaler_name": "Nope",
        "modules": ["nope"],
    }
    kept = checked(ForgeLists(), **asked).model_dump()
    assert {name: kept[name] for name in asked} == asked


def test_pixel_limit_is_named_as_recorded() -> None:
    with pytest.raises(InvalidInput, match=r"\(Width \* Height\) must not exceed 3686400"):
        checked(width=1920, height=1921)
    assert checked(width=1920, height=1920).pixels == MAX_PIXELS


def test_half_a_variation_is_dropped() -> None:
    halves: tuple[dict[str, Any], ...] = ({"subseed": 5}, {"subseed_strength": 0.5})
    for half in halves:
        dumped = checked(**half).model_dump(exclude_none=True)
        assert not {"subseed", "subseed_strength"} & dumped.keys()
    assert checked(subseed=0, subseed_strength=0).subseed == 0


def test_checking_again_changes_nothing() -> None:
    once = checked(sampler_name="k_euler", scheduler_name="Karras", modules=["fake_te.safetensors"])
    assert once.checked(LISTS, max_pixels=MAX_PIXELS) == once
