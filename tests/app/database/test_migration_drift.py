"""The migrations of each dialect build what the models describe."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tortoise.context import TortoiseContext

from app.database.connection import tortoise_config
from app.setting_types import DatabaseLocation
from tests.databases import MODEL_MODULES, PrivateMariadb
from tests.schemas import Schema, schema_of_mariadb, schema_of_sqlite

ReadSchema = Callable[[DatabaseLocation], Schema]


@pytest.fixture
def schema_of(database_location: DatabaseLocation, request: pytest.FixtureRequest) -> ReadSchema:
    """Reads the schema of a database of the same kind as `database_location`."""
    if database_location.dialect == "sqlite":
        return lambda location: schema_of_sqlite(location.path or Path())
    server: PrivateMariadb = request.getfixturevalue("mariadb")
    return lambda location: schema_of_mariadb(server, location.name)


@pytest.fixture
async def generated_location(
    database_location: DatabaseLocation, tmp_path: Path, request: pytest.FixtureRequest
) -> DatabaseLocation:
    """A database whose tables Tortoise made from the models."""
    if database_location.dialect == "sqlite":
        location = replace(database_location, path=tmp_path / "generated.sqlite3")
    else:
        location = replace(database_location, name=f"{database_location.name}_generated")
        server: PrivateMariadb = request.getfixturevalue("mariadb")
        server.sql(f"CREATE DATABASE {location.name} COLLATE utf8mb4_bin")
    async with TortoiseContext() as context:
        await context.init(config=tortoise_config(location, [*MODEL_MODULES, "aerich.models"]))
        await context.generate_schemas()
    return location


def test_migrations_build_what_the_models_describe(
    database_location: DatabaseLocation,
    generated_location: DatabaseLocation,
    schema_of: ReadSchema,
) -> None:
    assert schema_of(database_location) == schema_of(generated_location)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE account ADD COLUMN colour VARCHAR(8)",
        "ALTER TABLE account DROP COLUMN token_epoch",
        "CREATE TABLE extra (id INT PRIMARY KEY)",
        "DROP TABLE generated_image",
        "CREATE INDEX another ON job (kind)",
        "CREATE UNIQUE INDEX another ON account (name)",
        "CREATE TABLE extra (id VARCHAR(64) REFERENCES account (id))",
    ],
)
async def test_a_difference_is_noticed(
    database_location: DatabaseLocation, schema_of: ReadSchema, change: str
) -> None:
    before = schema_of(database_location)
    assert {"account", "job", "generated_image"} <= before.keys()
    async with TortoiseContext() as context:
        await context.init(config=tortoise_config(database_location, MODEL_MODULES))
        await context.db().execute_query(change)
    assert schema_of(database_location) != before


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE account MODIFY name VARCHAR(255) COLLATE utf8mb4_general_ci NOT NULL",
        "ALTER TABLE account MODIFY name VARCHAR(255) NULL",
        "ALTER TABLE account MODIFY name VARCHAR(254) NOT NULL",
        "ALTER TABLE account MODIFY created_at DATETIME NOT NULL",
        "ALTER TABLE job DROP FOREIGN KEY job_owner",
        "ALTER TABLE job DROP INDEX job_lane_status_position",
        "ALTER TABLE job MODIFY number BIGINT NOT NULL",
    ],
)
@pytest.mark.parametrize("new_database_location", ["mariadb"], indirect=True)
def test_a_difference_on_mariadb_is_noticed(
    database_location: DatabaseLocation, mariadb: PrivateMariadb, change: str
) -> None:
    before = schema_of_mariadb(mariadb, database_location.name)
    mariadb.sql(change, database=database_location.name)
    assert schema_of_mariadb(mariadb, database_location.name) != before
