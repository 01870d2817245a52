"""Tests of the ids of jobs."""

from collections import Counter

import pytest

from app.jobs.ids import is_job_id, new_job_id


def test_job_ids_are_unguessable_and_survive_any_file_system() -> None:
    ids = {new_job_id() for _ in range(1000)}
    assert len(ids) == 1000
    letters = Counter("".join(ids))
    assert set(letters) == set("abcdefghijklmnopqrstuvwxyz0123456789")
    assert {len(job_id) for job_id in ids} == {20}
    assert max(letters.values()) < 1.5 * min(letters.values())


@pytest.mark.parametrize("text", ["a" * 8, "Z" * 64, "a-b_c-0123"])
def test_clients_may_choose_short_plain_ids(text: str) -> None:
    assert is_job_id(text)


@pytest.mark.parametrize(
    "text", ["", "a" * 7, "a" * 65, "abcdefgh ", "abcdefgh\n", "../../etc", "ünicode0", "a b c d e"]
)
def test_other_ids_are_refused(text: str) -> None:
    assert not is_job_id(text)
