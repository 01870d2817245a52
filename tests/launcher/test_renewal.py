"""Tests of `launcher/renewal.py`, with a controller that only notes what is asked."""

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from launcher.renewal import BeginsAlready, Progress, Renewal, concerns_both
from launcher.service_state import ServiceSnapshot, ServiceState
from launcher.settings import LauncherSettings

RUNS = ServiceSnapshot("Navigator", ServiceState.RUNNING, starts=1)


@dataclass
class FakeController:
    """Runs."""

    navigator: ServiceSnapshot = RUNS
    status: Any = None
    calls: list[object] = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)

    def snapshot(self) -> Any:
        forge = ServiceSnapshot("Forge", last_line="loads")
        return SimpleNamespace(forge=forge, navigator=self.navigator, status=self.status)

    def stop(self) -> None:
        self.calls.append("stop")

    def hide(self, secrets: tuple[str, ...]) -> None:
        self.hidden = secrets

    def reload(self, settings: LauncherSettings) -> None:
        self.calls.append(settings.told["JOB_ATTEMPTS"])

    def restart_service(self, name: str) -> None:
        self.calls.append(f"restart {name}")


@pytest.fixture
async def controller() -> FakeController:
    made = FakeController()
    made.started.set()
    return made


@pytest.fixture
def renewal(controller: FakeController, tmp_path: Path) -> Renewal:
    made = Renewal(lambda: LauncherSettings.load({"JOB_ATTEMPTS": "5"}, data_dir=tmp_path))
    made.controller = controller  # type: ignore[assignment]
    return made


@pytest.mark.parametrize(
    ("names", "both"),
    [({"JOB_ATTEMPTS"}, False), ({"JOB_ATTEMPTS", "FORGE_DIR"}, True), ({"SD_API_AUTH"}, True)],
)
def test_forge_goes_on_where_it_can(names: set[str], both: bool) -> None:
    assert concerns_both(names) is both


async def test_navigator_alone_is_started_again(
    renewal: Renewal, controller: FakeController
) -> None:
    renewal.begin({"JOB_ATTEMPTS"})
    assert controller.calls == ["5", "restart navigator"]
    assert not renewal.take()
    assert renewal.progress() == Progress(is_done=False)  # the one of before runs still
    controller.navigator = replace(RUNS, starts=2, state=ServiceState.STARTING)
    assert renewal.progress() == Progress(is_done=False, sentence="loads")
    controller.navigator = replace(RUNS, starts=2, state=ServiceState.FAILED, sentence="It broke.")
    assert renewal.progress() == Progress(is_done=False, has_failed=True, sentence="It broke.")
    controller.navigator = replace(RUNS, starts=2)
    assert renewal.progress().is_done


async def test_everything_begins_anew(renewal: Renewal, controller: FakeController) -> None:
    renewal.begin({"FORGE_DIR"})
    assert controller.calls == ["stop"]
    assert renewal.take()
    assert not renewal.take()
    assert renewal.progress() == Progress(is_done=False)
    with pytest.raises(BeginsAlready):  # twice: there is nothing to be ended any more
        renewal.begin({"FORGE_DIR"})
    assert not renewal.take()
    newer = FakeController()
    renewal.controller = newer  # type: ignore[assignment]
    assert not renewal.progress().is_done  # it has only begun
    newer.started.set()
    assert renewal.progress().is_done


async def test_picture_that_is_drawn_is_known(renewal: Renewal, controller: FakeController) -> None:
    assert not renewal.draws
    controller.status = SimpleNamespace(job="7")
    assert renewal.draws
    renewal.controller = None
    assert not renewal.draws


async def test_mended_settings_begin_what_does_not_run(renewal: Renewal) -> None:
    renewal.controller = None
    renewal.waits_for_settings = True
    renewal.begin({"JOB_ATTEMPTS"})
    assert renewal.take()


async def test_navigator_that_was_stopped_does_not_start(
    renewal: Renewal, controller: FakeController
) -> None:
    renewal.begin({"JOB_ATTEMPTS"})
    controller.navigator = replace(RUNS, starts=2, state=ServiceState.STOPPED)
    assert renewal.progress().has_failed


async def test_every_start_has_an_age(renewal: Renewal, controller: FakeController) -> None:
    first = renewal.age()
    controller.navigator = replace(RUNS, starts=2)
    assert renewal.age() == replace(first, starts=2)
    renewal.controller = None
    assert renewal.age().controllers == first.controllers
    renewal.controller = FakeController()  # type: ignore[assignment]
    assert renewal.age().controllers == first.controllers + 1


async def test_secrets_are_hidden_before_they_are_in_use(
    controller: FakeController, tmp_path: Path
) -> None:
    renewal = Renewal(
        lambda: LauncherSettings.load({"CIVITAI_API_KEY": "abcdef"}, data_dir=tmp_path)
    )
    renewal.controller = controller  # type: ignore[assignment]
    renewal.hide_secrets()
    assert "abcdef" in controller.hidden
