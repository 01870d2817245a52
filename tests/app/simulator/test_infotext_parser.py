"""Taking infotexts apart: what was written comes back, odd texts do no harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.simulator.catalogue import Lora
from app.simulator.infotext_parser import parse
from tests.app.simulator.recording import Recording


@pytest.mark.parametrize("name", ["hr_lora_png", "real_png", "webp", "plain_png"])
def test_recorded_texts_come_apart_as_recorded(name: str) -> None:
    body = Recording.load(f"png-info/{name}").body
    loras = [Lora("meta_lora.safetensors", {"ss_output_name": "meta_lora_alias"})]
    assert parse(body["info"], loras) == body["parameters"]


def test_quoted_values_may_hold_commas() -> None:
    line = 'Steps: 2, Sampler: Euler, Lora hashes: "a: 1, b: \\"2\\"", Size: 64x32'
    parameters = parse(f"one\ntwo\nNegative prompt: bad\nworse\n{line}")
    assert parameters["Lora hashes"] == 'a: 1, b: "2"'
    assert (parameters["Size-1"], parameters["Size-2"]) == ("64", "32")
    assert (parameters["Prompt"], parameters["Negative prompt"]) == ("one\ntwo", "bad\nworse")


def test_text_without_entries_is_all_prompt() -> None:
    assert parse("a: b, just words")["Prompt"] == "a: b, just words"


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    parameters = parse(text)
    assert isinstance(parameters["Prompt"], str)
    assert parameters["RNG"]
