"""Tests of `launcher/sharing.py`."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from launcher.sharing import LanSharing, NotShared
from launcher.view import Sharing

ADDRESSES = ["192.168.1.20", "10.8.0.1"]
URLS = ("http://192.168.1.20:3333", "http://10.8.0.1:3333")


@dataclass
class Server:
    """A Navigator that is up at once, or not at all."""

    is_up: bool = True
    switched: list[bool] = field(default_factory=list)

    def share(self, with_others: bool) -> None:
        self.switched.append(with_others)

    def ready_url(self) -> str | None:
        return "http://127.0.0.1:3333" if self.is_up else None


@dataclass
class World:
    """A server, a clock, and what the test through the LAN says."""

    folder: Path
    problem: str | None = None
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    server: Server = field(default_factory=Server)
    tested: list[str] = field(default_factory=list)

    def sharing(self, found: list[str] | None = None) -> LanSharing:
        """The switch."""

        async def test(url: str) -> str | None:
            self.tested.append(url)
            return self.problem

        return LanSharing(
            self.server,
            self.folder,
            test=test,
            addresses=lambda: ADDRESSES if found is None else found,
            now=lambda: self.now,
            look_s=0.01,
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_what_works_stays_and_is_remembered(world: World) -> None:
    sharing = world.sharing()
    await sharing.turn(True)
    assert sharing.state == Sharing(True, URLS)
    assert (world.tested, world.server.switched) == ([URLS[0]], [True])
    assert LanSharing.was_on(world.folder)
    world.now += timedelta(days=1)
    await sharing.look(is_on=True)
    assert sharing.state.is_on
    await sharing.turn(False)
    assert sharing.state == Sharing()
    assert world.server.switched == [True, False]
    assert not LanSharing.was_on(world.folder)


async def test_what_does_not_work_goes_back_after_five_minutes(world: World) -> None:
    world.problem = "Nothing listens there."
    sharing = world.sharing()
    await sharing.turn(True)
    assert (sharing.state.problem, sharing.state.is_on) == ("Nothing listens there.", True)
    assert not LanSharing.was_on(world.folder)
    world.now += timedelta(seconds=299)
    await sharing.look(is_on=True)
    assert sharing.state.is_on
    world.now += timedelta(seconds=1)
    await sharing.look(is_on=True)
    assert sharing.state == Sharing()
    assert world.server.switched == [True, False]


async def test_person_who_knows_better_keeps_it(world: World) -> None:
    world.problem = "A firewall is in the way."
    sharing = world.sharing()
    await sharing.turn(True)
    await sharing.keep()
    world.now += timedelta(hours=1)
    await sharing.look(is_on=True)
    assert sharing.state == Sharing(True, URLS)
    assert LanSharing.was_on(world.folder)


async def test_computer_without_a_network_is_told(world: World) -> None:
    sharing = world.sharing([])
    await sharing.turn(True)
    assert "in no network" in str(sharing.state.problem)
    assert sharing.state.goes_back_at is not None


async def test_navigator_that_stays_away_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.sharing._READY_LIMIT_S", 0.05)
    world.server.is_up = False
    with pytest.raises(NotShared, match="did not come up"):
        await world.sharing().turn(True)


async def test_what_was_started_shared_is_shown_so(world: World) -> None:
    sharing = world.sharing()
    await sharing.look(is_on=True)
    assert sharing.state == Sharing(True, URLS)
    await sharing.look(is_on=False)
    assert sharing.state == Sharing()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"is_on": "yes"}', '{"is_on": false}'])
async def test_file_that_makes_no_sense_shares_nothing(world: World, text: str) -> None:
    (world.folder / "sharing.json").write_text(text)
    assert not LanSharing.was_on(world.folder)
    (world.folder / "sharing.json").unlink()
    world_without_disk = World(world.folder / "nowhere")
    await world_without_disk.sharing().turn(True)  # which is only not remembered


async def test_sharing_that_comes_up_late_ends_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.sharing._READY_LIMIT_S", 0.05)
    world.server.is_up = False
    sharing = world.sharing()
    for begin in (sharing.turn(True), sharing.prove()):
        with pytest.raises(NotShared):
            await begin
        assert sharing.state.goes_back_at is not None
    world.server.is_up = True
    world.now += timedelta(minutes=5)
    await sharing.look(is_on=True)
    assert not sharing.state.is_on
    assert world.server.switched == [True, False]


def test_what_is_not_wanted_any_more_is_forgotten(tmp_path: Path) -> None:
    LanSharing.remember(tmp_path, is_on=True)
    LanSharing.forget(tmp_path)
    LanSharing.forget(tmp_path)
    assert not LanSharing.was_on(tmp_path)
