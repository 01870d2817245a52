"""Tests of `app/web/account_routes.py`: how often an address may try to log in."""

from pathlib import Path

from tests.running import Answer, RunningNavigator, running_navigator

LOGIN = "/api/auth/login"
BURST = 10


async def attempt(server: RunningNavigator, code: object = "x", address: str = "") -> Answer:
    """One login, through a trusted proxy if an address is named."""
    headers = {"X-Forwarded-For": address} if address else {}
    return await server.post(LOGIN, {"code": code}, headers=headers)


async def test_eleventh_attempt_is_refused_and_told_when_to_come_again(
    server: RunningNavigator,
) -> None:
    codes: list[object] = ["DEMO_USER", "x", "", 5, None] * 2
    statuses = [(await attempt(server, code)).status for code in codes]
    assert statuses == [200, 401, 400, 401, 401] * 2
    answer = await attempt(server, "DEMO_USER")
    assert (answer.status, answer.json["error_code"]) == (429, "THROTTLED")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["Retry-After"] in answer.json["error"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
    assert "Set-Cookie" not in answer.headers


async def test_attempts_that_make_no_sense_count_too(server: RunningNavigator) -> None:
    for body in (b"{", b"[]", b"{}", b"", b'{"code": 1}') * 2:
        await server.post(LOGIN, body)
    assert (await attempt(server, "DEMO_USER")).status == 429


async def test_everything_else_goes_on_meanwhile(server: RunningNavigator, token: str) -> None:
    while (await attempt(server)).status != 429:
        pass
    assert (await server.get("/api/user/me", token=token)).status == 200
    assert (await server.post("/api/auth/logout")).status == 200
    preflight = await server.request("OPTIONS", LOGIN)
    assert preflight.status == 200


async def test_addresses_are_told_apart_only_by_trusted_proxies(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, TRUSTED_PROXIES="127.0.0.0/8") as server:
        for _ in range(BURST):
            assert (await attempt(server, address="198.51.100.1")).status == 401
        assert (await attempt(server, address="198.51.100.1")).status == 429
        assert (await attempt(server, address="198.51.100.2")).status == 401
        for number in range(BURST):
            assert (await attempt(server, address=f"2001:db8::{number}")).status == 401
        assert (await attempt(server, address="2001:db8::ffff")).status == 429


async def test_invented_addresses_are_one(server: RunningNavigator) -> None:
    for number in range(BURST):
        assert (await attempt(server, address=f"198.51.100.{number}")).status == 401
    assert (await attempt(server, address="198.51.100.99")).status == 429
