"""The newest lines of a log, and those with a word in them. Blocks while it reads."""

import contextlib
import html
import re
from collections import deque
from pathlib import Path

LOGS = {"forge": "forge.log", "navigator": "navigator-output.log", "launcher": "launcher.log"}
_SHOWN_LINES = 500


def newest_lines(folder: Path, name: str, word: str = "") -> list[str]:
    """The last lines of a log that have `word` in them, in any case; also of its older files."""
    path = folder / LOGS[name]
    older = sorted(folder.glob(f"{LOGS[name]}.*"), key=_number)
    found: list[str] = []
    for file in (path, *older):
        if len(found) >= _SHOWN_LINES:
            break
        found = [*_matching(file, word.lower()), *found]
    return found[-_SHOWN_LINES:]


def page(name: str, word: str, lines: list[str], *, follows: bool) -> str:
    """The lines with a field to search in them, as HTML."""
    tabs = "".join(
        f"<strong>{one.capitalize()}</strong>" if one == name
        else f'<a href="?show=logs&amp;log={one}">{one.capitalize()}</a>'
        for one in LOGS
    )  # fmt: skip
    checked = " checked" if follows else ""
    shown = "\n".join(_marked(line, word) for line in lines)
    told = shown or ("Nothing is found." if word else "Nothing is logged yet.")
    refresh = '<meta http-equiv="refresh" content="3">' if follows else ""
    return (
        f'{refresh}<h1>Logs</h1><nav>{tabs}<a href="?show=all">Settings</a></nav>'
        '<form method="get" class="row"><input type="hidden" name="show" value="logs">'
        f'<input type="hidden" name="log" value="{name}">'
        f'<input name="word" type="search" value="{html.escape(word, quote=True)}"'
        ' aria-label="Search" placeholder="Search">'
        f'<label class="choice"><input type="checkbox" name="follow" value="on"{checked}>'
        ' Follow</label><button class="plain">Show</button></form>'
        f'<div class="log"><pre>{told}</pre></div>'
    )


def _matching(file: Path, word: str) -> deque[str]:
    found: deque[str] = deque(maxlen=_SHOWN_LINES)
    with contextlib.suppress(OSError), file.open(encoding="utf-8", errors="replace") as opened:
        found.extend(line.rstrip("\n") for line in opened if word in line.lower())
    return found


def _marked(line: str, word: str) -> str:
    """The line as HTML, with what was looked for marked."""
    if not word:
        return html.escape(line)
    parts = re.split(f"({re.escape(word)})", line, flags=re.IGNORECASE)
    return "".join(
        f"<mark>{html.escape(part)}</mark>" if number % 2 else html.escape(part)
        for number, part in enumerate(parts)
    )


def _number(path: Path) -> int:
    """1 is newer than 2."""
    last = path.suffix.removeprefix(".")
    return int(last) if last.isdecimal() else 1_000
