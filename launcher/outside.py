"""What belongs to the desktop and not to us: the browser, the clipboard, other programs."""

import logging
import os
import queue
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable, Mapping
from pathlib import Path

import pyperclip

from launcher.forge_command import cleaned

log = logging.getLogger(__name__)

_PATIENCE_S = 5.0


def has_screen(environ: Mapping[str, str]) -> bool:
    """Whether a browser can be shown at all; not where somebody works over the network."""
    has_display = bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))
    return sys.platform != "linux" or has_display


class Outside:
    """The desktop of whoever runs us. Methods block for a moment; False: it did not work."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        browse: Callable[[str], bool] = webbrowser.open,
        copy: Callable[[str], None] = pyperclip.copy,
        patience_s: float = _PATIENCE_S,
    ):
        """`browse` and `copy` are for tests."""
        self._patience_s = patience_s
        self._environ = environ
        self._browse = browse
        self._copy = copy

    def open_page(self, url: str) -> bool:
        """Shows a web page. A browser that is waited for until it ends is left to itself."""
        done: queue.SimpleQueue[bool] = queue.SimpleQueue()

        def browse() -> None:
            try:
                done.put(self._browse(url))
            except (OSError, webbrowser.Error) as error:
                log.warning("no browser can be opened: %s", error)
                done.put(False)

        threading.Thread(target=browse, daemon=True, name="browser").start()
        try:
            return done.get(timeout=self._patience_s)
        except queue.Empty:
            return True

    def copy_text(self, text: str) -> bool:
        """Puts it on the clipboard."""
        try:
            self._copy(text)
        except (pyperclip.PyperclipException, OSError) as error:
            log.warning("nothing can be put on the clipboard: %s", error)
            return False
        return True

    def open_file(self, path: Path) -> bool:
        """Shows a file or folder with whatever shows such ones."""
        if sys.platform == "win32":
            os.startfile(path)  # noqa: S606 - a path of ours
            return True
        program = "open" if sys.platform == "darwin" else "xdg-open"
        try:
            done = subprocess.run(  # noqa: S603 - a path of ours
                [program, str(path)],
                env=cleaned(self._environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=20,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            log.warning("%s cannot be shown: %s", path, error)
            return False
        return done.returncode == 0
