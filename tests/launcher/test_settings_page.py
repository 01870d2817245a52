"""Tests of `launcher/settings_page.py` over HTTP. tests/e2e does it in a browser."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from launcher.errors import SettingsInvalid
from launcher.navigator import NoAnswer
from launcher.pages import Pages
from launcher.renewal import Age, Progress
from launcher.setting_list import Setting
from launcher.settings_page import SettingsPage

AGE = Age(1, 1)
STARTING = Progress(is_done=False, sentence="loads <b>")
PORT = Setting("Network", "PORT", "port", "3333", "Where.", False, "3333", True, None)


@dataclass
class FakeSettings:
    """One setting; `problem` is what a change fails with."""

    problem: Exception | Mapping[str, str] = field(default_factory=dict)
    changes: list[Mapping[str, str | None]] = field(default_factory=list)
    away: bool = False

    async def read(self) -> list[Setting]:
        if self.away:
            raise NoAnswer("navigator cannot be asked.")
        return [PORT]

    async def change(self, changes: Mapping[str, str | None]) -> Mapping[str, str]:
        if isinstance(self.problem, Exception):
            raise self.problem
        self.changes.append(changes)
        return self.problem


@dataclass
class FakeRenewal:
    """Notes what is to begin again."""

    begun: list[set[str]] = field(default_factory=list)
    draws: bool = False
    now: Progress = STARTING
    older: Age = AGE
    hides: int = 0
    error: Exception | None = None

    def begin(self, names: set[str]) -> None:
        if self.error is not None:
            raise self.error
        self.begun.append(set(names))

    def age(self) -> Age:
        return self.older

    def hide_secrets(self) -> None:
        self.hides += 1

    def progress(self) -> Progress:
        return self.now


@dataclass
class Opened:
    """The page in a browser without a face."""

    http: aiohttp.ClientSession
    page: SettingsPage
    settings: FakeSettings
    renewal: FakeRenewal
    shown: list[Path]
    url: str = ""

    async def get(self, query: str = "") -> str:
        async with self.http.get(f"{self.url}{query}") as answer:
            assert answer.status == 200
            return await answer.text()

    async def post(self, **form: str) -> str:
        async with self.http.post(self.url, data=form) as answer:
            assert answer.status == 200
            return await answer.text()


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    settings, renewal, shown = FakeSettings(), FakeRenewal(), list[Path]()

    def open_file(path: Path) -> bool:
        shown.append(path)
        return path.name == "data"

    (tmp_path / "launcher.log").write_text("one\ntwo\n")
    jar = aiohttp.CookieJar(unsafe=True)
    async with Pages().serving() as pages, aiohttp.ClientSession(cookie_jar=jar) as http:
        page = SettingsPage(
            pages,
            settings,  # type: ignore[arg-type]
            renewal,  # type: ignore[arg-type]
            env_path=tmp_path / ".env",
            log_dir=tmp_path,
            folders=lambda: {"Data": tmp_path / "data", "Models": tmp_path / "models"},
            open_file=open_file,
        )
        made = Opened(http, page, settings, renewal, shown)
        async with http.get(page.url()) as answer:
            made.url = str(answer.url)
        yield made


async def test_saved_setting_is_in_use_after_a_new_start(opened: Opened) -> None:
    assert "<code>PORT</code>" in await opened.get()
    told = await opened.post(do="save", PORT="3400")
    assert opened.settings.changes == [{"PORT": "3400"}]
    assert "Saved." in told
    assert "In use once Navigator has started again: <code>PORT</code>" in told
    told = await opened.get()
    assert "Saved." not in told  # it is told once
    assert "begun again" not in told
    opened.renewal.draws = True
    assert "begun again" in await opened.get()
    assert "loads &lt;b&gt;" in await opened.post(do="restart")
    assert opened.renewal.begun == [{"PORT"}]
    opened.renewal.now = Progress(is_done=True)
    told = await opened.get("?show=starting")
    assert "Navigator has started again." in told
    assert "In use once" not in told
    await opened.post(do="restart")  # twice
    assert len(opened.renewal.begun) == 1


async def test_new_start_by_another_way_counts(opened: Opened) -> None:
    await opened.post(do="save", PORT="3400")
    assert opened.renewal.hides == 1
    assert "In use once" in await opened.get()
    opened.renewal.older = Age(1, 2)  # by the menu, or after a crash
    assert "In use once" not in await opened.get()


async def test_form_that_was_open_for_long_takes_nothing_back(opened: Opened) -> None:
    told = await opened.post(do="save", PORT="3400", **{"was:PORT": "3500"})
    assert "was changed elsewhere meanwhile" in told
    assert opened.settings.changes == []


async def test_new_start_that_fails_is_told(opened: Opened) -> None:
    opened.renewal.now = Progress(is_done=False, has_failed=True, sentence="DB_URL: <no>")
    told = await opened.get("?show=starting")
    assert "does not start" in told
    assert "DB_URL: &lt;no&gt;" in told
    await opened.post(do="save", PORT="3400")
    opened.renewal.error = SettingsInvalid("FORGE_RAM_LIMIT: no.")
    told = await opened.post(do="restart")
    assert "FORGE_RAM_LIMIT: no." in told
    assert "In use once" in told


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        ({"PORT": "too large"}, '<strong role="alert">too large</strong>'),
        (NoAnswer("navigator says nothing."), "navigator says nothing."),
        (PermissionError(13, "Permission denied"), "cannot be written (Permission denied)"),
    ],
)
async def test_what_cannot_be_saved_is_told_and_stays(
    opened: Opened, problem: Exception | Mapping[str, str], sentence: str
) -> None:
    opened.settings.problem = problem
    told = await opened.post(do="save", PORT="99999")
    assert sentence in told
    assert 'value="99999"' in told
    assert "Nothing is saved yet" in told
    assert "In use once" not in await opened.get()


async def test_nothing_different_needs_no_new_start(opened: Opened) -> None:
    assert "Nothing was different." in await opened.post(do="save", PORT="")
    assert opened.settings.changes == []


async def test_settings_that_cannot_be_read_are_told(opened: Opened) -> None:
    opened.settings.away = True
    told = await opened.get()
    assert "navigator cannot be asked." in told
    assert 'value="open:Data"' in told  # there the file lies


async def test_folders_are_opened_and_no_others(opened: Opened, tmp_path: Path) -> None:
    await opened.post(do="open:Data")
    assert opened.shown == [tmp_path / "data"]
    assert f"The folder is {tmp_path / 'models'}." in await opened.post(do="open:Models")
    await opened.post(do="open:/etc")
    await opened.post(do="nonsense")
    assert len(opened.shown) == 2


async def test_page_opens_at_a_log(opened: Opened) -> None:
    async with opened.http.get(opened.page.url("launcher")) as answer:
        told = await answer.text()
    assert "one\ntwo" in told
    assert "<strong>Launcher</strong>" in told
    assert "<mark>two</mark>" in await opened.get("?show=logs&log=launcher&word=two")
    assert "<strong>Forge</strong>" in await opened.get("?show=logs&log=../../etc/passwd")
