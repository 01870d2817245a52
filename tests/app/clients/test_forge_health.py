"""Tests of noticing when a Forge comes, goes, and needs a restart."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from app.clients.forge_health import ForgeHealth
from app.errors import UpstreamFailed
from app.simulator import Fault, Simulator, SimulatorOptions
from tests.app.clients.answering import Answering, client_of
from tests.waiting import until

QUICK = SimulatorOptions(step_time_s=0, checkpoint_load_time_s=0, draw=False)
OPTIONS = "/sdapi/v1/options"
LORAS = "/sdapi/v1/loras"


class Watched:
    """A watched Forge and how often it was said to be ready."""

    def __init__(self, health: ForgeHealth) -> None:
        self.health = health
        self.appeared = 0
        self.fails = 0


@contextlib.asynccontextmanager
async def watching(
    url: str,
    *,
    fails: int = 0,
    probe_interval_s: float = 0.02,
    restart_patience_s: float = 0.0,
    auth: str | None = None,
) -> AsyncIterator[Watched]:
    async with client_of(url, auth=auth) as forge:

        async def on_ready() -> None:
            watched.appeared += 1
            if watched.appeared <= fails:
                raise UpstreamFailed("The lists could not be read.", service="forge")

        health = ForgeHealth(
            forge,
            on_ready=on_ready,
            probe_interval_s=probe_interval_s,
            retry_interval_s=0.02,
            restart_patience_s=restart_patience_s,
        )
        watched = Watched(health)
        async with health.watched():
            yield watched


async def test_forge_that_answers_is_ready_and_was_announced_once(simulator: Simulator) -> None:
    async with watching(simulator.url) as watched:
        assert not watched.health.is_ready
        assert watched.health.reason == "Forge has not answered yet."
        await watched.health.wait_ready()
        assert watched.health.reason is None
        calls = simulator.calls[f"GET {OPTIONS}"]
        await until(lambda: simulator.calls[f"GET {OPTIONS}"] > calls + 2)
        assert watched.appeared == 1


async def test_forge_that_comes_later_is_noticed(unused_port: int) -> None:
    async with watching(f"http://127.0.0.1:{unused_port}") as watched:
        await until(lambda: watched.health.reason == "Forge does not answer.")
        assert not watched.health.is_ready
        async with Simulator(QUICK).serving(port=unused_port):
            await until(lambda: watched.health.is_ready)
            assert watched.health.reason is None
        await until(lambda: not watched.health.is_ready)
        assert watched.health.reason == "Forge does not answer."
        async with Simulator(QUICK).serving(port=unused_port):
            await until(lambda: watched.health.is_ready)
        assert watched.appeared == 2


async def test_starting_forge_is_ready_only_when_loras_answer_too() -> None:
    """`options` answers up to a second before the rest does."""
    async with (
        Simulator(SimulatorOptions(startup_time_s=1000)).serving() as simulator,
        watching(simulator.url) as watched,
    ):
        await until(lambda: simulator.calls[f"GET {OPTIONS}"] > 2)
        assert simulator.calls[f"GET {LORAS}"] == 0
        simulator.set_uptime(600)
        await until(lambda: simulator.calls[f"GET {LORAS}"] > 2)
        assert not watched.health.is_ready
        assert watched.health.reason == "Forge has no route /sdapi/v1/loras."
        simulator.set_uptime(1000)
        await until(lambda: watched.health.is_ready)


@pytest.mark.slow
async def test_fork_that_never_knows_loras_is_ready_after_a_while() -> None:
    async with Simulator(SimulatorOptions(startup_time_s=1000)).serving() as simulator:
        simulator.set_uptime(600)
        async with watching(simulator.url) as watched:
            await until(lambda: watched.health.is_ready, 30)
            assert watched.appeared == 1


async def test_jobs_are_held_back_until_lists_could_be_read(simulator: Simulator) -> None:
    async with watching(simulator.url, fails=2) as watched:
        await until(lambda: watched.appeared >= 1)
        assert not watched.health.is_ready
        await until(lambda: watched.health.is_ready)
        assert watched.appeared == 3


async def test_trouble_holds_jobs_back_and_is_looked_into_at_once(simulator: Simulator) -> None:
    async with watching(simulator.url, probe_interval_s=1000) as watched:
        await watched.health.wait_ready()
        watched.health.report_trouble("Forge broke the connection.")
        assert not watched.health.is_ready
        assert watched.health.reason == "Forge broke the connection."
        await until(lambda: watched.health.is_ready)
        assert watched.health.reason is None
        assert watched.appeared == 2


async def test_many_reports_of_trouble_are_one_look(simulator: Simulator) -> None:
    async with watching(simulator.url, probe_interval_s=1000) as watched:
        await watched.health.wait_ready()
        before = simulator.calls[f"GET {OPTIONS}"]
        for _ in range(100):
            watched.health.report_trouble("Forge broke the connection.")
        await until(lambda: watched.health.is_ready)
        assert simulator.calls[f"GET {OPTIONS}"] <= before + 2


@pytest.mark.parametrize(
    ("fault", "path"),
    [
        (Fault.http_500, LORAS),
        (Fault.junk_json, LORAS),
        (Fault.junk_json, OPTIONS),
        (Fault.drop, OPTIONS),
    ],
)
async def test_forge_that_answers_nonsense_is_not_ready_until_it_is_well(
    simulator: Simulator, fault: object, path: str
) -> None:
    assert callable(fault)
    simulator.inject(fault(path=path, times=None))
    async with watching(simulator.url) as watched:
        await until(lambda: simulator.calls[f"GET {path}"] > 3)
        assert not watched.health.is_ready
        simulator.clear_faults()
        await until(lambda: watched.health.is_ready)


async def test_forge_that_cannot_tell_its_options_is_ready_all_the_same(
    simulator: Simulator,
) -> None:
    """It answers 500 for ever once somebody has set an option to a value of the wrong type."""
    simulator.inject(Fault.http_500(path=OPTIONS, times=None))
    async with watching(simulator.url) as watched:
        await watched.health.wait_ready()


async def test_wrong_credentials_are_said() -> None:
    async with Simulator(SimulatorOptions(api_auth="user:right")).serving() as simulator:
        async with watching(simulator.url, auth="user:wrong") as watched:
            await until(lambda: "SD_API_AUTH" in (watched.health.reason or ""))
            assert not watched.health.is_ready
        async with watching(simulator.url, auth="user:right") as watched:
            await watched.health.wait_ready()


async def test_wanted_restart_stays_wanted_while_forge_answers_but_draws_nothing(
    simulator: Simulator,
) -> None:
    async with watching(simulator.url) as watched:
        await watched.health.wait_ready()
        watched.health.want_restart("Forge stopped drawing.")
        watched.health.report_trouble("Forge stopped drawing.")
        await until(lambda: watched.health.is_ready)
        assert watched.health.restart_wanted == "Forge stopped drawing."
        watched.health.report_success()
        assert watched.health.restart_wanted is None


async def test_wanted_restart_is_over_when_forge_was_gone_and_is_back(unused_port: int) -> None:
    async with watching(f"http://127.0.0.1:{unused_port}") as watched:
        async with Simulator(QUICK).serving(port=unused_port):
            await watched.health.wait_ready()
            watched.health.want_restart("Forge stopped drawing.")
        await until(lambda: not watched.health.is_ready)
        assert watched.health.restart_wanted == "Forge stopped drawing."
        async with Simulator(QUICK).serving(port=unused_port):
            await until(lambda: watched.health.is_ready)
        assert watched.health.restart_wanted is None


async def test_jobs_are_held_back_until_forge_was_restarted(unused_port: int) -> None:
    async with watching(f"http://127.0.0.1:{unused_port}", restart_patience_s=1000) as watched:
        health = watched.health
        async with Simulator(QUICK).serving(port=unused_port):
            await health.wait_ready()
            probed_s = health.options_at_s
            health.want_restart("It is stuck.")
            assert (health.is_ready, health.reason) == (
                False,
                "Forge should be restarted: It is stuck.",
            )
            await until(lambda: health.options_at_s > probed_s)
            assert not health.is_ready
        await until(lambda: "restarted" not in str(health.reason))
        async with Simulator(QUICK).serving(port=unused_port):
            await health.wait_ready()
        assert health.restart_wanted is None


async def test_jobs_go_on_when_nobody_restarts_forge(simulator: Simulator) -> None:
    async with watching(simulator.url, restart_patience_s=0.2) as watched:
        await watched.health.wait_ready()
        watched.health.want_restart("It is stuck.")
        assert not watched.health.is_ready
        await until(lambda: watched.health.is_ready)
        assert watched.health.restart_wanted == "It is stuck."


async def test_another_server_on_that_port_is_no_forge() -> None:
    async with (
        Answering(404, b"<html>Not Found</html>").serving() as other,
        watching(other.url) as watched,
    ):
        await until(lambda: len(other.requests) > 2)
        assert not watched.health.is_ready
        assert watched.health.reason == f"Forge has no route {OPTIONS}."


async def test_it_is_known_since_when_and_what_was_wrong_last(simulator: Simulator) -> None:
    async with watching(simulator.url, probe_interval_s=1000) as watched:
        health = watched.health
        assert health.last_trouble is None
        await health.wait_ready()
        ready_since = health.since
        assert ready_since is not None
        assert "sd_model_checkpoint" in (health.options or {})
        health.report_trouble("Forge broke the connection.")
        away_since = health.since
        assert away_since is not None
        assert away_since >= ready_since
        health.report_trouble("Again.")
        assert health.since == away_since
        assert not health.options
        await until(lambda: health.is_ready)
        assert not health.reason
        assert health.last_trouble == "Again."


async def test_version_is_that_of_the_last_picture_until_forge_was_gone(unused_port: int) -> None:
    async with watching(f"http://127.0.0.1:{unused_port}") as watched:
        async with Simulator(QUICK).serving(port=unused_port):
            await watched.health.wait_ready()
            watched.health.report_success("f2.0.1")
            watched.health.report_success(None)
            assert watched.health.version == "f2.0.1"
        await until(lambda: not watched.health.is_ready)
        async with Simulator(QUICK).serving(port=unused_port):
            await watched.health.wait_ready()
            assert watched.health.version is None
