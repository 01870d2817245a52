"""Finds the files of a folder that may be served, and says what they are. No path leads out of it.

The folder may appear, vanish or be swapped for another one at any time.
"""

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

INDEX = "index.html"

# The registry of Windows has its own ideas, so the system is not asked.
_MEDIA_TYPES = {
    ".avif": "image/avif",
    ".css": "text/css",
    ".gif": "image/gif",
    ".htm": "text/html",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".otf": "font/otf",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}
_FILLED = {".css", ".htm", ".html", ".js", ".json", ".map", ".mjs", ".webmanifest"}
_TEXT = _FILLED | {".md", ".svg", ".txt", ".xml"}
# Hidden files, what Windows reads as another drive, folder, stream or device, and what cannot be.
_REFUSED = re.compile(
    r"^$|^\.|[\x00-\x1f\x7f\\/:*?\"<>|]|[. ]$|^(?:con|prn|aux|nul|(?:com|lpt)[0-9¹²³])(?:\.|$)",
    re.IGNORECASE,
)
# What bundlers write: index-DiwrgTda.js, index.3f2a91c0.css. Dates, sizes and words are no hashes.
_HASHED = re.compile(
    r"[-.](?![0-9]+(?:x[0-9]+)?\.)"
    r"(?:[0-9a-f]{8,64}|(?=[a-z_-]*[A-Z0-9])[A-Za-z0-9_-]{8})(?:\.[a-z0-9]+)+$"
)


@dataclass(frozen=True)
class SiteFile:
    """A file that was there a moment ago. `version` differs for each state of each file."""

    path: Path
    size_bytes: int
    version: str

    @property
    def media_type(self) -> str:
        """For the header `Content-Type`."""
        suffix = self.path.suffix.lower()
        charset = "; charset=utf-8" if suffix in _TEXT else ""
        return _MEDIA_TYPES.get(suffix, "application/octet-stream") + charset

    @property
    def may_hold_placeholders(self) -> bool:
        """Whether it is text of a kind that a build tool writes settings into."""
        return self.path.suffix.lower() in _FILLED

    def open(self) -> BinaryIO:
        """The file, to be read. Raises OSError when it has gone."""
        return self.path.open("rb")


def find(folder: Path, url_path: str) -> SiteFile | None:
    """The file of `folder` that a decoded path such as `/assets/index.js` names.

    None when there is none, or when it is not inside of the folder, links followed.
    """
    parts = url_path.removeprefix("/").split("/")
    if any(_REFUSED.search(part) for part in parts):
        return None
    try:
        root = Path(os.path.realpath(folder, strict=True))
        path = Path(os.path.realpath(root.joinpath(*parts), strict=True))
        status = path.stat()
    except (OSError, ValueError):
        return None
    if not path.is_relative_to(root) or not stat.S_ISREG(status.st_mode):
        return None
    # Times alone would not do: files that come out of an image often all have the same.
    state = f"{path}|{status.st_ino}|{status.st_size}|{status.st_mtime_ns}|{status.st_ctime_ns}"
    version = hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return SiteFile(path, status.st_size, version)


def is_immutable(url_path: str) -> bool:
    """Whether another content would have another name, as bundlers arrange it for their assets."""
    return url_path.startswith("/assets/") and _HASHED.search(url_path) is not None
