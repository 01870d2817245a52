"""Tests of `app/web/session_cookie.py`: what the cookie opens, and what it does not."""

import asyncio
import re
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from app.web.session_cookie import NAME
from tests.running import JOB_PATH, SUPERUSER_TOKEN, RunningNavigator, running_navigator

FAR = {"X-Forwarded-For": "198.51.100.1"}


@pytest.fixture
async def proxied(tmp_path: Path) -> AsyncIterator[RunningNavigator]:
    """A Navigator that believes whoever is on this machine about addresses."""
    async with running_navigator(tmp_path, TRUSTED_PROXIES="127.0.0.0/8") as running:
        yield running


def cookie(token: str) -> dict[str, str]:
    """The header of a browser that logged in."""
    return {"Cookie": f"other=1; {NAME}={token}"}


async def set_by(server: RunningNavigator, path: str, **headers: str) -> SimpleCookie:
    """The cookies that an answer sets."""
    answer = await server.post(path, {"code": "DEMO_USER"}, headers=headers)
    assert answer.status == 200
    return SimpleCookie(answer.headers["Set-Cookie"])


async def test_login_sets_the_cookie_as_long_as_the_token_lasts(server: RunningNavigator) -> None:
    found = (await set_by(server, "/api/auth/login"))[NAME]
    assert (await server.get("/api/user/me", token=found.value)).json["user"]["discord_id"]
    assert 3 * 3600 - 60 <= int(found["max-age"]) <= 3 * 3600
    assert (found["path"], found["httponly"], found["samesite"]) == ("/", True, "Lax")
    assert (found["secure"], found["domain"]) == ("", "")


async def test_cookie_is_secure_over_tls(proxied: RunningNavigator) -> None:
    found = await set_by(proxied, "/api/auth/login", **{"X-Forwarded-Proto": "https"})
    assert found[NAME]["secure"]


async def test_failed_login_sets_none(server: RunningNavigator) -> None:
    answer = await server.post("/api/auth/login", {"code": "nonsense"})
    assert (answer.status, "Set-Cookie" in answer.headers) == (401, False)


async def test_logout_takes_it_away(server: RunningNavigator) -> None:
    found = (await set_by(server, "/api/auth/logout"))[NAME]
    assert (found.value, found["max-age"], found["path"]) == ("", "0", "/")


async def test_cookie_changes_nothing(server: RunningNavigator, token: str) -> None:
    body = {"model_name": "dreamModel_v1", "prompt": "a fox"}
    for path in (JOB_PATH, "/api/queue/interrupt/somejobid", "/api/queue/retry/somejobid"):
        assert (await server.post(path, body, headers=cookie(token))).status == 401
    assert (await server.get("/api/user/me", headers=cookie(token))).status == 401


async def test_owner_is_shown_to_the_owners_cookie(server: RunningNavigator, token: str) -> None:
    path = f"/api/images/{await server.picture(token)}/info"
    assert "owner_id" in (await server.get(path, headers=cookie(token))).json["parameters"]
    for bad in ("garbage", "", SUPERUSER_TOKEN, await server.add_user("somebody")):
        answer = await server.get(path, headers=cookie(bad))
        assert (answer.status, "owner_id" in answer.json["parameters"]) == (200, False)
    header_wins = await server.get(path, token="garbage", headers=cookie(token))
    assert "owner_id" not in header_wins.json["parameters"]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_socket_of_our_own_page_hears_its_users_jobs_from_anywhere(
    proxied: RunningNavigator, transport: str
) -> None:
    token = await proxied.login()
    for origin in ({}, {"Origin": proxied.url}):
        async with proxied.listening(
            headers=cookie(token) | FAR | origin, transport=transport
        ) as heard:
            job_id = (await proxied.submit(token))["job_id"]
            await heard.event("task-finished", job_id)
            names = [name for name, _ in heard.of(job_id)]
            assert names.count("task-finished") == 1


async def test_address_is_heard_with_the_cookie_too(proxied: RunningNavigator) -> None:
    other = await proxied.add_user("other")
    async with proxied.listening(headers=cookie(await proxied.login()) | FAR) as heard:
        job_id = (await proxied.submit(other, headers=FAR))["job_id"]
        await heard.event("task-finished", job_id)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1", ""]
)
async def test_socket_of_another_page_does_not(proxied: RunningNavigator, origin: str) -> None:
    token, far = await proxied.login(), await proxied.add_user("far")
    async with proxied.listening(headers=cookie(token) | FAR | {"Origin": origin}) as heard:
        unheard = (await proxied.submit(token))["job_id"]
        job_id = (await proxied.submit(far, headers=FAR))["job_id"]
        await heard.event("task-finished", job_id)
        assert heard.of(unheard) == []


async def test_bad_cookie_keeps_no_socket_out(proxied: RunningNavigator) -> None:
    token = await proxied.login()
    for bad in ("garbage", SUPERUSER_TOKEN, "é"):
        async with proxied.listening(headers=cookie(bad)) as heard:
            job_id = (await proxied.submit(token))["job_id"]
            await heard.event("task-finished", job_id)


async def test_script_of_another_page_hears_nothing(proxied: RunningNavigator) -> None:
    """JSONP: any page may run what a script's address answers, and no browser says which one."""
    token, far = await proxied.login(), await proxied.add_user("far")
    headers = cookie(token) | FAR
    address = f"{proxied.url}/socket.io/?EIO=4&transport=polling&j=0"
    async with proxied.http.get(address, headers=headers) as response:
        sid = re.findall(r'\\"sid\\":\\"([^\\]+)', await response.text())[0]
    address += f"&sid={sid}"
    async with proxied.http.post(address, headers=headers, data={"d": "40"}) as response:
        assert response.status == 200
    unheard = (await proxied.submit(token))["job_id"]
    heard = (await proxied.submit(far, headers=FAR))["job_id"]
    told = ""
    async with asyncio.timeout(10):
        while "task-finished" not in told:
            async with proxied.http.get(address, headers=headers) as response:
                told += await response.text()
    assert heard in told
    assert unheard not in told
