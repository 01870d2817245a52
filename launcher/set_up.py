"""The first run in the browser: asks on a page, writes the answers, and leads on to Navigator."""

import asyncio
import html
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from launcher import env_file, first_run
from launcher.env_file import EnvFileUnclear
from launcher.first_run import Answers
from launcher.forge_install import find, usual_places
from launcher.pages import Asked, Pages, Redirect

_WAITING = (
    '<meta http-equiv="refresh" content="1"><h1>Navigator is starting</h1>'
    "<p>{line}</p><p>This page goes on by itself.</p>"
)
Welcome = Callable[[], Awaitable[str | None]]


class SetUp:
    """One run of it. `welcome` gives where the owner goes next, None as long as that is not up."""

    def __init__(
        self,
        pages: Pages,
        env_path: Path,
        environ: Mapping[str, str],
        told: Mapping[str, str],
        *,
        is_shared: bool,
        welcome: Welcome,
        last_line: Callable[[], str],
    ):
        """`told` are the settings that hold now; `last_line` is what Forge says while it starts."""
        self._pages = pages
        self._env_path = env_path
        self._environ = environ
        self._told = told
        self._is_shared = is_shared
        self._welcome = welcome
        self._last_line = last_line
        self._answers: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()
        self._is_going_on = False

    def url(self) -> str:
        """Where the page can be opened, once."""
        return self._pages.add_form("Set-up", self._content)

    async def answered(self) -> Answers:
        """What the owner wants, once it is written."""
        return await asyncio.shield(self._answers)

    @property
    def is_answered(self) -> bool:
        """Whether there is nothing to ask any more."""
        return self._answers.done()

    @property
    def answers(self) -> Answers:
        """What was answered; to be asked once it was."""
        return self._answers.result()

    async def take_defaults(self) -> Answers:
        """What Enter alone means, because nobody can be asked. Raises OSError and LauncherError."""
        found = await asyncio.to_thread(find, usual_places(Path.home(), Path.cwd()))
        answers = first_run.defaults(found, self._told, is_shared=self._is_shared)
        await asyncio.to_thread(env_file.update, self._env_path, answers.changes(self._told))
        if not self._answers.done():
            self._answers.set_result(answers)
        return answers

    def go_on(self) -> None:
        """From now on `welcome` may be asked."""
        self._is_going_on = True

    async def _content(self, asked: Asked) -> str:
        form = asked.form
        if self._answers.done():
            url = await self._welcome() if self._is_going_on else None
            return Redirect(url) if url else _WAITING.format(line=html.escape(self._last_line()))
        found = await asyncio.to_thread(find, usual_places(Path.home(), Path.cwd()))
        if form is None:
            answers = first_run.defaults(found, self._told, is_shared=self._is_shared)
            wrong: dict[str, str] = {}
        else:
            answers = first_run.answers_of(form)
            wrong = await asyncio.to_thread(first_run.problems, answers, self._environ, self._told)
            if not wrong:
                wrong = await self._write(answers)
            if not wrong:
                return _WAITING.format(line="")
        return first_run.form(answers, wrong, self._told, forge_was_found=found is not None)

    async def _write(self, answers: Answers) -> dict[str, str]:
        try:
            await asyncio.to_thread(env_file.update, self._env_path, answers.changes(self._told))
        except EnvFileUnclear as error:
            return {"forge": error.message}
        except OSError as error:
            return {"forge": f"{self._env_path} cannot be written ({error.strerror})."}
        if not self._answers.done():  # it may be sent twice
            self._answers.set_result(answers)
        return {}
