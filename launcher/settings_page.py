"""The page with all settings, the logs and the folders: what a browser asks, and what it gets."""

import asyncio
import html
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from urllib.parse import urlencode

from launcher import log_view, settings_form
from launcher.errors import LauncherError
from launcher.navigator import NoAnswer
from launcher.pages import Asked, Pages, Redirect
from launcher.renewal import Age, Renewal, concerns_both
from launcher.setting_list import GENERAL, SettingList

_FIRST = "?show=all"
_STARTING = "?show=starting"


class SettingsPage:
    """One for the whole life of the launcher; each opening of it is a page of its own."""

    def __init__(
        self,
        pages: Pages,
        settings: SettingList,
        renewal: Renewal,
        *,
        env_path: Path,
        log_dir: Path,
        folders: Callable[[], Mapping[str, Path]],
        open_file: Callable[[Path], bool],
    ):
        """`folders` are those that an owner may want to see, by what people call them."""
        self._pages = pages
        self._settings = settings
        self._renewal = renewal
        self._env_path = env_path
        self._log_dir = log_dir
        self._folders = folders
        self._open_file = open_file
        self._unused: dict[str, Age] = {}  # changed at that time, and in use after a new start only
        self._told = ""

    def url(self, log: str | None = None) -> str:
        """Where it can be opened, once; at the log of this name."""
        query = f"?{urlencode({'show': 'logs', 'log': log})}" if log is not None else ""
        return self._pages.add_form("Settings", self._content, is_wide=True) + query

    async def _content(self, asked: Asked) -> str:
        show = asked.query.get("show")
        if asked.form is not None:
            return await self._obey(asked.form)
        if show == "logs":
            return await self._logs(asked.query)
        if show == "starting":
            return self._starting()
        return await self._page({})

    async def _obey(self, sent: Mapping[str, str]) -> str:
        match sent.get("do", "").partition(":"):
            case ("save", _, _):
                return await self._save(sent)
            case ("restart", _, _) if self._unused:
                try:
                    self._renewal.begin(self._unused)
                except LauncherError as error:
                    return await self._page({GENERAL: error.message})
                self._unused.clear()
                return Redirect(_STARTING)
            case ("open", _, name):
                folder = (await asyncio.to_thread(self._folders)).get(name)
                if folder is not None and not await asyncio.to_thread(self._open_file, folder):
                    self._told = f"The folder is {folder}."
        return Redirect(_FIRST)

    async def _save(self, sent: Mapping[str, str]) -> str:
        try:
            settings = await self._settings.read()
            changes = settings_form.changes_of(sent, settings)
            problems = settings_form.conflicts_of(sent, settings)
            if changes and not problems:
                problems = await self._settings.change(changes)
        except LauncherError as error:
            problems = {GENERAL: error.message}
        except OSError as error:
            problems = {GENERAL: f"{self._env_path} cannot be written ({error.strerror})."}
        if problems:
            return await self._page(problems, sent)
        if changes:
            self._unused |= dict.fromkeys(changes, self._renewal.age())
            self._renewal.hide_secrets()
        self._told = "Saved." if changes else "Nothing was different."
        return Redirect(_FIRST)

    async def _page(
        self, problems: Mapping[str, str], sent: Mapping[str, str] | None = None
    ) -> str:
        told, self._told = self._told, ""
        try:
            settings = await self._settings.read()
        except NoAnswer as error:
            told = error.message
            return f'<h1>Settings</h1><p role="alert">{html.escape(told)}</p>{await self._places()}'
        if problems and sent is not None:
            told = "Nothing is saved yet: see what is wrong below. Secrets have to be typed again."
        return "".join(
            (
                "<h1>Settings</h1>",
                f'<p role="status">{html.escape(told)}</p>' if told else "",
                self._new_start(),
                await self._places(),
                f"<p><small>They are kept in <code>{html.escape(str(self._env_path))}</code>. ",
                "An empty field means what stands in it in grey.</small></p>",
                settings_form.contents(settings),
                settings_form.form(settings, problems, sent),
            )
        )

    async def _places(self) -> str:
        """Where to look besides."""
        buttons = "".join(_buttons(await asyncio.to_thread(self._folders)))
        return f'<nav><a href="?show=logs&amp;log=forge">Logs</a>{buttons}</nav>'

    def _new_start(self) -> str:
        """What has to be started again, and the button for it."""
        self._forget_used()
        if not self._unused:
            return ""
        names = ", ".join(f"<code>{html.escape(name)}</code>" for name in sorted(self._unused))
        both = concerns_both(self._unused)
        what, verb = ("Forge and Navigator", "have") if both else ("Navigator", "has")
        drawn = " The picture that is drawn now is begun again then." if self._renewal.draws else ""
        return (
            f'<form method="post" role="status"><p>In use once {what} {verb} started again:'
            f" {names}."
            f'{drawn}</p><p><button name="do" value="restart">Start {what} again</button></p>'
            "</form>"
        )

    def _forget_used(self) -> None:
        """Navigator, or all, may have been started again by other ways."""
        now = self._renewal.age()
        self._unused = {
            name: then
            for name, then in self._unused.items()
            if then.controllers == now.controllers
            and (concerns_both({name}) or then.starts >= now.starts)
        }

    def _starting(self) -> str:
        progress = self._renewal.progress()
        if progress.is_done:
            self._told = "Navigator has started again."
            return Redirect(_FIRST)
        if progress.has_failed:
            return (
                f'<h1>Navigator does not start</h1><p role="alert">{html.escape(progress.sentence)}'
                f'</p><nav><a href="{_FIRST}">Settings</a>'
                '<a href="?show=logs&amp;log=navigator">Logs</a></nav>'
            )
        return (
            '<meta http-equiv="refresh" content="1"><h1>Navigator is starting again</h1>'
            f"<p>{html.escape(progress.sentence)}</p><p>This page goes on by itself.</p>"
        )

    async def _logs(self, query: Mapping[str, str]) -> str:
        asked = query.get("log", "")
        name = asked if asked in log_view.LOGS else next(iter(log_view.LOGS))
        word = query.get("word", "")
        lines = await asyncio.to_thread(log_view.newest_lines, self._log_dir, name, word)
        return log_view.page(name, word, lines, follows=query.get("follow") == "on")


def _buttons(folders: Mapping[str, Path]) -> Iterable[str]:
    return (
        '<form method="post"><button class="plain" name="do"'
        f' value="open:{html.escape(name, quote=True)}">{html.escape(name)} folder</button></form>'
        for name in folders
    )
