"""Tests of `launcher/questions.py`: who can be asked, and who cannot. test_first_run.py (tests/e2e)
answers in a browser."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from app.env_files import read_env_file
from launcher.pages import Pages
from launcher.questions import Questions
from launcher.settings import LauncherSettings
from launcher.tray_face import Notice
from tests.waiting import until


@dataclass
class FakeController:
    """Runs until it is stopped."""

    is_stopped: bool = False
    started: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        self.is_stopped = True


@dataclass
class World:
    """A desktop, with or without an icon and a browser."""

    settings: LauncherSettings
    quits: asyncio.Event = field(default_factory=asyncio.Event)
    has_browser: bool = True
    opened: list[str] = field(default_factory=list)
    told: list[Notice] = field(default_factory=list)
    controller: FakeController | None = None
    questions: Questions = field(init=False)

    def open_page(self, url: str) -> bool:
        self.opened.append(url)
        return self.has_browser

    async def answer(self, **form: str) -> None:
        """Sends the form of the page that was opened last."""
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as http:
            async with http.get(self.opened[-1]) as answer:
                url = answer.url
            async with http.post(url, data=form) as answer:
                assert answer.status == 200


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    made = World(LauncherSettings.load({}, data_dir=tmp_path / "data"))
    async with Pages().serving() as pages:
        made.questions = Questions(
            pages,
            {},
            open_page=made.open_page,
            tell=made.told.append,
            controller=lambda: made.controller,  # type: ignore[arg-type,return-value]
            icon_s=0.2,
        )
        yield made


async def test_answers_are_taken_once(world: World) -> None:
    world.questions.ask(world.settings)
    await until(lambda: world.opened)
    assert world.questions.taken() is None
    answering = asyncio.create_task(world.questions.answered(world.quits))
    await world.answer(forge="simulator")
    answers = await answering
    assert answers is not None
    assert answers.forge == "simulator"
    assert not world.questions.is_answered
    assert world.questions.taken() is None


async def test_what_runs_goes_on_until_there_are_answers(world: World) -> None:
    world.controller = FakeController()
    world.questions.ask(world.settings)
    await until(lambda: world.opened)
    world.questions.ask(world.settings)  # the page was closed
    await until(lambda: len(world.opened) == 2)
    assert not world.controller.is_stopped
    await world.answer(forge="simulator")
    await until(lambda: world.controller is not None and world.controller.is_stopped)
    assert world.questions.is_answered
    assert world.questions.taken() is not None


async def test_one_who_quits_answers_nothing(world: World) -> None:
    world.questions.ask(world.settings)
    world.quits.set()
    assert await world.questions.answered(world.quits) is None


async def test_one_who_cannot_be_asked_gets_the_defaults(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.has_browser = False
    world.questions.ask(world.settings)
    answers = await world.questions.answered(world.quits)
    assert answers is not None
    assert answers.forge == "simulator"
    assert read_env_file(world.settings.env_file) == {"FORGE_DIR": "simulator"}
    assert world.opened[0] in capsys.readouterr().err  # the whole address, for whoever reads it
    assert world.opened[0] in world.told[0].body


async def test_one_with_an_icon_is_waited_for(world: World) -> None:
    world.has_browser = False
    world.questions.tray_is(has_icon=True, has_none=False)
    world.questions.ask(world.settings)
    answering = asyncio.create_task(world.questions.answered(world.quits))
    await until(lambda: world.told)
    await asyncio.sleep(0.5)
    assert not answering.done()
    await world.answer(forge="simulator")  # who has typed the address
    assert await answering is not None


async def test_page_that_nobody_sees_is_not_waited_for(world: World) -> None:
    wanted = asyncio.Event()
    world.has_browser = False
    assert not await world.questions.wait_for(wanted, world.quits, url="http://x", title="X")
    wanted.set()
    assert await world.questions.wait_for(wanted, world.quits, url="http://x", title="X")
