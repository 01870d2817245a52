"""Tests of `launcher/renewal.py`, with a controller that only notes what is asked."""

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from launcher.renewal import Progress, Renewal, concerns_both
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
    renewal.begin({"FORGE_DIR"})  # twice: there is nothing to be ended any more
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
