"""Tests of `app/web/people_answers.py`."""

from datetime import UTC, datetime, timedelta, timezone

from app.accounts.models import AuditEntry, Invitation, User
from app.accounts.roles import Approval, Role
from app.web.people_answers import admin_invitation, admin_user, audit_log_entry

MOMENT = datetime(2026, 3, 4, 7, 6, 7, 123456, tzinfo=timezone(timedelta(hours=2)))
TEXT = "2026-03-04T05:06:07.123+00:00"


def test_user_is_shown_with_state_and_moments_in_utc() -> None:
    user = User(
        id="1", name="Mira", role=Role.NONE, approval=Approval.PENDING, provider="discord",
        avatar="abc", knocked_at=MOMENT, knock_address="192.0.2.9", created_at=MOMENT,
    )  # fmt: skip
    assert admin_user(user) == {
        "id": "1",
        "name": "Mira",
        "avatar": "abc",
        "provider": "discord",
        "role": 0,
        "state": "pending",
        "knocked_at": TEXT,
        "knock_address": "192.0.2.9",
        "last_login_at": None,
        "created_at": TEXT,
    }


def test_invitation_is_shown_without_its_code() -> None:
    invitation = Invitation(
        id="a" * 12, code_sha256="b" * 64, role=Role.APPRENTICE, name="", is_preapproved=True,
        max_uses=2, uses=1, created_by="boss", user_id=None, created_at=MOMENT, expires_at=MOMENT,
    )  # fmt: skip
    shown = admin_invitation(invitation)
    assert "b" * 64 not in str(shown)
    assert (shown["uses"], shown["max_uses"], shown["expires_at"]) == (1, 2, TEXT)
    assert (shown["preapproved"], shown["user_id"], shown["revoked_at"]) == (True, None, None)


def test_entry_of_the_audit_log_is_shown_whole() -> None:
    entry = AuditEntry(
        id=5, happened_at=datetime(2026, 3, 4, 5, 6, 7, 123999, tzinfo=UTC), actor="boss",
        address=None, action="approve", subject="1", details={"role": 1},
    )  # fmt: skip
    assert audit_log_entry(entry) == {
        "id": 5,
        "happened_at": TEXT,
        "actor": "boss",
        "address": None,
        "action": "approve",
        "subject": "1",
        "details": {"role": 1},
    }
