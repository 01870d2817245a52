"""Tests of `app/library/known_checkpoints.py`, on both databases."""

import pytest

from app.library.known_checkpoints import KnownCheckpoints
from app.library.models import KnownCheckpoint

pytestmark = pytest.mark.usefixtures("database")


async def test_rows_are_read_anew_once_they_are_old() -> None:
    kept, fresh = KnownCheckpoints(), KnownCheckpoints(fresh_s=0)
    assert await kept.rows() == await fresh.rows() == {}
    await KnownCheckpoint.create(model_name="dream", friendly_name="Dream", is_restricted=True)
    assert await kept.rows() == {}
    (row,) = (await fresh.rows()).values()
    assert (row.model_name, row.friendly_name, row.is_restricted) == ("dream", "Dream", True)


async def test_checkpoints_without_a_name_of_the_owners_are_left_out() -> None:
    await KnownCheckpoint.create(model_name="dream", friendly_name="Dream")
    await KnownCheckpoint.create(model_name="plain")
    await KnownCheckpoint.create(model_name="empty", friendly_name="")
    assert await KnownCheckpoints().friendly_names() == {"Dream": "dream"}


async def test_change_is_read_at_once_when_it_is_told() -> None:
    known = await KnownCheckpoints.read()
    assert await known.rows() == {}
    await KnownCheckpoint.create(model_name="dream")
    known.changed()
    assert list(await known.rows()) == ["dream"]
