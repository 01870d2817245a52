"""Tests of the infotext parser, against recorded answers of Forge's own and round trips."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.generation.infotext import FORGE_DEFAULTS, parsed
from tests.app.simulator.recording import Recording
from tests.contract import exchange

PICTURES = ["real_png", "real_png_data_uri", "webp", "hr_lora_png"]
WITHOUT_TEXT = ["plain_png", "plain_jpg"]
LAST_LINE = "Steps: 2, Sampler: Euler a, Seed: 1"


def meant_differences(recorded: dict[str, Any], ours: dict[str, Any]) -> tuple[Any, Any]:
    """Both without what is meant to differ from Forge's parser.

    Forge drops `Model`, which clients were given in spite of it (recorded by the earlier
    Navigator); it adds a list for a control of its page; and it renames LoRAs to their alias.
    """
    recorded = {key: value for key, value in recorded.items() if key != "Hires VAE/TE"}
    ours = {key: value for key, value in ours.items() if key != "Model"}
    prompts = [re.sub(r"<lora:\w+:", "<lora:", each.pop("Prompt")) for each in (recorded, ours)]
    assert prompts[0] == prompts[1]
    return recorded, ours


@pytest.mark.parametrize("name", PICTURES)
def test_infotext_is_read_as_forge_reads_it(name: str) -> None:
    body = Recording.load(f"png-info/{name}").body
    recorded, ours = meant_differences(body["parameters"], parsed(body["info"]))
    assert ours == recorded


def test_infotext_is_read_as_clients_of_the_earlier_navigator_were_given_it() -> None:
    answer = exchange(144).answer
    recorded = dict(answer["parameters"])
    del recorded["owner_id"], recorded["distilled_cfg"]  # not from the text
    assert parsed(answer["info"]) == recorded


@pytest.mark.parametrize("name", WITHOUT_TEXT)
def test_picture_without_infotext_has_no_parameters(name: str) -> None:
    """Forge gives defaults of its page there, which say nothing of the picture."""
    body = Recording.load(f"png-info/{name}").body
    assert body["info"] == ""
    assert parsed(body["info"]) == {}
    assert parsed(" \n ") == {}


def test_defaults_are_those_that_forge_adds() -> None:
    recorded = Recording.load("png-info/real_png").body["parameters"]
    assert {name: recorded[name] for name in FORGE_DEFAULTS} == FORGE_DEFAULTS


def test_prompts_of_many_lines_stay_whole() -> None:
    read = parsed(f"a fox\n\nin a wood\nNegative prompt: blurry\nugly\n{LAST_LINE}")
    assert read["Prompt"] == "a fox\n\nin a wood"
    assert read["Negative prompt"] == "blurry\nugly"


def test_prompt_that_looks_like_parameters_stays_a_prompt() -> None:
    read = parsed(f"Steps: 99, Sampler: mine, Seed: 7\n{LAST_LINE}")
    assert read["Prompt"] == "Steps: 99, Sampler: mine, Seed: 7"
    assert (read["Steps"], read["Seed"]) == ("2", "1")


def test_text_without_parameters_is_a_prompt() -> None:
    read = parsed("a fox\nseen: from afar, mood: calm")
    assert read["Prompt"] == "a fox\nseen: from afar, mood: calm"
    assert "mood" not in read


def test_quoted_values_keep_commas_colons_and_quotes() -> None:
    value = 'one: 1, "two": \\2\\, drei\nvier: ü'
    read = parsed(f"a fox\n{LAST_LINE}, Lora hashes: {json.dumps(value)}, Version: x")
    assert read["Lora hashes"] == value
    assert read["Version"] == "x"


def test_broken_quotes_are_left_as_they_are() -> None:
    read = parsed(f'a fox\n{LAST_LINE}, Lora hashes: "open, Version: x')
    assert read["Lora hashes"] == '"open'
    assert read["Version"] == "x"


def test_sizes_become_two_entries() -> None:
    read = parsed(f"a fox\n{LAST_LINE}, Size: 512x640, Hires resize: 1024x1280, Note: 1x")
    assert (read["Size-1"], read["Size-2"]) == ("512", "640")
    assert (read["Hires resize-1"], read["Hires resize-2"]) == ("1024", "1280")
    assert "Size" not in read
    assert read["Note"] == "1x"


def test_long_prompt_without_parameters_is_read_quickly() -> None:
    """A prompt may have 50,000 characters, and this runs on the event loop."""
    for text in ("a " * 25_000, "a" * 50_000, "a-b/" * 12_500, '"' * 50_000, ": ," * 16_000):
        assert parsed(text)["Prompt"] == text.strip()


prompt_lines = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp"))).map(
    str.strip
)
prompts = (
    st.lists(prompt_lines, max_size=4)
    .map("\n".join)
    .map(str.strip)
    .filter(lambda text: "Negative prompt:" not in text)
)
names = st.from_regex(r"[A-Za-z][A-Za-z \-/]{0,20}[A-Za-z]", fullmatch=True).filter(
    lambda name: not name.startswith("Negative prompt")
)
values = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp"))).map(str.strip)


def shown(value: str) -> str:
    """A value as Forge writes it: quoted when it holds what separates values."""
    if any(sign in value for sign in ",\n:") or value.startswith('"'):
        return json.dumps(value, ensure_ascii=False)
    return value


@given(prompts, prompts, st.dictionaries(names, values, max_size=5))
def test_what_forge_writes_is_read_back(prompt: str, negative: str, extra: dict[str, str]) -> None:
    extra = {name: value for name, value in extra.items() if not re.fullmatch(r"\d+x\d+", value)}
    pairs = ", ".join(f"{name}: {shown(value)}" for name, value in extra.items())
    negative_line = f"Negative prompt: {negative}\n" if negative else ""
    read = parsed(f"{prompt}\n{negative_line}{LAST_LINE}{', ' if pairs else ''}{pairs}")
    assert read["Prompt"] == prompt
    assert read["Negative prompt"] == negative
    assert {name: read[name] for name in extra} == extra


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    read = parsed(text)
    assert bool(read) == bool(text.strip())
    assert {"Prompt", "Negative prompt"} <= read.keys() or not read
