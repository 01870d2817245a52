"""Tests of `launcher/sharing_desk.py`: the firewall is asked for, the page says what is left."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from launcher.pages import Pages
from launcher.sharing_desk import SharingDesk
from tests.fakes.serving import served

COMMAND = "sudo open the port"


@dataclass
class FakeFirewall:
    """One that is shut until its owner says yes."""

    says_yes: bool = True
    is_open: bool = False
    ports: list[list[int]] = field(default_factory=list)

    def asks_before(self, ports: Iterable[int]) -> bool:
        self.ports.append(list(ports))
        return not self.is_open

    def let_in(self, ports: Iterable[int]) -> bool:
        self.is_open = self.is_open or self.says_yes
        return self.is_open

    def asks_before_shut(self) -> bool:
        return self.is_open

    def shut(self) -> None:
        self.is_open = False

    def command(self, ports: Iterable[int]) -> str | None:
        return COMMAND


@dataclass
class FakeController:
    """A Navigator that is there at once."""

    folder: Path
    url: str
    session: aiohttp.ClientSession
    is_shared: bool = False

    def share(self, with_others: bool) -> None:
        self.is_shared = with_others

    def ready_url(self) -> str | None:
        return self.url


@dataclass
class World:
    """The desk, and what its owner sees."""

    desk: SharingDesk
    firewall: FakeFirewall
    session: aiohttp.ClientSession
    told: list[str]
    shown: list[str]

    async def page(self) -> str:
        async with self.session.get(self.shown[-1]) as answer:
            return await answer.text()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    navigator = web.Application()

    async def version(_: web.Request) -> web.Response:
        return web.json_response({"branch": "main"})

    navigator.router.add_get("/api/config/version", version)
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        served(navigator) as url,
        Pages().serving() as pages,
        aiohttp.ClientSession(cookie_jar=jar) as session,
    ):
        firewall, told, shown = FakeFirewall(), list[str](), list[str]()

        async def show(page: str, _: str) -> None:
            shown.append(page)

        desk = SharingDesk(
            FakeController(tmp_path, url, session),  # type: ignore[arg-type]
            pages,
            firewall,
            show=show,
            tell=lambda title, body: told.append(f"{title}: {body}"),
            addresses=lambda: ["127.0.0.1"],
        )
        yield World(desk, firewall, session, told, shown)


async def test_firewall_is_opened_and_shut_with_a_word_before(world: World) -> None:
    await world.desk.turn(True)
    (port,) = world.firewall.ports[0]
    assert world.told == [
        f"Windows asks you: Navigator opens port {port} in the firewall, for private networks only."
    ]
    assert COMMAND not in await world.page()
    await world.desk.prove()
    assert len(world.told) == 1  # it is open already
    await world.desk.turn(False)
    assert "takes its rule out" in world.told[1]
    assert not world.firewall.is_open
    assert len(world.shown) == 2


async def test_owner_who_says_no_sees_what_to_type(world: World) -> None:
    world.firewall.says_yes = False
    await world.desk.turn(True)
    assert COMMAND in await world.page()
    await world.desk.turn(False)
    assert len(world.told) == 1


async def test_sharing_that_goes_back_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.lan.why_unreachable", _unreachable)
    monkeypatch.setattr("launcher.sharing._UNPROVEN", timedelta(0))
    await world.desk.turn(True)
    assert world.desk.state.problem == "A wall is in the way."
    await world.desk.look()
    assert not world.desk.state.is_on
    assert "is not shared any more" in world.told[-1]
    await world.desk.look()
    assert len(world.told) == 2


async def _unreachable(_: object, __: str) -> str:
    return "A wall is in the way."
