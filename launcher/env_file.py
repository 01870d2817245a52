"""Writes settings into the owner's `.env`, and leaves everything else in it as it is."""

import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values, set_key, unset_key

_PLAIN = re.compile(r"[\w./:@%+,~-]*", re.ASCII)
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


def update(path: Path, values: Mapping[str, str | None]) -> None:
    """Sets each of the values, and takes out those that are None. Blocks; raises OSError.

    Whatever happens, the old file or the whole new one is there, for its owner's eyes only.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    try:
        with contextlib.suppress(FileNotFoundError):
            partial.write_bytes(path.read_bytes())
        for name, value in values.items():
            if _NAME.fullmatch(name) is None or "\n" in (value or ""):
                raise ValueError(f"{name} cannot be written")
            if value is None:
                if name in dotenv_values(partial, interpolate=False, encoding="utf-8"):
                    unset_key(partial, name, encoding="utf-8")
            else:
                mode = "never" if _PLAIN.fullmatch(value) else "always"
                set_key(partial, name, value, quote_mode=mode, encoding="utf-8")
        partial.chmod(0o600)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
