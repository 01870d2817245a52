"""Tests of `app/database/migration.py`."""

import asyncio
import shutil
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tortoise.exceptions import BaseORMException, IntegrityError

from app.accounts.models import User
from app.database.connection import opened
from app.database.inventory import inventory
from app.database.migration import (
    MIGRATIONS_DIR,
    migrate,
    migration_names,
    wait_for_database,
)
from app.errors import SettingsInvalid, UpstreamUnavailable
from app.setting_types import DatabaseLocation
from tests.databases import MODEL_MODULES, PrivateMariadb, python, url_of

MIGRATE = """
import asyncio, sys
from pathlib import Path
from app.database.migration import migrate
from app.setting_types import DatabaseLocation
from tests.databases import MODEL_MODULES

location = DatabaseLocation.of_url(sys.argv[1])
applied = asyncio.run(migrate(location, MODEL_MODULES, backups_dir=Path(sys.argv[2])))
print(len(applied), "aerich" in sys.modules, "asyncmy" in sys.modules)
"""


def execute(location: DatabaseLocation, statement: str) -> list[tuple[object, ...]]:
    """Runs one statement past the models, as another program would."""
    if location.path is not None:
        with closing(sqlite3.connect(location.path, isolation_level=None)) as connection:
            return connection.execute(statement).fetchall()

    async def on_server() -> list[tuple[object, ...]]:
        from app.database.mysql_server import connected, ensure_database

        await ensure_database(location)
        async with connected(location) as connection, connection.cursor() as cursor:
            await cursor.execute(statement)
            return list(await cursor.fetchall())

    rows: list[tuple[object, ...]] = []
    thread = threading.Thread(target=lambda: rows.extend(asyncio.run(on_server())))
    thread.start()
    thread.join()
    return rows


@pytest.fixture
def mariadb_if_needed(
    database_location: DatabaseLocation, request: pytest.FixtureRequest
) -> PrivateMariadb | None:
    """The server that `database_location` is on, if it is on one."""
    if database_location.dialect == "sqlite":
        return None
    server: PrivateMariadb = request.getfixturevalue("mariadb")
    return server


def next_version(tmp_path: Path, **migrations: str) -> Path:
    """The folder of migrations of a later version, with `migrations` (name: SQL) added."""
    folder = tmp_path / f"migrations with {' '.join(migrations)}"
    shutil.copytree(MIGRATIONS_DIR, folder)
    first = 1 + max(
        int(path.name.split("_")[0]) for path in (folder / "sqlite" / "models").glob("[0-9]*.py")
    )
    for number, (name, sql) in enumerate(migrations.items(), start=first):
        for dialect in ("sqlite", "mysql"):
            (folder / dialect / "models" / f"{number}_{name}.py").write_text(
                f'async def upgrade(db):\n    return """{sql}"""\n'
            )
    return folder


async def test_new_database_is_migrated_without_a_copy(
    new_database_location: DatabaseLocation, tmp_path: Path
) -> None:
    applied = await migrate(new_database_location, MODEL_MODULES, backups_dir=tmp_path / "copies")
    assert applied == list(migration_names(new_database_location))
    assert not (tmp_path / "copies").exists()
    async with opened(new_database_location, MODEL_MODULES):
        assert await User.all().count() == 0


async def test_migration_that_takes_long_says_that_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("app.database.migration._TOLD_EVERY_S", 0.001)
    location = DatabaseLocation("sqlite", path=tmp_path / "navigator.sqlite3")
    assert await migrate(location, MODEL_MODULES, backups_dir=tmp_path)
    assert "the database is being migrated" in caplog.text


async def test_folder_of_the_database_is_made(tmp_path: Path) -> None:
    location = DatabaseLocation("sqlite", path=tmp_path / "a" / "b" / "navigator.sqlite3")
    assert await migrate(location, MODEL_MODULES, backups_dir=tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(SettingsInvalid, match="DB_URL: the folder"):
        await migrate(
            DatabaseLocation("sqlite", path=tmp_path / "file" / "navigator.sqlite3"),
            MODEL_MODULES,
            backups_dir=tmp_path,
        )


async def test_start_without_migrations_does_not_import_aerich(
    new_database_location: DatabaseLocation, tmp_path: Path
) -> None:
    is_mysql = str(new_database_location.dialect == "mysql")
    arguments = (MIGRATE, url_of(new_database_location), str(tmp_path / "copies"))
    assert (await python(*arguments)).split()[1:] == ["True", is_mysql]
    assert (await python(*arguments)).split() == ["0", "False", is_mysql]


async def test_processes_that_start_at_once_migrate_once(
    new_database_location: DatabaseLocation, tmp_path: Path
) -> None:
    arguments = (url_of(new_database_location), str(tmp_path / "copies"))
    printed = await asyncio.gather(*(python(MIGRATE, *arguments) for _ in range(4)))
    names = migration_names(new_database_location)
    assert sorted(int(line.split()[0]) for line in printed) == [0, 0, 0, len(names)]
    assert (await inventory(new_database_location)).applied == tuple(f"{n}.py" for n in names)


async def test_existing_database_is_copied_before_it_changes(
    database_location: DatabaseLocation, tmp_path: Path, mariadb_if_needed: PrivateMariadb | None
) -> None:
    async with opened(database_location, MODEL_MODULES):
        await User.create(id="a")
    later = next_version(
        tmp_path,
        colour="ALTER TABLE account ADD COLUMN colour VARCHAR(8);",
        empty="DELETE FROM account;",
    )
    applied = await migrate(
        database_location, MODEL_MODULES, backups_dir=tmp_path / "copies", migrations_dir=later
    )
    assert [name.split("_")[1] for name in applied] == ["colour", "empty"]
    assert execute(database_location, "SELECT id, colour FROM account") == []

    (copy,) = (tmp_path / "copies").iterdir()
    assert "_colour." in copy.name
    restored = tmp_path / "restored.sqlite3"
    if mariadb_if_needed is None:
        shutil.copy(copy, restored)
        location = DatabaseLocation("sqlite", path=restored)
    else:
        mariadb_if_needed.sql(copy.read_text("utf-8"), database=database_location.name)
        location = database_location
    assert await migrate(location, MODEL_MODULES, backups_dir=tmp_path / "copies") == []
    async with opened(location, MODEL_MODULES):
        assert [user.id for user in await User.all()] == ["a"]


async def test_failed_copy_keeps_the_database_as_it_is(
    database_location: DatabaseLocation, tmp_path: Path
) -> None:
    (tmp_path / "copies").touch()
    before = await inventory(database_location)
    later = next_version(tmp_path, dropped="DROP TABLE generated_image;")
    with pytest.raises(Exception, match="was not migrated"):
        await migrate(
            database_location, MODEL_MODULES, backups_dir=tmp_path / "copies", migrations_dir=later
        )
    assert await inventory(database_location) == before


async def test_failed_migration_is_not_recorded(
    database_location: DatabaseLocation, tmp_path: Path
) -> None:
    before = await inventory(database_location)
    later = next_version(tmp_path, broken="CREATE TABLE halfway (a INT); CREATE TABLE halfway (;")
    for _ in range(2):
        with pytest.raises(BaseORMException):
            await migrate(
                database_location, MODEL_MODULES, backups_dir=tmp_path, migrations_dir=later
            )
    found = await inventory(database_location)
    assert found.applied == before.applied
    if database_location.dialect == "sqlite":
        assert found.tables == before.tables


async def test_rebuilding_a_table_of_sqlite_keeps_the_rows_that_refer_to_it(
    tmp_path: Path,
) -> None:
    location = DatabaseLocation("sqlite", path=tmp_path / "navigator.sqlite3")
    family = """
        CREATE TABLE parent (id INT PRIMARY KEY);
        CREATE TABLE child (id INT, parent_id INT REFERENCES parent (id) ON DELETE CASCADE);
        INSERT INTO parent VALUES (1);
        INSERT INTO child VALUES (2, 1);
    """
    rebuild = """
        CREATE TABLE parent_new (id BIGINT PRIMARY KEY);
        INSERT INTO parent_new SELECT id FROM parent;
        DROP TABLE parent;
        ALTER TABLE parent_new RENAME TO parent;
    """
    later = next_version(tmp_path, family=family, rebuild=rebuild)
    await migrate(location, MODEL_MODULES, backups_dir=tmp_path, migrations_dir=later)
    assert execute(location, "SELECT id, parent_id FROM child") == [(2, 1)]

    orphaning = next_version(tmp_path, family=family, rebuild=rebuild, orphan="DELETE FROM parent;")
    with pytest.raises(IntegrityError, match="child refers to a missing row of parent"):
        await migrate(location, MODEL_MODULES, backups_dir=tmp_path, migrations_dir=orphaning)
    assert execute(location, "SELECT id FROM parent") == [(1,)]


async def test_migration_cut_off_on_mysql_goes_on(mariadb: PrivateMariadb, tmp_path: Path) -> None:
    location = mariadb.location()
    await migrate(location, MODEL_MODULES, backups_dir=tmp_path)
    mariadb.sql("DELETE FROM aerich; DROP TABLE generated_image, job", database=location.name)
    assert await migrate(location, MODEL_MODULES, backups_dir=tmp_path)
    async with opened(location, MODEL_MODULES):
        await User.create(id="a")
    assert {"job", "generated_image"} <= (await inventory(location)).tables


@pytest.mark.parametrize(
    "table",
    [
        "CREATE TABLE migrations (migration_id INT, migration_timestamp DATETIME)",
        "users and images",
    ],
)
async def test_database_of_the_earlier_navigator_is_left_alone(
    new_database_location: DatabaseLocation, tmp_path: Path, table: str
) -> None:
    if table == "users and images":
        execute(new_database_location, "CREATE TABLE users (id INT)")
        table = "CREATE TABLE images (id INT)"
    execute(new_database_location, table)
    before = await inventory(new_database_location)
    with pytest.raises(SettingsInvalid, match=r"earlier Navigator .* name another one in DB_NAME"):
        await migrate(new_database_location, MODEL_MODULES, backups_dir=tmp_path / "copies")
    assert await inventory(new_database_location) == before


async def test_table_of_another_program_is_left_alone(
    new_database_location: DatabaseLocation, tmp_path: Path
) -> None:
    execute(new_database_location, "CREATE TABLE account (iban VARCHAR(34))")
    with pytest.raises(SettingsInvalid, match="has a table account of another program"):
        await migrate(new_database_location, MODEL_MODULES, backups_dir=tmp_path)
    assert (await inventory(new_database_location)).tables == {"account"}


async def test_other_tables_do_not_matter(
    new_database_location: DatabaseLocation, tmp_path: Path
) -> None:
    execute(new_database_location, "CREATE TABLE shopping (item VARCHAR(34))")
    assert await migrate(new_database_location, MODEL_MODULES, backups_dir=tmp_path)


async def test_database_of_a_newer_navigator_is_refused(
    database_location: DatabaseLocation, tmp_path: Path
) -> None:
    later = next_version(tmp_path, colour="ALTER TABLE account ADD COLUMN colour VARCHAR(8);")
    await migrate(database_location, MODEL_MODULES, backups_dir=tmp_path, migrations_dir=later)
    with pytest.raises(SettingsInvalid, match=r"newer Navigator .*_colour"):
        await migrate(database_location, MODEL_MODULES, backups_dir=tmp_path)


async def test_waiting_ends_when_the_server_answers(
    mariadb: PrivateMariadb, database_location: DatabaseLocation
) -> None:
    await wait_for_database(database_location, timeout_s=5)


async def test_waiting_for_an_absent_server_ends_with_a_sentence(
    mariadb: PrivateMariadb, unused_port: int
) -> None:
    location = replace(mariadb.location(), port=unused_port, password="secret")
    with pytest.raises(UpstreamUnavailable, match="cannot be reached") as caught:
        await wait_for_database(location, timeout_s=0.1)
    assert "secret" not in caught.value.message
    with pytest.raises(SettingsInvalid):
        await wait_for_database(replace(mariadb.location(), password="wrong"), timeout_s=60)


def test_both_dialects_have_the_same_migrations() -> None:
    sqlite = DatabaseLocation("sqlite")
    mysql = DatabaseLocation("mysql")
    assert migration_names(sqlite) == migration_names(mysql) != ()
