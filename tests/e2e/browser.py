"""Chromium for tests, driven by `driver.js` in a process of its own. Knows nothing of Navigator."""

import asyncio
import contextlib
import json
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NODE_MODULES = HERE / "node_modules"
LIMIT_S = 30.0  # for whatever a page is asked to do; only a broken one takes so long

_NUMBERS = count(1)


def missing_browser() -> str | None:
    """What is missing here to drive a browser; None when nothing is."""
    for program, package in (("node", "nodejs"), ("chromium", "chromium")):
        if shutil.which(program) is None:
            return f"{program} not found: apt install {package}"
    wanted = json.loads((HERE / "package.json").read_text("utf-8"))["dependencies"]
    for name, version in wanted.items():
        file = NODE_MODULES / name / "package.json"
        if not file.is_file() or json.loads(file.read_text("utf-8"))["version"] != version:
            return f"{name} {version} not found: npm ci --prefix tests/e2e"
    return None


class PageFailed(AssertionError):
    """A page did not do what it was asked to, or not in time."""


class Browser:
    """A running Chromium. Several pages may be asked at once; they are served in turn."""

    def __init__(self, process: subprocess.Popen[str]):
        self._process = process
        self._lock = threading.Lock()

    @classmethod
    @contextlib.contextmanager
    def running(cls) -> Iterator["Browser"]:
        """A Chromium that runs while the block does."""
        command = ["node", str(HERE / "driver.js"), str(shutil.which("chromium"))]
        process = subprocess.Popen(
            [*command, str(int(LIMIT_S * 1000))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        try:
            yield cls(process)
        finally:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            try:
                process.wait(LIMIT_S)
            finally:
                process.kill()
                process.wait()
                process.stdout.close()

    @contextlib.asynccontextmanager
    async def page(self, *hosts: str) -> AsyncIterator["Page"]:
        """A page without storage or cookies, until the block ends.

        `hosts` are those, with their ports, that it may send requests to. What it complains of is
        a failure at the end of the block, unless the test said before that it expects it.
        """
        page = Page(self, f"page-{next(_NUMBERS)}")
        await self.ask("create", page.name, hosts=hosts)
        try:
            yield page
            problems = await page.problems()
            assert not problems, problems[:10]
        finally:
            await self.ask("close", page.name)

    async def ask(self, what: str, page: str, **details: Any) -> Any:
        """Sends the driver a command; gives its answer. Raises `PageFailed`."""
        line = json.dumps({"do": what, "page": page, **details})
        # Not to be left in the middle: the next command would get the answer of this one.
        answer = json.loads(await asyncio.shield(asyncio.to_thread(self._exchange, line)))
        if "error" in answer:
            raise PageFailed(f"{what} {details}: {answer['error']}")
        return answer["value"]

    def _exchange(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the driver of the browser has ended; its complaint stands above")
        return answer


@dataclass
class Page:
    """A page of the browser. Each wait has a time limit, after which it is a failure."""

    browser: Browser
    name: str
    expected: list[str] = field(default_factory=list)

    async def open(self, url: str) -> None:
        """Goes to the address and waits until the page is loaded."""
        await self.browser.ask("open", self.name, url=url)

    async def call(self, name: str, *values: object) -> Any:
        """What a function of the page's `window.compass` gives."""
        return await self.browser.ask("call", self.name, name=name, values=values)

    async def click(self, selector: str) -> None:
        """Clicks on the element, as soon as that can be done."""
        await self.browser.ask("click", self.name, selector=selector)

    async def fill(self, selector: str, text: str) -> None:
        """Types into the field."""
        await self.browser.ask("fill", self.name, selector=selector, text=text)

    async def press(self, key: str) -> None:
        """Presses a key, such as `Enter`, wherever the focus is."""
        await self.browser.ask("press", self.name, key=key)

    async def see(self, selector: str, text: str | None = None) -> None:
        """Returns once such an element is seen, with this text in it."""
        more = {} if text is None else {"text": text}
        await self.browser.ask("see", self.name, selector=selector, **more)

    async def text(self, selector: str) -> str:
        """The text of the element."""
        return str(await self.browser.ask("text", self.name, selector=selector))

    async def address(self) -> str:
        """What stands in the address bar."""
        return str(await self.browser.ask("address", self.name))

    async def resize(self, width: int, height: int) -> None:
        """Makes the window so large, in pixels of the page."""
        await self.browser.ask("resize", self.name, width=width, height=height)

    async def width(self) -> int:
        """How wide the page is; wider than the window means that it scrolls sideways."""
        return int(await self.browser.ask("width", self.name))

    async def media_type(self) -> str:
        """What the browser takes the page for."""
        return str(await self.browser.ask("type", self.name))

    async def picture(self, selector: str) -> dict[str, Any]:
        """`width`, `height` and `src` of a picture, once it is loaded and seen."""
        picture: dict[str, Any] = await self.browser.ask("picture", self.name, selector=selector)
        return picture

    async def screenshot(self, path: Path) -> None:
        """Writes a PNG of the page."""
        await self.browser.ask("screenshot", self.name, path=str(path))

    def expect(self, *complaints: str) -> None:
        """Says that complaints with one of these texts in them are none."""
        self.expected += complaints

    async def problems(self) -> list[str]:
        """What the page complained of, and the requests that it may not send."""
        problems: list[str] = await self.browser.ask("problems", self.name)
        return [one for one in problems if not any(text in one for text in self.expected)]
