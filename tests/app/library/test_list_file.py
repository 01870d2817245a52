"""Tests of `app/library/list_file.py`."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.clients.forge_lists import ForgeLists
from app.library.list_file import ListFile

LISTS = ForgeLists(
    checkpoints=[{"model_name": "ü"}],
    samplers=[{"name": "Euler"}],
    embeddings=["easynegative"],
    friendly_names={"Dream": "ü"},
    has_modules=False,
)
READ_AT = datetime(2026, 1, 2, tzinfo=UTC)


async def test_lists_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = ListFile(tmp_path / "lists.json")
    assert file.load() is None
    await file.save(LISTS, READ_AT)
    found = file.load()
    assert found is not None
    lists, read_at = found
    assert read_at == READ_AT
    assert lists.checkpoint("Dream") == {"model_name": "ü"}
    assert (lists.has_modules, list(lists.embeddings)) == (False, ["easynegative"])


@pytest.mark.parametrize("content", ["", "{", "[]", '{"lists": {}}', '{"lists": {"loras": 5}}'])
def test_file_that_makes_no_sense_is_no_list(tmp_path: Path, content: str) -> None:
    path = tmp_path / "lists.json"
    path.write_text(content)
    assert ListFile(path).load() is None


async def test_disk_that_does_not_take_them_harms_nobody(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    await ListFile(tmp_path / "taken" / "lists.json").save(LISTS, READ_AT)
