"""The options table: what is in memory, what was saved, what is refused."""

import pytest

from app.simulator.errors import PythonError
from app.simulator.forge_options import ForgeOptions


def test_only_what_was_saved_outlives_a_restart() -> None:
    options = ForgeOptions("a.safetensors", 5)
    options.save("samples_format", "webp")
    options.values["enable_pnginfo"] = False
    options.values["sd_checkpoint_hash"] = "abc"
    options.reload()
    shown = options.shown()
    assert (shown["samples_format"], shown["enable_pnginfo"]) == ("webp", True)
    assert (shown["sd_model_checkpoint"], shown["show_progress_every_n_steps"]) == (
        "a.safetensors",
        5.0,
    )
    assert shown["sd_checkpoint_hash"] == ""


def test_saved_list_is_a_copy() -> None:
    options = ForgeOptions(None, 1)
    modules = ["a"]
    options.save("forge_additional_modules", modules)
    modules.append("b")
    options.reload()
    assert options.shown()["forge_additional_modules"] == ["a"]


def test_unknown_key_is_refused() -> None:
    options = ForgeOptions(None, 1)
    options.check_keys(["samples_format"])
    with pytest.raises(PythonError, match="no_such_option"):
        options.check_keys(["samples_format", "no_such_option"])


def test_value_of_another_type_breaks_the_whole_answer() -> None:
    options = ForgeOptions(None, 1)
    options.save("samples_format", None)
    assert options.shown()["samples_format"] is None
    options.save("samples_format", 5)
    with pytest.raises(PythonError, match="ResponseValidationError"):
        options.shown()
