"""Tests of `app/database/sql.py`, on both databases."""

import pytest
from tortoise import connections

from app.accounts.models import User
from app.database.sql import execute, rows


@pytest.mark.usefixtures("owner")
async def test_values_reach_both_databases_byte_by_byte(owner: User) -> None:
    connection = connections.get("default")
    odd = "100 % 'ü' ? %s 🦊"
    changed = await execute(connection, "UPDATE account SET name = ? WHERE id = ?", [odd, owner.id])
    assert changed == 1
    assert await rows(connection, "SELECT name FROM account WHERE id = ?", [owner.id]) == [
        {"name": odd}
    ]


@pytest.mark.usefixtures("owner")
async def test_number_of_changed_rows_is_given() -> None:
    connection = connections.get("default")
    assert await execute(connection, "UPDATE account SET name = ? WHERE id = ?", ["x", "no"]) == 0
    assert await rows(connection, "SELECT name FROM account WHERE id = ?", ["no"]) == []
