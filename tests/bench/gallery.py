"""Pages of very large galleries over HTTP, on both databases."""

import asyncio
import contextlib
import random
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from tortoise.backends.base.executor import EXECUTOR_CACHE

from app.accounts.models import User
from app.accounts.roles import Role
from app.accounts.tokens import Tokens
from app.database.migration import migrate
from app.setting_types import DatabaseLocation
from tests.bench.gallery_rows import Gallery, fill_mariadb, fill_sqlite
from tests.bench.raw_client import answer_times_ms
from tests.bench.report import Figure, percentile
from tests.bench.serving import Server, serving
from tests.databases import MODEL_MODULES, PrivateMariadb, missing_mariadb, url_of

_GALLERIES = (
    Gallery("few", 100, half=1),
    Gallery("many", 100_000, half=2),
    Gallery("most", 1_000_000, half=3),
)
_PAGE_SIZE = 10  # what Compass asks for
_SAME_PAGE = 200
_OTHER_PAGES = 150
_SECRET_KEY = "a secret key that only the benchmarks use"
# A server as it comes, and one that is filled in a minute or two.
_USUAL = ("--skip-log-bin",)
_FILLING = (
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    "--innodb-buffer-pool-size=3G",
    "--innodb-log-file-size=1G",
)


async def measure() -> list[Figure]:
    """Milliseconds of pages of owners with 100 to 1,000,000 pictures in one table."""
    figures = []
    with tempfile.TemporaryDirectory(prefix="navigator-bench-") as folder:
        path = Path(folder)
        async with _sqlite(path) as location:
            figures += await _measured("SQLite", location)
    with tempfile.TemporaryDirectory(prefix="navigator-bench-") as folder:
        async with _mariadb(Path(folder)) as location:
            figures += await _measured("MariaDB", location)
    return figures


async def _measured(database: str, location: DatabaseLocation) -> list[Figure]:
    settings = {"DB_URL": url_of(location), "SECRET_KEY": _SECRET_KEY}
    figures = []
    async with serving(settings=settings) as server:
        for gallery in _GALLERIES:
            took_ms = await _page_ms(server, gallery, [1])
            name = f"{database}: very first page of {gallery.pictures:,}, right after the start"
            figures.append(Figure(name, took_ms[0], "ms"))
        for gallery in _GALLERIES:
            figures += await _measured_gallery(database, server, gallery)
    return figures


async def _measured_gallery(database: str, server: Server, gallery: Gallery) -> list[Figure]:
    last = gallery.pictures // _PAGE_SIZE
    pages = random.Random(1).choices(range(1, last + 1), k=_OTHER_PAGES)
    is_largest = gallery is _GALLERIES[-1]
    name = f"{database}: %s of {gallery.pictures:,}"
    figures = []
    for what, number in (("first page", 1), ("last page", last)):
        took_ms = await _page_ms(server, gallery, [number] * _SAME_PAGE)
        at_most = 10 if not is_largest else 15 if number == 1 else 150
        figures += [
            Figure(f"{name % what}, p50", percentile(took_ms, 0.5), "ms"),
            Figure(f"{name % what}, p95", percentile(took_ms, 0.95), "ms", at_most=at_most),
        ]
    if is_largest:
        half = [page for page in pages if page <= last // 2]
        for what, took_ms in (
            ("any page", await _page_ms(server, gallery, [last // 2, *pages])),
            (
                "any page of a category",
                await _page_ms(server, gallery, [1, last // 4, last // 2, *half], gallery.half),
            ),
        ):
            figures += [
                Figure(f"{name % what}, p50", percentile(took_ms, 0.5), "ms"),
                Figure(f"{name % what}, the slowest", max(took_ms), "ms", at_most=150),
            ]
    return figures


async def _page_ms(
    server: Server, gallery: Gallery, pages: list[int], category_id: int | None = None
) -> list[float]:
    """How long each of the pages took, in this order."""
    token = Tokens(_SECRET_KEY, None).issue(User(id=gallery.owner_id, role=Role.APPRENTICE))
    url = f"{server.url}/api/user/jobs?limit={_PAGE_SIZE}"
    if category_id is not None:
        url += f"&category_id={category_id}"
    urls = [f"{url}&page={page}" for page in pages]
    return await asyncio.to_thread(answer_times_ms, urls, {"Authorization": f"Bearer {token}"})


@contextlib.asynccontextmanager
async def _sqlite(folder: Path) -> AsyncIterator[DatabaseLocation]:
    location = DatabaseLocation("sqlite", path=folder / "navigator.sqlite3")
    await migrate(location, MODEL_MODULES, backups_dir=folder / "backups")
    for gallery in _GALLERIES:
        await asyncio.to_thread(fill_sqlite, location, gallery)
    yield location


@contextlib.asynccontextmanager
async def _mariadb(folder: Path) -> AsyncIterator[DatabaseLocation]:
    if (problem := missing_mariadb()) is not None:
        raise RuntimeError(problem)
    EXECUTOR_CACHE.clear()  # Tortoise keeps statements of both dialects under one name
    server = PrivateMariadb(_FILLING)
    try:
        server.start()
        location = server.location()
        await migrate(location, MODEL_MODULES, backups_dir=folder / "backups")
        for gallery in _GALLERIES:
            await asyncio.to_thread(fill_mariadb, server, location, gallery)
        server.stop()
        server.options = _USUAL
        server.start()
        yield location
    finally:
        server.remove()
