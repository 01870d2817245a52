"""Tests of `app/web/access.py`: whoever guesses at the superuser token is soon not heard."""

import pytest

from tests.listening import Refused
from tests.running import SUPERUSER_TOKEN, Answer, RunningNavigator

ME = "/api/user/me"
BURST = 10


async def me(server: RunningNavigator, header: str) -> Answer:
    """Who the server says that is."""
    return await server.get(ME, headers={"Authorization": header})


async def guess_until_refused(server: RunningNavigator) -> None:
    """Guesses as often as anybody may."""
    for number in range(BURST):
        assert (await me(server, f"guess {number}")).status == 401


async def test_eleventh_guess_is_refused_even_if_it_is_right(server: RunningNavigator) -> None:
    await guess_until_refused(server)
    for header in ("guess 10", "Bearer garbage", SUPERUSER_TOKEN):
        answer = await me(server, header)
        assert (answer.status, answer.json["error_code"]) == (429, "THROTTLED")
        assert 0 < int(answer.headers["Retry-After"]) <= 60


async def test_logins_and_strangers_go_on_meanwhile(server: RunningNavigator, token: str) -> None:
    await guess_until_refused(server)
    assert (await server.get(ME, token=token)).status == 200
    assert (await server.get(ME, token=f"{token}x")).status == 401
    assert (await server.get(ME)).status == 401
    assert (await me(server, "")).status == 401
    assert (await server.get("/api/models", headers={"Authorization": "guess"})).status == 200


async def test_expired_logins_and_the_right_token_are_no_guesses(
    server: RunningNavigator,
) -> None:
    expired = await server.add_user("1", lifetime_s=-5)
    for _ in range(BURST + 5):
        assert (await server.get(ME, token=expired)).status == 401
        assert (await me(server, SUPERUSER_TOKEN)).status == 200


async def test_public_routes_are_no_side_door(server: RunningNavigator, token: str) -> None:
    path = f"/api/images/{await server.picture(token)}/info"
    for number in range(BURST):
        answer = await server.get(path, headers={"Authorization": f"guess {number}"})
        assert (answer.status, "owner_id" in answer.json["parameters"]) == (200, False)
    answer = await server.get(path, headers={"Authorization": SUPERUSER_TOKEN})
    assert (answer.status, "owner_id" in answer.json["parameters"]) == (200, False)
    assert (await me(server, SUPERUSER_TOKEN)).status == 429


async def test_sockets_are_no_side_door(server: RunningNavigator, token: str) -> None:
    for number in range(BURST):
        with pytest.raises(Refused, match="jwt"):
            async with server.listening(f"guess {number}"):
                pass
    for given in ("guess", SUPERUSER_TOKEN):
        with pytest.raises(Refused, match="Too many attempts"):
            async with server.listening(given):
                pass
    assert (await me(server, SUPERUSER_TOKEN)).status == 429
    async with server.listening(token), server.listening():
        pass
