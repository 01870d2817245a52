"""What the tray shows while nothing runs: an answer is waited for, or settings are to be mended."""

from launcher.commands import BeginAnew, OpenFirstRun, OpenSettings, Quit
from launcher.menu import MAX_CHARS, SEPARATOR, Entry, IconState
from launcher.tray_face import Face

SET_UP = Face(
    IconState.STARTING,
    None,
    "Set-up: see your browser",
    (
        Entry("Set-up: see your browser"),
        SEPARATOR,
        Entry("Open the set-up page", OpenFirstRun()),
        SEPARATOR,
        Entry("Quit", Quit()),
    ),
)


def trouble(sentence: str) -> Face:
    """The settings are impossible, as the sentence says."""
    line = sentence if len(sentence) <= MAX_CHARS else f"{sentence[: MAX_CHARS - 1]}…"
    entries = (
        Entry(line),
        SEPARATOR,
        Entry("Settings…", OpenSettings()),
        Entry("Try again", BeginAnew()),
        SEPARATOR,
        Entry("Quit", Quit()),
    )
    return Face(IconState.FAILED, None, line, entries)
