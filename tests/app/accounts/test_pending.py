"""Tests of `app/accounts/pending.py`, on both databases."""

from datetime import UTC, datetime

import pytest

from app.accounts.models import User
from app.accounts.pending import count_pending
from app.accounts.roles import Approval

NOW = datetime(2026, 3, 4, tzinfo=UTC)


@pytest.mark.usefixtures("database")
async def test_those_count_who_knocked_and_wait() -> None:
    assert await count_pending() == 0
    for number, (approval, knocked_at, forgotten_at) in enumerate(
        [
            (Approval.PENDING, NOW, None),
            (Approval.PENDING, NOW, None),
            (Approval.PENDING, None, None),
            (Approval.PENDING, NOW, NOW),
            (Approval.APPROVED, NOW, None),
            (Approval.DENIED, NOW, None),
        ]
    ):
        await User.create(
            id=str(number), approval=approval, knocked_at=knocked_at, forgotten_at=forgotten_at
        )
    assert await count_pending() == 2
