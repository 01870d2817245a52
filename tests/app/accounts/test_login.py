"""Tests of `app/accounts/login.py`, on both databases: who gets a token, who has to wait."""

import asyncio
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from app.accounts.identity import DISCORD, Attempt, Identity, local_profile
from app.accounts.login import MAX_CODE_CHARS, Logins, known_user, shown_name
from app.accounts.models import AuditEntry, User
from app.accounts.roles import Approval, Role
from app.accounts.tokens import Tokens
from app.errors import InvalidInput, NotApproved, NotAuthenticated
from app.events import EventBus, UserPending
from app.setting_types import DatabaseLocation
from tests.app.accounts.people import add_user, heard

SECRET = "a secret key of thirty-two characters"
ADDRESS = "192.0.2.9"


class Vouching:
    """A provider whose codes are `<provider's name>:<user's id>:<name>`."""

    def __init__(self, name: str = DISCORD, lifetime_s: float | None = -1):
        self.name = name
        self.lifetime_s = lifetime_s
        self.asked: list[str] = []

    async def identify(self, attempt: Attempt) -> Identity | None:
        self.asked.append(attempt.code)
        provider, _, rest = attempt.code.partition(":")
        if provider != self.name:
            return None
        user_id, _, name = rest.partition(":")
        profile = local_profile(user_id, name)
        return Identity(user_id, name, self.name, profile, lifetime_s=self.lifetime_s)


@pytest.fixture
def events() -> EventBus:
    return EventBus()


@pytest.fixture
def logins(database: DatabaseLocation, events: EventBus) -> Logins:
    return Logins(Tokens(SECRET, 3600), events, [Vouching()])


async def refused(logins: Logins, code: str, address: str = ADDRESS) -> NotApproved:
    """How somebody known is refused."""
    with pytest.raises(NotApproved) as caught:
        await logins.login(Attempt(code, address))
    assert caught.value.message.startswith("This user does not have API access yet.")
    return caught.value


async def test_approved_user_gets_token_profile_and_role(logins: Logins) -> None:
    await add_user("1", Role.ARTIFICER)
    login = await logins.login(Attempt("discord:1:Mira", ADDRESS))
    claims = jwt.decode(login.token, SECRET, algorithms=["HS256"])
    assert (claims["discord_id"], claims["role"], claims["epoch"]) == ("1", 2, 0)
    assert claims["exp"] - claims["iat"] == 3600
    assert (login.profile["global_name"], login.role) == ("Mira", Role.ARTIFICER)
    user = await User.get(id="1")
    assert (user.name, user.provider) == ("Mira", DISCORD)
    assert user.last_login_at is not None


async def test_stranger_waits_and_the_owner_hears_of_it_once(
    logins: Logins, events: EventBus
) -> None:
    async with heard(events) as happened:
        for _ in range(3):
            assert (await refused(logins, "discord:1:Mira")).code == "USER_PENDING"
    assert [type(event) for event in happened] == [UserPending]
    event = happened[0]
    assert isinstance(event, UserPending)
    assert (event.user.id, event.user.name, event.address) == ("1", "Mira", ADDRESS)
    user = await User.get()
    assert (user.approval, user.role, user.provider) == (Approval.PENDING, Role.NONE, DISCORD)
    assert (user.name, user.knock_address) == ("Mira", ADDRESS)
    assert user.knocked_at is not None
    assert [entry.action for entry in await AuditEntry.all()] == ["knock"]


@pytest.mark.parametrize("moved", [timedelta(minutes=-11), timedelta(days=400)])
async def test_owner_hears_again_later_and_when_the_clock_jumped(
    logins: Logins, events: EventBus, moved: timedelta
) -> None:
    await refused(logins, "discord:1:Mira")
    await User.all().update(noticed_at=datetime.now(UTC) + moved)
    async with heard(events) as happened:
        for _ in range(2):
            await refused(logins, "discord:1:Mira Blau", "192.0.2.10")
    assert len(happened) == 1
    user = await User.get()
    assert (user.name, user.knock_address) == ("Mira Blau", "192.0.2.10")


async def test_two_logins_of_one_stranger_at_once_make_one_row(
    logins: Logins, events: EventBus
) -> None:
    async with heard(events) as happened:
        await asyncio.gather(*(refused(logins, "discord:1:Mira") for _ in range(10)))
    assert await User.all().count() == 1
    assert len(happened) == 1


@pytest.mark.parametrize(
    ("role", "approval"),
    [
        (Role.NONE, Approval.DENIED),
        (Role.APEX, Approval.DENIED),
        (Role.NONE, Approval.APPROVED),
    ],
)
async def test_who_was_shut_out_is_told_so_and_nobody_else(
    logins: Logins, events: EventBus, role: Role, approval: Approval
) -> None:
    await add_user("1", role, approval)
    async with heard(events) as happened:
        assert (await refused(logins, "discord:1:Mira")).code == "USER_DISABLED"
    assert happened == []
    assert (await User.get()).last_login_at is None


async def test_code_that_nobody_knows_is_refused(logins: Logins) -> None:
    for code in ("x", "other:1:Mira", "nav-" + "a" * 32, "🦊", "a\0b"):
        with pytest.raises(NotAuthenticated) as caught:
            await logins.login(Attempt(code, ADDRESS))
        assert caught.value.code == "LOGIN_FAILED"
    with pytest.raises(InvalidInput):
        await logins.login(Attempt("", ADDRESS))
    assert not await User.exists()


async def test_nobody_is_asked_about_a_code_that_is_far_too_long(
    database: DatabaseLocation, events: EventBus
) -> None:
    provider = Vouching()
    logins = Logins(Tokens(SECRET, 3600), events, [provider])
    with pytest.raises(NotAuthenticated):
        await logins.login(Attempt("discord:" + "x" * MAX_CODE_CHARS, ADDRESS))
    assert provider.asked == []


async def test_first_provider_that_knows_the_code_decides(
    database: DatabaseLocation, events: EventBus
) -> None:
    await add_user("1")
    first, second = Vouching("local", lifetime_s=None), Vouching()
    logins = Logins(Tokens(SECRET, 3600), events, [first, second])
    login = await logins.login(Attempt("local:1:Mira", ADDRESS))
    assert "exp" not in jwt.decode(login.token, SECRET, algorithms=["HS256"])
    await logins.login(Attempt("discord:1:Mira", ADDRESS))
    assert second.asked == ["discord:1:Mira"]


async def test_known_user_stays_as_they_are(database: DatabaseLocation) -> None:
    await add_user("1", Role.APEX)
    user = await known_user(Identity("1", "Other", DISCORD, {}))
    assert (user.role, user.name) == (Role.APEX, "1")


def test_name_is_the_first_that_shows_something() -> None:
    profile = {"global_name": "\u202e", "username": " mira ", "other": 5}
    assert shown_name(profile, "global_name", "username", otherwise="1") == "mira"
    assert shown_name(profile, "missing", "other", otherwise="1") == "1"
