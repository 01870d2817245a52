"""Logging in to Compass, staying logged in, and being logged out."""

from pathlib import Path

import pytest

from app.accounts.models import User
from app.accounts.roles import Approval, Role
from tests.e2e.browser import Browser
from tests.e2e.compass import Compass, build
from tests.e2e.conftest import opened
from tests.e2e.rows import shows
from tests.running import SUPERUSER_TOKEN, RunningNavigator, running_navigator

FORBIDDEN, UNAUTHORIZED = "status of 403", "status of 401"


@shows("Login", "Every start")
async def test_code_in_the_address_logs_in_and_lasts(compass: Compass) -> None:
    await compass.open("/?code=DEMO_USER")
    session = await compass.session()
    assert session is not None
    assert session["role"] == 2
    assert session["user"].keys() >= {"id", "global_name", "avatar"}
    assert await compass.page.text("#who") == "Demo User (2)"
    await compass.open()
    assert await compass.session() == session


@shows("Login")
async def test_posted_code_logs_in(compass: Compass) -> None:
    assert await compass.page.call("login", "DEMO_USER") == ""
    assert (await compass.get("/api/user/me"))["user"]["discord_id"] == "demo_user"


@shows("Login")
async def test_invitation_in_the_address_logs_in(
    compass: Compass, server: RunningNavigator
) -> None:
    await compass.page.resize(390, 844)
    boss = {"Authorization": SUPERUSER_TOKEN}
    invited = await server.post("/api/admin/invitations", {"name": "Mira"}, headers=boss)
    await compass.open(f"/?code={invited.json['code']}")
    assert await compass.page.text("#who") == "Mira (1)"
    await compass.open(f"/?code={invited.json['code']}")
    assert await compass.page.text("#who") == "Mira (1)"
    assert await User.filter(provider="local").count() == 1


@shows("Login")
async def test_friend_who_was_shut_out_is_told_so(
    compass: Compass, server: RunningNavigator
) -> None:
    compass.page.expect(FORBIDDEN)
    boss = {"Authorization": SUPERUSER_TOKEN}
    invited = await server.post("/api/admin/invitations", {"name": "Mira"}, headers=boss)
    code = invited.json["code"]
    assert await compass.page.call("login", code) == ""
    user = await User.get(provider="local")
    await server.post(f"/api/admin/users/{user.id}/disable", headers=boss)
    assert await compass.page.call("login", code) == "This account is disabled"


@shows("Login")
async def test_code_that_nobody_vouches_for_is_refused(compass: Compass) -> None:
    compass.page.expect(UNAUTHORIZED)
    assert await compass.page.call("login", "abcdef") == "Failed to log in"
    assert await compass.session() is None


@shows("Login")
async def test_switched_off_demo_user_has_a_code_of_its_own(
    browser: Browser, tmp_path: Path
) -> None:
    folder = str(build(tmp_path / "compass"))
    async with (
        running_navigator(tmp_path, COMPASS_DIR=folder, ENABLE_DEMO_USER="false") as server,
        opened(browser, server.url) as compass,
    ):
        compass.page.expect(FORBIDDEN)
        said = await compass.page.call("login", "DEMO_USER")
        assert said == "The demo user is switched off"


@shows("Every start")
@pytest.mark.parametrize("role", [Role.APPRENTICE, Role.ARCHITECT])
async def test_role_is_that_of_now(compass: Compass, server: RunningNavigator, role: Role) -> None:
    token = await server.add_user("friend", role)
    await compass.page.call("restore", token)
    await compass.open()
    session = await compass.session()
    assert session is not None
    assert session["role"] == role


@shows("Every start")
async def test_user_who_was_shut_out_is_logged_out_at_the_next_start(
    compass: Compass, server: RunningNavigator
) -> None:
    compass.page.expect(FORBIDDEN)
    await compass.page.call("restore", await server.add_user("friend"))
    await User.filter(id="friend").update(approval=Approval.DENIED)
    await compass.open()
    assert await compass.session() is None


@shows("Every call")
async def test_refusal_does_not_log_out(compass: Compass, server: RunningNavigator) -> None:
    compass.page.expect(FORBIDDEN)
    await compass.page.call("restore", await server.add_user("friend", Role.APPRENTICE))
    status, told = await compass.ask("get", "/api/models/loras?force_update_metadata=true")
    assert (status, told["error_code"]) == (403, "FORBIDDEN")
    assert await compass.session() is not None
    assert await compass.get("/api/user/categories") == []


@shows("Every call")
async def test_only_an_unusable_token_logs_out(compass: Compass, server: RunningNavigator) -> None:
    compass.page.expect(UNAUTHORIZED)
    await compass.page.call("restore", await server.add_user("friend") + "x")
    assert (await compass.ask("get", "/api/user/categories"))[0] == 401
    assert await compass.session() is None
