"""A small stand-in for a published Compass build: placeholders, hashed assets, a service worker."""

from dataclasses import dataclass
from pathlib import Path

NO_CACHE = "no-cache"
IMMUTABLE = "public, max-age=31536000, immutable"
APP_JS = (
    'const a="COMPASS_APP_API_BASE",r="COMPASS_APP_RT_API_BASE",b="COMPASS_APP_BASE_URL",'
    'c="COMPASS_APP_DISCORD_CLIENT_ID",d="COMPASS_APP_DISCORD_REDIRECT_URI";'
)
_INDEX = (
    '<!doctype html><title>Compass</title><base href="COMPASS_APP_BASE_URL/">'
    '<script type="module" src="/assets/index-DiwrgTda.js"></script>'
)


@dataclass(frozen=True)
class BuildFile:
    """A file of the build, and how it is to be served."""

    content: bytes
    media_type: str
    lifetime: str
    is_filled: bool = False


_JS = "text/javascript; charset=utf-8"
FILES = {
    "/index.html": BuildFile(_INDEX.encode(), "text/html; charset=utf-8", NO_CACHE, True),
    "/assets/index-DiwrgTda.js": BuildFile(APP_JS.encode(), _JS, NO_CACHE, True),
    "/assets/vendor-Cx4_k9-Z.js": BuildFile(b"export const x=1;", _JS, IMMUTABLE),
    "/assets/index-B2kd81Qa.css": BuildFile(b"a{}", "text/css; charset=utf-8", IMMUTABLE),
    "/assets/font-3f2a91c0.woff2": BuildFile(b"\0\1wOF2", "font/woff2", IMMUTABLE),
    "/assets/empty-3f2a91c0.wasm": BuildFile(b"", "application/wasm", IMMUTABLE),
    "/assets/logo.svg": BuildFile(b"<svg/>", "image/svg+xml; charset=utf-8", NO_CACHE),
    "/favicon.ico": BuildFile(b"\0\0\1\0", "image/x-icon", NO_CACHE),
    "/sw.js": BuildFile(b"self.x=1;", _JS, NO_CACHE),
    "/registerSW.js": BuildFile(b"1", _JS, NO_CACHE),
    "/workbox-3f2a91c0.js": BuildFile(b"1", _JS, NO_CACHE),
    "/manifest.webmanifest": BuildFile(
        b'{"start_url":"COMPASS_APP_BASE_URL/"}',
        "application/manifest+json; charset=utf-8",
        NO_CACHE,
        True,
    ),
}


def make_build(folder: Path, *, title: str = "Compass") -> Path:
    """Writes the build into `folder` and gives it back."""
    for path, file in FILES.items():
        target = folder / path.removeprefix("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content.replace(b">Compass<", f">{title}<".encode()))
    return folder
