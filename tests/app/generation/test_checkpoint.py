"""Tests of reading what Forge has loaded, on recorded lists."""

from typing import Any

import pytest

from app.clients.forge_lists import ForgeLists
from app.generation.checkpoint import Loaded, loaded_in
from tests.app.simulator.recording import SHA_A, SHA_B, Recording

ALL_HASHED = ForgeLists(checkpoints=Recording.load("get/sd-models_all_hashed").body)
PARTLY_HASHED = ForgeLists(checkpoints=Recording.load("get/sd-models_partly_hashed").body)


def options(**changes: Any) -> dict[str, Any]:
    loaded = {
        "sd_model_checkpoint": "randomA.safetensors [02dcc7a1b0]",
        "sd_checkpoint_hash": SHA_A,
    }
    return {**loaded, "forge_additional_modules": []} | changes


def test_recorded_options_of_a_fresh_forge_say_that_nothing_is_loaded() -> None:
    assert loaded_in(options(sd_checkpoint_hash=""), ALL_HASHED) is None
    assert loaded_in({}, ALL_HASHED) is None


@pytest.mark.parametrize(
    "selected",
    ["randomA", "randomA.safetensors", "randomA.safetensors [02dcc7a1b0]", "02dcc7a1b0", SHA_A],
)
def test_selected_checkpoint_is_known_by_each_of_its_names(selected: str) -> None:
    assert loaded_in(options(sd_model_checkpoint=selected), ALL_HASHED) == Loaded("randomA")


def test_selected_but_not_loaded_checkpoint_is_not_the_loaded_one() -> None:
    """Choosing one in Forge's own page loads nothing yet."""
    assert loaded_in(options(sd_model_checkpoint="randomB"), ALL_HASHED) == Loaded("randomA")


def test_of_two_equal_files_the_selected_one_is_loaded() -> None:
    for selected, name in (("sub/randomC.safetensors", "sub_randomC"), ("randomB", "randomB")):
        seen = options(sd_model_checkpoint=selected, sd_checkpoint_hash=SHA_B)
        assert loaded_in(seen, ALL_HASHED) == Loaded(name)


def test_checkpoint_whose_hash_the_lists_do_not_know_yet_is_the_selected_one() -> None:
    seen = options(sd_model_checkpoint="randomB", sd_checkpoint_hash=SHA_B)
    assert loaded_in(seen, PARTLY_HASHED) == Loaded("randomB")


def test_modules_count_by_file_name_and_in_order() -> None:
    paths = ["/forge/models/VAE/ae.safetensors", "C:\\forge\\models\\text_encoder\\t5.safetensors"]
    seen = loaded_in(options(forge_additional_modules=paths), ALL_HASHED)
    assert seen == Loaded("randomA", ("ae.safetensors", "t5.safetensors"))


def test_options_of_a_fork_without_modules_are_read() -> None:
    seen = {"sd_model_checkpoint": "randomA", "sd_checkpoint_hash": SHA_A}
    assert loaded_in(seen, ALL_HASHED) == Loaded("randomA")
    assert loaded_in(seen | {"forge_additional_modules": None}, ALL_HASHED) == Loaded("randomA")


def test_nothing_is_said_of_a_checkpoint_that_is_in_no_list() -> None:
    assert loaded_in(options(sd_model_checkpoint="deleted"), ForgeLists()) is None
