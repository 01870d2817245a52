"""Tests of `app/database/mysql_dump.py`."""

import io
from datetime import UTC, datetime
from pathlib import Path

from app.accounts.models import User
from app.database.connection import opened
from app.database.migration import migrate
from app.database.mysql_dump import dump
from app.generation.models import Image
from app.jobs.models import Job, JobKind, JobStatus, Lane
from tests.databases import MODEL_MODULES, PrivateMariadb

HARD_TEXTS = (
    'it\'s "quoted" `so`',
    "back\\slash \\n \\' \\",
    "line\nbreak\r\ttab;\nDELIMITER //\n\\. file",
    "émoji 🗼 中文",
    "NULL",
    "",
    "-- comment /* and */ # another",
    "\x00\x1a",
)
ALL_ROWS = "".join(
    f"SELECT * FROM {table} ORDER BY 1;" for table in ("account", "generated_image", "job")
)
DEFINITIONS = "".join(
    f"SHOW CREATE TABLE {table};" for table in ("account", "generated_image", "job", "aerich")
)


async def test_restored_dump_equals_the_database(mariadb: PrivateMariadb, tmp_path: Path) -> None:
    location = mariadb.location()
    await migrate(location, MODEL_MODULES, backups_dir=tmp_path)
    async with opened(location, MODEL_MODULES):
        for number, text in enumerate(HARD_TEXTS):
            await User.create(id=f"user {number}", name=text)
            await Job.create(
                id=f"job {number}",
                kind=JobKind.TXT2IMG,
                lane=Lane.GENERATION,
                status=JobStatus.FAILED,
                position=2**40 + number,
                owner_id=f"user {number}",
                origin="127.0.0.1",
                parameters={"prompt": text, "cfg_scale": 6.5, "seed": 2**53 - 1, "hires": None},
                error=None if number % 2 else text,
                started_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
            )
            await Image.create(
                id=f"job {number}",
                owner_id=f"user {number}",
                file_name="a.png",
                media_type="image/png",
                size_bytes=2**40,
                sha256="0" * 64,
                width=512,
                height=768,
                infotext=text * 1000,
                parameters={"Prompt": text},
            )
    mariadb.sql(
        "CREATE TABLE shopping (item TEXT); INSERT INTO shopping VALUES ('milk')",
        database=location.name,
    )
    script = io.StringIO()
    await dump(location, script)

    mariadb.sql(f"CREATE DATABASE {location.name}_restored")
    for _ in range(2):  # over an existing database, too
        mariadb.sql(script.getvalue(), database=f"{location.name}_restored")
        for query in (ALL_ROWS, DEFINITIONS):
            original = mariadb.sql(query, database=location.name)
            assert mariadb.sql(query, database=f"{location.name}_restored") == original
    assert "milk" not in script.getvalue()
    # A restored database is a migrated one.
    restored = mariadb.location(f"{location.name}_restored")
    assert await migrate(restored, MODEL_MODULES, backups_dir=tmp_path) == []
    async with opened(restored, MODEL_MODULES):
        assert {user.name for user in await User.all()} == set(HARD_TEXTS)


async def test_many_rows_are_written_in_several_statements(
    mariadb: PrivateMariadb, tmp_path: Path
) -> None:
    location = mariadb.location()
    await migrate(location, MODEL_MODULES, backups_dir=tmp_path)
    mariadb.sql(
        "INSERT INTO account (id, name, role, approval, token_epoch, created_at, updated_at)"
        " SELECT seq, REPEAT('n', 200), 1, 'approved', 0, NOW(6), NOW(6)"
        " FROM seq_1_to_9000",
        database=location.name,
    )
    script = io.StringIO()
    await dump(location, script)
    assert 2 <= script.getvalue().count("INSERT INTO `account`") <= 4
    mariadb.sql(f"CREATE DATABASE {location.name}_restored")
    mariadb.sql(script.getvalue(), database=f"{location.name}_restored")
    count = mariadb.sql("SELECT COUNT(*) FROM account", database=f"{location.name}_restored")
    assert count == "9000\n"
