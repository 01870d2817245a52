"""Writes settings into the owner's `.env`, and leaves everything else in it as it is."""

import codecs
import contextlib
import os
import re
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values, set_key, unset_key
from dotenv.parser import parse_stream

from launcher.errors import LauncherError

_PLAIN = re.compile(r"[\w./:@%+,~-]*", re.ASCII)
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


_ONE = threading.Lock()  # several pages may be open


class EnvFileUnclear(LauncherError):
    """The file has a line that cannot be read, so that others could be lost with it."""


def update(path: Path, values: Mapping[str, str | None]) -> None:
    """Sets each of the values, and takes out those that are None.

    Whatever happens, the old file or the whole new one is there, for its owner's eyes only. A
    remark behind a changed value is lost. Blocks; raises OSError and `EnvFileUnclear`.
    """
    path = path.resolve()  # a link stays one
    path.parent.mkdir(parents=True, exist_ok=True)
    with _ONE:
        _update(path, values)


def _update(path: Path, values: Mapping[str, str | None]) -> None:
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # for its owner alone
    os.close(handle)
    partial = Path(name)
    try:
        with contextlib.suppress(FileNotFoundError):
            partial.write_bytes(path.read_bytes().removeprefix(codecs.BOM_UTF8))
        _check_lines(partial, path)
        before = _read(partial)
        for name, value in values.items():
            if _NAME.fullmatch(name) is None or "\n" in (value or ""):
                raise ValueError(f"{name} cannot be written")
            if value is None:
                if name in _read(partial):
                    unset_key(partial, name, encoding="utf-8")
            else:
                mode = "never" if _PLAIN.fullmatch(value) else "always"
                set_key(partial, name, value, quote_mode=mode, encoding="utf-8")
        wanted = {name: value for name, value in {**before, **values}.items() if value is not None}
        if _read(partial) != wanted:
            raise EnvFileUnclear(f"{path} would be read differently from what is written.")
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _read(path: Path) -> dict[str, str]:
    told = dotenv_values(path, interpolate=False, encoding="utf-8")
    return {name: value or "" for name, value in told.items()}


def _check_lines(path: Path, shown: Path) -> None:
    """Raises `EnvFileUnclear` for the first line that python-dotenv would leave out."""
    try:
        with path.open(encoding="utf-8") as file:
            odd = next((one for one in parse_stream(file) if one.error), None)
    except UnicodeDecodeError as error:
        raise EnvFileUnclear(f"{shown} is no UTF-8 text.") from error
    if odd is not None:
        raise EnvFileUnclear(
            f"{shown}: line {odd.original.line} cannot be read. Is a quote never closed?"
        )
