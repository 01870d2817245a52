"""Tests of what clients may ask for: defaults, numbers, zero, limits. Names: see the other file."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.generation.parameters import Txt2ImgParameters, Txt2ImgRequest
from tests.contract import exchange

ASKED = {"model_name": "dreamModel_v1", "prompt": "a lighthouse"}
WHOLE = ["width", "height", "steps", "hrf_steps", "seed", "subseed", "categoryId"]
NUMBERS = [*WHOLE, "cfg_scale", "distilled_cfg", "denoising_strength", "subseed_strength"]
SWITCHES = ["force_hr_fix", "image_enhancements"]
TEXTS = ["model_name", "prompt", "negative_prompt", "sampler_name", "scheduler_name"]


def read(**asked: Any) -> Txt2ImgRequest:
    return Txt2ImgRequest.model_validate(ASKED | asked)


def refused(**asked: Any) -> list[str]:
    """The fields that are named in the refusal."""
    with pytest.raises(ValidationError) as error:
        read(**asked)
    return sorted({str(each["loc"][0]) for each in error.value.errors()})


@pytest.mark.parametrize("number", [139, 140, 157, 158, 161, 165, 166])
def test_recorded_requests_are_read_as_they_were_answered(number: int) -> None:
    recorded = exchange(number)
    read_now = Txt2ImgRequest.model_validate(recorded.body).model_dump(exclude_none=True)
    # What Forge's lists decide, and zero, which is a value for seeds now.
    looked_up = {"sampler_name", "scheduler_name", "upscaler_name"}
    meant = {165: {"seed", "hrf_steps"}, 166: {"subseed", "subseed_strength"}}.get(number, set())
    for name, value in read_now.items():
        if name not in looked_up | meant:
            assert recorded.answer.get(name) == value, name
    missing = recorded.answer.keys() & Txt2ImgParameters.model_fields - read_now.keys()
    assert missing - looked_up == set()


def test_defaults_are_those_of_the_contract() -> None:
    assert read().model_dump(exclude_none=True) == ASKED | {
        "width": 512,
        "height": 512,
        "steps": 50,
        "seed": -1,
        "cfg_scale": 7,
        "distilled_cfg": 3.5,
        "sampler_name": "DPM++ 2M",
        "scheduler_name": "automatic",
        "denoising_strength": 0,
        "force_hr_fix": False,
        "image_enhancements": False,
    }


@pytest.mark.parametrize("asked", [{}, {"model_name": None}, {"model_name": ""}])
def test_checkpoint_is_required(asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Txt2ImgRequest.model_validate({"prompt": "a fox"} | asked)


@pytest.mark.parametrize("asked", [{}, {"prompt": None}, {"prompt": ""}])
def test_prompt_is_required(asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Txt2ImgRequest.model_validate({"model_name": "dreamModel_v1"} | asked)


@pytest.mark.parametrize("name", [*NUMBERS, *SWITCHES, "modules", "negative_prompt", "job_id"])
def test_null_is_as_good_as_absent(name: str) -> None:
    assert read(**{name: None}) == read()


@pytest.mark.parametrize("name", ["sampler_name", "scheduler_name", "upscaler_name"])
def test_empty_name_is_as_good_as_absent(name: str) -> None:
    assert read(**{name: ""}) == read()


def test_empty_negative_prompt_is_kept() -> None:
    assert read(negative_prompt="").negative_prompt == ""


def test_unknown_fields_and_foreign_owners_are_ignored() -> None:
    dumped = read(owner_id="999", unknown=1, origin="1.2.3.4", status="finished").model_dump()
    assert not {"owner_id", "unknown", "origin", "status"} & dumped.keys()


@pytest.mark.parametrize(
    ("name", "text", "number"),
    [
        ("width", "640", 640),
        ("steps", " 20 ", 20),
        ("cfg_scale", "6.5", 6.5),
        ("cfg_scale", "7.0", 7),
        ("seed", "-1", -1),
        ("seed", "1e3", 1000),
        ("denoising_strength", ".5", 0.5),
        ("steps", 20.0, 20),
    ],
)
def test_numbers_may_come_as_text_and_become_numbers(
    name: str, text: object, number: float
) -> None:
    value = getattr(read(**{name: text}), name)
    assert value == number
    assert type(value) is type(number)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "value",
    [
        True, False, "abc", " ", "nan", "inf", "-Infinity", float("nan"), float("inf"), "1e999",
        "0x10", "1_0", "--5", "1,5", "½", "²", [], [5], {}, {"a": 1}, 10**30, -(10**30), "9" * 5000,
        -2, "-2",
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_by_the_name_of_its_field(name: str, value: object) -> None:
    assert refused(**{name: value}) == [name]


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("value", [20.5, "20.5", "0.1"])
def test_part_of_a_whole_number_is_refused(name: str, value: object) -> None:
    assert refused(**{name: value}) == [name]


@pytest.mark.parametrize(
    ("name", "default"),
    [("width", 512), ("height", 512), ("steps", 50), ("cfg_scale", 7), ("distilled_cfg", 3.5)],
)
@pytest.mark.parametrize("zero", [0, "0", 0.0, "0.0", -0.0, " 00 "])
def test_zero_means_the_default_where_it_cannot_be_meant(
    name: str, default: float, zero: object
) -> None:
    assert getattr(read(**{name: zero}), name) == default


@pytest.mark.parametrize("name", ["seed", "subseed", "subseed_strength", "denoising_strength"])
@pytest.mark.parametrize("zero", [0, "0", 0.0])
def test_zero_is_a_value_for_seeds_and_strengths(name: str, zero: object) -> None:
    assert getattr(read(**{name: zero}), name) == 0
    assert name in read(**{name: zero}).model_dump(exclude_none=True)


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("width", 64, 16_384),
        ("height", 64, 16_384),
        ("steps", 1, 150),
        ("seed", -1, 2**53 - 1),
        ("subseed", -1, 2**53 - 1),
        ("categoryId", 0, 2**53 - 1),
        ("cfg_scale", 0.5, 100),
        ("denoising_strength", 0, 1),
        ("subseed_strength", 0, 1),
    ],
)
def test_limits_are_allowed_and_what_is_beyond_is_refused(
    name: str, lowest: float, highest: float
) -> None:
    for value in (lowest, highest):
        assert getattr(read(**{name: value}), name) == value
    assert refused(**{name: highest + 1}) == [name]
    beyond = -1 if lowest in {0.5, 1} else lowest - 1
    assert refused(**{name: beyond}) == [name]


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (True, True), ("true", True), ("TRUE", True), ("1", True), (1, True),
        (False, False), ("false", False), ("0", False), ("", False), (0, False),
    ],
)  # fmt: skip
def test_switches_understand_words(name: str, value: object, meant: bool) -> None:
    assert getattr(read(**{name: value}), name) is meant


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize("value", ["yes please", 2, -1, 0.5, [], {}, [1]])
def test_switches_refuse_what_is_neither(name: str, value: object) -> None:
    assert refused(**{name: value}) == [name]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("value", [1, True, [], {}, ["a"], "a\0b", "x" * 50_001])
def test_texts_refuse_what_is_no_text_or_too_long(name: str, value: object) -> None:
    assert refused(**{name: value}) == [name]


@pytest.mark.parametrize(
    "value", ["ae.safetensors", [1], [None], [""], {"a": 1}, ["x" * 256], ["a"] * 17, [["a"]]]
)
def test_modules_are_a_short_list_of_names(value: object) -> None:
    assert refused(modules=value) == ["modules"]
    assert read(modules=["ae.safetensors"]).modules == ["ae.safetensors"]


@pytest.mark.parametrize("body", [None, [], "text", 1, [1], True])
def test_body_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(ValidationError):
        Txt2ImgRequest.model_validate(body)


def test_second_pass_takes_the_given_steps_of_the_first() -> None:
    assert read(steps=30).hrf_steps == 30
    assert read(steps=30, hrf_steps=10).hrf_steps == 10
    assert read().hrf_steps is None


def test_job_id_is_not_stored_with_the_parameters() -> None:
    asked = read(job_id="abcdefgh")
    assert asked.job_id == "abcdefgh"
    assert "job_id" not in asked.model_dump()
    assert refused(job_id=12_345_678) == ["job_id"]


@given(
    st.dictionaries(
        st.sampled_from([*NUMBERS, *SWITCHES, *TEXTS, "upscaler_name", "modules", "job_id"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.lists(st.text(), max_size=3),
    )
)
def test_any_values_are_refused_or_stored_and_read_back_the_same(asked: dict[str, Any]) -> None:
    try:
        accepted = read(**asked)
    except ValidationError:
        return
    stored = accepted.model_dump(exclude_none=True)
    again = json.loads(json.dumps(stored, allow_nan=False))
    assert Txt2ImgParameters.model_validate(again).model_dump(exclude_none=True) == stored
