"""Tests of `app/web/picture_access.py`: pictures with and without public links."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.accounts.roles import Approval, Role
from app.web.session_cookie import NAME
from tests.running import SUPERUSER_TOKEN, RunningNavigator, running_navigator

PATHS = ["/api/images/{}", "/api/images/{}.png", "/api/images/{}/thumbnail", "/embed/{}"]
PREVIEW = "/api/previews/someone"


@pytest.fixture
async def protected(tmp_path: Path) -> AsyncIterator[RunningNavigator]:
    """A Navigator that shows pictures to who logged in, and has one preview."""
    async with running_navigator(tmp_path, PUBLIC_IMAGE_LINKS="false") as running:
        yield running


async def paths_of(server: RunningNavigator) -> list[str]:
    """The addresses of a picture of the demo user's."""
    picture = await server.picture(await server.login())
    return [path.format(picture) for path in PATHS]


def cookie(token: str) -> dict[str, str]:
    """The header of a browser that logged in."""
    return {"Cookie": f"other=1; {NAME}={token}"}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_any_login_shows_any_picture(protected: RunningNavigator, method: str) -> None:
    friend = await protected.add_user("friend")
    for path in await paths_of(protected):
        for headers in (
            {"Authorization": f"Bearer {friend}"},
            {"Authorization": SUPERUSER_TOKEN},
            cookie(friend),
        ):
            answer = await protected.request(method, path, headers=headers)
            assert answer.status == 200, path
            assert "private" in answer.headers["Cache-Control"]
            assert "max-age" not in answer.headers["Cache-Control"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_refusals_come_in_the_order_of_every_other_route(
    protected: RunningNavigator, method: str
) -> None:
    paths = [*await paths_of(protected), PREVIEW, "/api/images/unknown", "/embed/unknown"]
    expired = await protected.add_user("late", lifetime_s=-5)
    refused = {
        await protected.add_user("denied", Role.APEX, Approval.DENIED): (403, "USER_DISABLED"),
        await protected.add_user("pending", Role.APEX, Approval.PENDING): (403, "USER_PENDING"),
        await protected.add_user("none", Role.NONE): (403, "USER_DISABLED"),
        expired: (401, "NOT_AUTHENTICATED"),
        f"{expired}x": (401, "NOT_AUTHENTICATED"),
    }
    for path in paths:
        for token, (status, code) in refused.items():
            for headers in ({"Authorization": f"Bearer {token}"}, cookie(token)):
                answer = await protected.request(method, path, headers=headers)
                assert answer.status == status, path
                assert method == "HEAD" or answer.json["error_code"] == code
        for headers in ({}, {"Cookie": f"{NAME}="}, cookie("garbage"), cookie(SUPERUSER_TOKEN)):
            assert (await protected.request(method, path, headers=headers)).status == 401


async def test_spellings_are_no_side_door(protected: RunningNavigator) -> None:
    for path in [*await paths_of(protected), PREVIEW]:
        first, _, name = path.strip("/").partition("/")
        for spelling in (f"{path}/", f"/{first.upper()}/{name}", f"{path}?token=x"):
            assert (await protected.get(spelling)).status == 401


async def test_header_wins_over_the_cookie(protected: RunningNavigator) -> None:
    friend = await protected.add_user("friend")
    path = (await paths_of(protected))[0]
    answer = await protected.get(path, token="garbage", headers=cookie(friend))
    assert answer.status == 401


async def test_unknown_pictures_look_as_ever_to_who_may_see_some(
    protected: RunningNavigator,
) -> None:
    friend = await protected.add_user("friend")
    for path in ("/api/images/unknown", "/api/images/unknown/thumbnail", "/embed/unknown", PREVIEW):
        assert (await protected.get(path, token=friend)).status == 404


async def test_preview_is_shown_and_not_kept(protected: RunningNavigator) -> None:
    token = await protected.login()
    accepted = await protected.submit(token, steps=20)
    await protected.finished(accepted["job_id"])
    answer = await protected.get(f"/api/previews/{accepted['job_id']}", headers=cookie(token))
    assert answer.status in {200, 404}  # there is one if Forge was asked for it in time
    assert (await protected.get(f"/api/previews/{accepted['job_id']}")).status == 401


async def test_known_picture_is_answered_with_304_only_to_who_may_see_it(
    protected: RunningNavigator,
) -> None:
    friend = await protected.add_user("friend")
    for path in (await paths_of(protected))[:3]:
        tag = (await protected.get(path, token=friend)).headers["ETag"]
        known = {"If-None-Match": tag}
        assert (await protected.get(path, headers=known)).status == 401
        answer = await protected.get(path, headers=known | cookie(friend))
        assert (answer.status, answer.headers["Cache-Control"]) == (304, "private, no-cache")


async def test_no_page_of_another_origin_can_read_them_with_a_cookie(
    protected: RunningNavigator,
) -> None:
    token = await protected.login()
    origin = {"Origin": "https://evil.example"}
    for path in await paths_of(protected):
        answer = await protected.get(path, headers=cookie(token) | origin)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_cookie_of_a_login_is_enough(protected: RunningNavigator) -> None:
    path = (await paths_of(protected))[0]
    login = await protected.post("/api/auth/login", {"code": "DEMO_USER"})
    sent = login.headers["Set-Cookie"].partition(";")[0]
    assert (await protected.get(path, headers={"Cookie": sent})).status == 200


async def test_guesses_at_the_superuser_token_are_counted(protected: RunningNavigator) -> None:
    path = (await paths_of(protected))[0]
    statuses = [(await protected.get(path, token="garbage")).status for _ in range(11)]
    assert statuses == [401] * 10 + [429]


async def test_public_links_ask_nobody_and_read_no_user(server: RunningNavigator) -> None:
    paths = await paths_of(server)
    token = await server.login()
    await server.get(paths[2])  # makes the thumbnail
    connection = sqlite3.connect(server.settings.data_dir / "navigator.sqlite3")
    connection.execute("ALTER TABLE account RENAME TO gone")
    connection.close()
    for path in paths:
        for headers in ({}, {"Authorization": "garbage"}, cookie(token), cookie("garbage")):
            for _ in range(4):
                answer = await server.get(path, headers=headers)
                assert answer.status == 200
        assert "no-cache" not in answer.headers.get("Cache-Control", "")
