"""One simulated process: what a restart keeps, and what it answers while it starts."""

import threading

import pytest

from app.simulator.errors import ForgeError
from app.simulator.forge import Forge
from app.simulator.loader import Catalogue
from app.simulator.options import SimulatorOptions


def make_forge(**options: float | bool) -> Forge:
    """A process that serves nothing."""
    return Forge(SimulatorOptions(**options), Catalogue())  # type: ignore[arg-type]


def refusal(forge: Forge, path: str) -> int | None:
    """The status that the path has while Forge starts; None when it is served."""
    try:
        forge.check_startup(path)
    except ForgeError as error:
        return error.status
    return None


def test_restart_keeps_what_was_saved_and_forgets_the_rest() -> None:
    forge = make_forge()
    forge.options.save("samples_format", "webp")
    forge.options.values["jpeg_quality"] = 1
    forge.tasks.add("a")
    forge.state.begin("run")
    forge.restart()
    assert forge.options.values["samples_format"] == "webp"
    assert forge.options.values["jpeg_quality"] == 80.0
    assert (forge.tasks.pending, forge.state.job) == ({}, "")


def test_starting_forge_answers_in_steps() -> None:
    forge = make_forge(startup_time_s=1000)
    paths = ("/", "/sdapi/v1/options", "/sdapi/v1/embeddings", "/sdapi/v1/loras")
    assert [refusal(forge, path) for path in paths] == [None, 404, 404, 404]
    forge.started_at -= 600
    assert [refusal(forge, path) for path in paths] == [None, None, 500, 404]
    forge.started_at -= 600
    assert [refusal(forge, path) for path in paths] == [None] * 4


def test_forge_without_its_ui_is_there_at_once() -> None:
    assert refusal(make_forge(startup_time_s=1000, ui=False), "/sdapi/v1/options") is None


async def test_picture_work_is_done_beside_the_loop() -> None:
    forge = make_forge()
    try:
        assert (await forge.in_thread(threading.current_thread)) is not threading.main_thread()
        with pytest.raises(ZeroDivisionError):
            await forge.in_thread(lambda: 1 // 0)
    finally:
        forge.close()
    forge.close()
