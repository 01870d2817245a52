"""What every Forge install has, compared with the recorded one."""

import pytest

from app.simulator import builtin_lists
from tests.app.simulator.recording import Recording


@pytest.mark.parametrize("name", ["samplers", "schedulers", "upscalers"])
def test_lists_are_the_recorded_ones(name: str) -> None:
    assert getattr(builtin_lists, f"default_{name}")() == Recording.load(f"get/{name}").body


def test_lists_are_new_each_time() -> None:
    builtin_lists.default_samplers().clear()
    first = builtin_lists.default_samplers()[0]
    first["options"] = {}
    assert builtin_lists.default_samplers() == Recording.load("get/samplers").body


def test_scripts_are_the_recorded_ones() -> None:
    recorded = Recording.load("get/scripts").body
    assert {tab: recorded[tab] for tab in ("txt2img", "img2img")} == builtin_lists.scripts()


@pytest.mark.parametrize("tab", ["txt2img", "img2img"])
def test_a_script_is_selectable_or_always_on(tab: str) -> None:
    selectable = builtin_lists.selectable_scripts(tab)
    always_on = builtin_lists.always_on_scripts(tab)
    assert selectable + always_on == builtin_lists.scripts()[tab]
    assert not set(selectable) & set(always_on)
