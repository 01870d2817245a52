"""Fills a database with very many pictures, as quickly as it can.

The databases make the rows by themselves. Ids and times are unrelated, as in life, and the table
is filled in the order that it keeps its rows in.
"""

import json
import sqlite3
from dataclasses import dataclass

from app.setting_types import DatabaseLocation
from tests.databases import PrivateMariadb

_PROMPT = ", ".join(
    f"{subject} in {light}, highly detailed, sharp focus, (film grain:1.1)"
    for subject in ("a red fox", "an old lighthouse", "a winding mountain road", "a tea house")
    for light in ("soft morning light", "heavy rain", "the blue hour", "dense fog")
)
_NEGATIVE = ", ".join(["lowres, bad anatomy, extra digits, jpeg artifacts, watermark"] * 4)
_SETTINGS = {
    "Steps": "28", "Sampler": "DPM++ 2M", "Schedule type": "Karras", "CFG scale": "6.5",
    "Seed": "3141592653", "Size": "832x1216", "Model hash": "31e35c80fc",
    "Model": "sd_xl_base_1.0", "Denoising strength": "0.45", "Hires upscale": "1.5",
    "Hires upscaler": "R-ESRGAN 4x+", "Version": "f2.0.1v1.10.1-previous-669-gdfdcbab6",
}  # fmt: skip
INFOTEXT = f"{_PROMPT}\nNegative prompt: {_NEGATIVE}\n" + ", ".join(
    f"{name}: {value}" for name, value in _SETTINGS.items()
)
PARAMETERS = json.dumps({"Prompt": _PROMPT, "Negative prompt": _NEGATIVE, **_SETTINGS})

_STRIDE = 7_000_003  # a prime: its multiples modulo a smaller number come in a scattered order
_SECONDS_BETWEEN = 20
_COLUMNS = (
    "id, owner_id, file_name, media_type, size_bytes, sha256, width, height, infotext, parameters,"
    " created_at, category_id"
)


@dataclass(frozen=True)
class Gallery:
    """An owner's pictures: every other one is in the category `half`, two of one second."""

    owner_id: str
    pictures: int
    half: int


def fill_sqlite(location: DatabaseLocation, gallery: Gallery) -> None:
    """Adds the user, the category and the pictures, in the order of their times."""
    count = gallery.pictures
    connection = sqlite3.connect(str(location.path), isolation_level=None)
    try:
        connection.execute("PRAGMA cache_size = -500000")
        connection.execute("BEGIN")
        for statement in _owner(gallery):
            connection.execute(statement)
        connection.execute(
            f"""
            WITH RECURSIVE numbers(n) AS
                (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {count}),
            ids(n, id) AS
                (SELECT n, '{gallery.owner_id}' || printf('%012d', n * {_STRIDE} % {count})
                 FROM numbers)
            INSERT INTO generated_image ({_COLUMNS})
            SELECT id, '{gallery.owner_id}', 'ab/' || id || '.png', 'image/png', 1500000,
                '{"0" * 52}' || printf('%012d', n), 832, 1216, ?, ?,
                datetime(1700000000 + n / 2 * {_SECONDS_BETWEEN}, 'unixepoch') || '+00:00',
                CASE n % 2 WHEN 0 THEN {gallery.half} END
            FROM ids
            """,
            [INFOTEXT, PARAMETERS],
        )
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def fill_mariadb(server: PrivateMariadb, location: DatabaseLocation, gallery: Gallery) -> None:
    """Adds the user, the category and the pictures, in the order of their ids."""
    count = gallery.pictures
    number = f"seq * {pow(_STRIDE, -1, count)} % {count}"
    statements = [
        *_owner(gallery),
        f"""
        INSERT INTO generated_image ({_COLUMNS})
        SELECT id, '{gallery.owner_id}', CONCAT('ab/', id, '.png'), 'image/png', 1500000,
            LPAD(n, 64, '0'), 832, 1216, '{INFOTEXT}', '{PARAMETERS}',
            TIMESTAMPADD(SECOND, n DIV 2 * {_SECONDS_BETWEEN}, '2023-11-14 22:13:20'),
            CASE n % 2 WHEN 0 THEN {gallery.half} END
        FROM (SELECT {number} AS n, CONCAT('{gallery.owner_id}', LPAD(seq, 12, '0')) AS id
              FROM seq_0_to_{count - 1}) AS numbered
        """,
    ]
    server.sql(";".join(statements), database=location.name)


def _owner(gallery: Gallery) -> list[str]:
    now = "'2023-11-14 22:13:20'"
    return [
        (
            "INSERT INTO account (id, name, role, approval, token_epoch, created_at, updated_at)"
            f" VALUES ('{gallery.owner_id}', '', 1, 'approved', 0, {now}, {now})"
        ),
        (
            "INSERT INTO image_category (id, owner_id, name)"
            f" VALUES ({gallery.half}, '{gallery.owner_id}', 'half')"
        ),
    ]
