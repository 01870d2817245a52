"""Tests of `app/accounts/accounts.py`: who is let in, and as whom."""

import asyncio

import jwt
import pytest

from app.accounts.accounts import Accounts
from app.accounts.caller import COMMAND_LINE_ID, DEMO_USER_ID, LAUNCHER_ID, SUPERUSER_ID
from app.accounts.models import User
from app.accounts.roles import Approval, Role
from app.accounts.tokens import Tokens
from app.errors import NavigatorError, NotApproved, NotAuthenticated
from app.setting_types import DatabaseLocation
from tests.waiting import until

SECRET = "a secret key of thirty-two characters"
SUPERUSER_TOKEN = "the token of the superuser"

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def accounts(database: DatabaseLocation) -> Accounts:
    """Accounts with a superuser and the demo user."""
    ours = make_accounts()
    await ours.ensure_system_users()
    return ours


def make_accounts(
    *, superuser_token: str | None = SUPERUSER_TOKEN, demo_user: bool = True
) -> Accounts:
    """Accounts on the database that is open."""
    return Accounts(Tokens(SECRET, 3600), superuser_token=superuser_token, demo_user=demo_user)


async def make_token(
    user_id: str,
    role: Role = Role.APPRENTICE,
    approval: Approval = Approval.APPROVED,
    epoch: int = 0,
) -> str:
    """Creates a user; gives a token of theirs."""
    user = await User.create(id=user_id, role=role, approval=approval, token_epoch=epoch)
    return Tokens(SECRET, 3600).issue(user)


async def refusal(accounts: Accounts, token: str) -> NavigatorError:
    """How the token is refused."""
    with pytest.raises((NotAuthenticated, NotApproved)) as caught:
        await accounts.authenticate_token(token)
    return caught.value


async def test_user_is_let_in_with_the_role_of_now(accounts: Accounts) -> None:
    token = await make_token("1", Role.APEX)
    await User.filter(id="1").update(role=Role.ARTIFICER)
    caller = await accounts.authenticate(f"Bearer {token}")
    assert (caller.user_id, caller.role) == ("1", Role.ARTIFICER)
    assert caller.claims["role"] == 2
    assert caller.claims.keys() == {"discord_id", "role", "iat", "exp"}


@pytest.mark.parametrize(
    ("role", "approval", "code"),
    [
        (Role.NONE, Approval.APPROVED, "USER_DISABLED"),
        (Role.NONE, Approval.PENDING, "USER_DISABLED"),
        (Role.APEX, Approval.DENIED, "USER_DISABLED"),
        (Role.APPRENTICE, Approval.PENDING, "USER_PENDING"),
        (Role.APEX, Approval.PENDING, "USER_PENDING"),
    ],
)
async def test_user_without_role_or_approval_is_refused(
    accounts: Accounts, role: Role, approval: Approval, code: str
) -> None:
    error = await refusal(accounts, await make_token("1", role, approval))
    assert (error.status, error.code) == (403, code)


async def test_unknown_user_is_refused_and_not_created(accounts: Accounts) -> None:
    token = Tokens(SECRET, None).issue(User(id="unknown", role=Role.APEX))
    assert (await refusal(accounts, token)).code == "USER_DISABLED"
    assert not await User.exists(id="unknown")


async def test_raised_epoch_ends_every_older_token(accounts: Accounts) -> None:
    token = await make_token("1", epoch=3)
    assert (await accounts.authenticate_token(token)).user_id == "1"
    without_epoch = jwt.encode({"discord_id": "1"}, SECRET, "HS256")
    assert (await refusal(accounts, without_epoch)).status == 401
    await User.filter(id="1").update(token_epoch=4)

    async def is_refused() -> bool:
        try:
            await accounts.authenticate_token(token)
        except NotAuthenticated:
            return True
        return False

    await until(is_refused, timeout_s=2)
    newer = Tokens(SECRET, 3600).issue(await User.get(id="1"))
    assert (await accounts.authenticate_token(newer)).user_id == "1"


@pytest.mark.parametrize("epoch", [1, -1, 2**40])
async def test_token_of_another_epoch_is_refused(accounts: Accounts, epoch: int) -> None:
    await make_token("1")
    token = jwt.encode({"discord_id": "1", "epoch": epoch}, SECRET, "HS256")
    assert (await refusal(accounts, token)).message == "jwt expired"


async def test_stale_token_of_a_disabled_user_is_401(accounts: Accounts) -> None:
    token = await make_token("1", Role.NONE, Approval.DENIED)
    await User.filter(id="1").update(token_epoch=1)
    assert (await refusal(accounts, token)).status == 401


async def test_ids_of_tokens_are_compared_byte_by_byte(accounts: Accounts) -> None:
    await make_token("ünal")
    for other in ("Ünal", "unal", "ÜNAL"):
        token = jwt.encode({"discord_id": other}, SECRET, "HS256")
        assert (await refusal(accounts, token)).code == "USER_DISABLED"


async def test_disabled_user_is_locked_out_soon(accounts: Accounts) -> None:
    token = await make_token("1")
    await accounts.authenticate_token(token)
    await User.filter(id="1").update(approval=Approval.DENIED)

    async def is_refused() -> bool:
        try:
            await accounts.authenticate_token(token)
        except NotApproved:
            return True
        return False

    await until(is_refused, timeout_s=2)


async def test_bursts_of_requests_are_all_answered(accounts: Accounts) -> None:
    issued = [await make_token(str(number)) for number in range(20)]
    callers = await asyncio.gather(*(accounts.authenticate_token(t) for t in issued * 5))
    assert [caller.user_id for caller in callers] == [str(n) for n in range(20)] * 5


async def test_superuser_token_is_the_whole_header(accounts: Accounts) -> None:
    caller = await accounts.authenticate(SUPERUSER_TOKEN)
    assert (caller.user_id, caller.role) == (SUPERUSER_ID, Role.APEX)
    assert SUPERUSER_TOKEN not in str(caller)
    for header in (f"Bearer {SUPERUSER_TOKEN}", f"{SUPERUSER_TOKEN} ", SUPERUSER_TOKEN.upper(),
                   SUPERUSER_TOKEN[:-1], f"x{SUPERUSER_TOKEN}", "\xff"):  # fmt: skip
        with pytest.raises(NotAuthenticated):
            await accounts.authenticate(header)
    with pytest.raises(NotAuthenticated):
        await accounts.authenticate_token(SUPERUSER_TOKEN)


async def test_superuser_is_off_without_a_token(accounts: Accounts) -> None:
    for header in ("", "None", SUPERUSER_TOKEN):
        with pytest.raises(NotAuthenticated):
            await make_accounts(superuser_token=None).authenticate(header)


async def test_missing_header_and_missing_token_are_told_apart(accounts: Accounts) -> None:
    for header, reason in (
        (None, "Unauthorized"),
        ("", "jwt must be provided"),
        ("Bearer", "jwt must be provided"),
        ("Bearer ", "jwt must be provided"),
        ("Bearer  ", "jwt malformed"),
        ("Bearer x y", "jwt malformed"),
    ):
        with pytest.raises(NotAuthenticated) as caught:
            await accounts.authenticate(header)
        assert caught.value.message == reason, header
        assert caught.value.summary == "Unauthorized"


async def demo_token() -> str:
    """A token of the demo user's."""
    return Tokens(SECRET, 3600).issue(await User.get(id=DEMO_USER_ID))


async def test_demo_user_that_is_off_gets_no_entry(accounts: Accounts) -> None:
    token = await demo_token()
    assert (await accounts.authenticate_token(token)).role == Role.ARTIFICER
    off = make_accounts(demo_user=False)
    assert (await refusal(off, token)).message == "Demo user was disabled"


async def test_forgotten_demo_user_stays_out(accounts: Accounts) -> None:
    token = await demo_token()
    await User.filter(id=DEMO_USER_ID).update(role=Role.NONE, token_epoch=1)
    fresh = make_accounts()
    await fresh.ensure_system_users()
    assert (await refusal(fresh, token)).status == 401
    assert (await refusal(fresh, await demo_token())).code == "USER_DISABLED"


async def test_programs_of_the_owner_have_keys_of_their_own(database: DatabaseLocation) -> None:
    accounts = Accounts(
        Tokens(SECRET, 3600),
        superuser_token=SUPERUSER_TOKEN,
        demo_user=False,
        programs={"key of the launcher": LAUNCHER_ID, "key of commands": COMMAND_LINE_ID},
    )
    for key, name in (
        ("key of the launcher", LAUNCHER_ID),
        ("key of commands", COMMAND_LINE_ID),
        (SUPERUSER_TOKEN, SUPERUSER_ID),
    ):
        for caller in (await accounts.authenticate(key), await accounts.authenticate_socket(key)):
            assert (caller.user_id, caller.role) == (name, Role.APEX)
    for other in ("key of the launche", "key of the launcher ", "Key of the launcher", "é"):
        with pytest.raises(NotAuthenticated):
            await accounts.authenticate(other)


async def test_changed_user_is_read_again_at_once(accounts: Accounts) -> None:
    token = await make_token("1", Role.ARTIFICER)
    await accounts.authenticate_token(token)
    await User.filter(id="1").update(approval=Approval.DENIED)
    accounts.changed("1")
    assert (await refusal(accounts, token)).code == "USER_DISABLED"


async def test_system_users_are_made_once(accounts: Accounts) -> None:
    await User.filter(id=DEMO_USER_ID).update(name="renamed")
    await asyncio.gather(*(make_accounts().ensure_system_users() for _ in range(3)))
    assert await User.all().count() == 2
    assert (await User.get(id=DEMO_USER_ID)).name == "renamed"


async def test_socket_may_send_the_superuser_token_or_any_other(accounts: Accounts) -> None:
    token = await make_token("1")
    assert (await accounts.authenticate_socket(token)).user_id == "1"
    caller = await accounts.authenticate_socket(SUPERUSER_TOKEN)
    assert (caller.user_id, caller.role) == (SUPERUSER_ID, Role.APEX)
    for given in (f"Bearer {SUPERUSER_TOKEN}", SUPERUSER_TOKEN[:-1], ""):
        with pytest.raises(NotAuthenticated):
            await accounts.authenticate_socket(given)
    # Over HTTP it is the whole header; nothing changes there.
    with pytest.raises(NotAuthenticated):
        await accounts.authenticate(f"Bearer {SUPERUSER_TOKEN}")


async def test_without_a_superuser_no_socket_is_theirs(accounts: Accounts) -> None:
    with pytest.raises(NotAuthenticated):
        await make_accounts(superuser_token=None).authenticate_socket(SUPERUSER_TOKEN)
