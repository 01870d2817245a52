"""Fills the placeholders of a published Compass build while it is served; its files stay as is."""

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from app.setting_types import is_plain
from app.web.site_files import SiteFile

_MAX_TEXT_BYTES = 32 * 1024 * 1024
_MAX_KEPT_BYTES = 64 * 1024 * 1024
_PLACEHOLDER = re.compile(
    rb"COMPASS_APP_(?:API_BASE|RT_API_BASE|BASE_URL|DISCORD_CLIENT_ID|DISCORD_REDIRECT_URI)"
)


@dataclass(frozen=True)
class Filled:
    """The bytes to send for a file; `was_filled` tells whether there was a placeholder in it."""

    content: bytes
    etag: str
    was_filled: bool


def values_of(
    origin: str, *, discord_client_id: str | None, discord_redirect_uri: str
) -> Mapping[bytes, bytes]:
    """What each placeholder becomes for a browser that reaches us at `origin`.

    One address is enough for everything: socket.io is served on the port of the HTTP API too.
    What is not plain, and so could end a string of a script, becomes nothing.
    """
    values = {
        "COMPASS_APP_API_BASE": origin,
        "COMPASS_APP_RT_API_BASE": origin,
        "COMPASS_APP_BASE_URL": origin,
        "COMPASS_APP_DISCORD_CLIENT_ID": discord_client_id or "",
        "COMPASS_APP_DISCORD_REDIRECT_URI": discord_redirect_uri,
    }
    return {name.encode(): value.encode() if is_plain(value) else b""
            for name, value in values.items()}  # fmt: skip


class Filler:
    """Fills files and keeps the last results. Reads files, so call it off the event loop."""

    def __init__(self, *, max_kept_bytes: int = _MAX_KEPT_BYTES):
        self._max_kept_bytes = max_kept_bytes
        self._kept: OrderedDict[tuple[str, bytes], Filled] = OrderedDict()
        self.kept_bytes = 0
        self._lock = threading.Lock()

    def fill(self, file: SiteFile, values: Mapping[bytes, bytes]) -> Filled | None:
        """The file with `values` in it; None when it is no text of ours to fill.

        Raises OSError when the file has gone.
        """
        if not file.may_hold_placeholders or file.size_bytes > _MAX_TEXT_BYTES:
            return None
        # A file without a placeholder is the same for everybody, and kept once.
        for_all, for_some = (file.version, b""), (file.version, b" ".join(values.values()))
        found = self._get(for_all) or self._get(for_some)
        if found is None:
            with file.open() as source:
                content = source.read(_MAX_TEXT_BYTES + 1)
            filled, count = _PLACEHOLDER.subn(lambda match: values[match[0]], content)
            etag = f'"{hashlib.sha256(filled).hexdigest()[:32]}"'
            found = Filled(filled, etag, was_filled=count > 0)
            self._keep(for_some if count else for_all, found)
        return found

    def _get(self, key: tuple[str, bytes]) -> Filled | None:
        with self._lock:
            if (found := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
            return found

    def _keep(self, key: tuple[str, bytes], filled: Filled) -> None:
        with self._lock:
            if len(filled.content) > self._max_kept_bytes or key in self._kept:
                return
            self._kept[key] = filled
            self.kept_bytes += len(filled.content)
            while self.kept_bytes > self._max_kept_bytes:
                _, oldest = self._kept.popitem(last=False)
                self.kept_bytes -= len(oldest.content)
