"""Tests of `app/accounts/providers.py`, on both databases: each way of saying who one is."""

import pytest

from app.accounts.caller import DEMO_CODE, DEMO_USER_ID
from app.accounts.identity import Attempt, IdentityProvider
from app.accounts.invitations import Invitations
from app.accounts.models import User
from app.accounts.providers import (
    DEMO_TOKEN_LIFETIME_S,
    DemoProvider,
    DiscordProvider,
    InvitationProvider,
    discord_identity,
)
from app.clients.discord import DiscordClient
from app.clients.web_http import web_session
from app.errors import Forbidden, NotAuthenticated
from app.setting_types import DatabaseLocation
from tests.app.accounts.people import BOSS, add_boss, add_user
from tests.contract import exchange
from tests.fakes.discord import FakeDiscord

ADDRESS = "192.0.2.9"


async def test_demo_user_has_a_code_that_everybody_knows() -> None:
    identity = await DemoProvider(enabled=True).identify(Attempt(DEMO_CODE, ADDRESS))
    assert identity is not None
    assert (identity.user_id, identity.provider) == (DEMO_USER_ID, None)
    assert identity.lifetime_s == DEMO_TOKEN_LIFETIME_S
    assert identity.profile == exchange(29).answer["user"]


async def test_demo_user_may_be_off() -> None:
    with pytest.raises(Forbidden) as caught:
        await DemoProvider(enabled=False).identify(Attempt(DEMO_CODE, ADDRESS))
    assert caught.value.code == "DEMO_USER_DISABLED"


@pytest.mark.parametrize("code", ["demo_user", "DEMO_USER ", "nav-x", "nav-" + "A" * 32, "🦊"])
async def test_codes_of_others_are_left_to_them(code: str) -> None:
    providers: list[IdentityProvider] = [
        DemoProvider(enabled=False),
        InvitationProvider(Invitations(), lifetime_s=None),
    ]
    assert [await one.identify(Attempt(code, ADDRESS)) for one in providers] == [None, None]


async def test_invited_friend_is_local_and_their_token_lasts(database: DatabaseLocation) -> None:
    await add_boss()
    provider = InvitationProvider(Invitations(), lifetime_s=None)
    invited = await Invitations().invite(BOSS, name="Mira")
    identity = await provider.identify(Attempt(invited.code, ADDRESS))
    assert identity is not None
    assert (identity.name, identity.provider, identity.lifetime_s) == ("Mira", "local", None)
    assert identity.profile.keys() == exchange(29).answer["user"].keys()
    assert identity.profile["id"] == identity.user_id
    assert (identity.profile["global_name"], identity.profile["avatar"]) == ("Mira", None)
    with pytest.raises(NotAuthenticated):
        await provider.identify(Attempt("nav-" + "a" * 32, ADDRESS))


async def test_way_back_in_of_somebody_from_discord_lasts_as_usual(
    database: DatabaseLocation,
) -> None:
    await add_boss()
    await add_user("100000000000000001")
    await User.filter(id="100000000000000001").update(provider="discord", avatar="abc")
    provider = InvitationProvider(Invitations(), lifetime_s=None)
    link = await Invitations().issue_login_link("100000000000000001", BOSS)
    identity = await provider.identify(Attempt(link.code, ADDRESS))
    assert identity is not None
    assert (identity.lifetime_s, identity.avatar, identity.provider) == (-1, "abc", "discord")


async def test_discord_says_who_somebody_is() -> None:
    async with FakeDiscord().serving() as discord, web_session() as session:
        client = DiscordClient(
            session,
            api_base=discord.url,
            client_id=discord.client_id,
            client_secret=discord.client_secret,
            bot_token=None,
        )
        attempt = Attempt("XYZ", ADDRESS, redirect_uri="http://192.0.2.1:3333")
        identity = await DiscordProvider(client).identify(attempt)
    assert identity is not None
    assert (identity.user_id, identity.name) == ("100000000000000001", "Test Er")
    assert identity.profile == exchange(27).answer["user"]


async def test_without_an_application_at_discord_no_code_is_of_it() -> None:
    async with web_session() as session:
        client = DiscordClient(
            session, api_base="http://127.0.0.1:9", client_id=None, client_secret=None,
            bot_token=None,
        )  # fmt: skip
        assert await DiscordProvider(client).identify(Attempt("XYZ", ADDRESS)) is None


def test_name_is_the_one_shown_at_discord() -> None:
    profile = {"id": "1", "username": "mira", "global_name": "Mira", "avatar": "abc"}
    assert discord_identity(profile).name == "Mira"
    assert discord_identity({**profile, "global_name": None}).name == "mira"
    assert discord_identity({"id": "1", "username": "\u202e"}).name == "1"
    assert discord_identity({**profile, "avatar": "x" * 256}).avatar is None
    assert discord_identity({**profile, "avatar": 5}).avatar is None
