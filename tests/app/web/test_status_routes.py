"""Tests of `app/web/status_routes.py`: what anybody may know."""

from pathlib import Path

import yarl

from tests.compass_build import make_build
from tests.databases import free_port
from tests.running import RunningNavigator, running_navigator


async def test_status_tells_of_forge_demo_user_and_compass(server: RunningNavigator) -> None:
    expected: dict[str, object] = {
        "status": "online",
        "forge": "ready",
        "demo_user": True,
        "compass": False,
    }
    expected["discord"] = None
    assert (await server.get("/api/status")).json == expected
    make_build(server.settings.compass_folder)
    assert (await server.get("/api/status")).json == expected | {"compass": True}


async def test_status_answers_while_forge_is_away(tmp_path: Path) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    async with running_navigator(tmp_path, forge=gone, ENABLE_DEMO_USER="no") as server:
        answer = await server.get("/api/status")
    assert answer.json == {
        "status": "online", "forge": "away", "demo_user": False, "compass": False, "discord": None,
    }  # fmt: skip


async def test_status_says_where_to_log_in_with_discord(tmp_path: Path) -> None:
    async with running_navigator(
        tmp_path, DISCORD_CLIENT_ID="200000000000000000", DISCORD_CLIENT_SECRET="secret"
    ) as server:
        told = await server.get("/api/status")
    address = yarl.URL(told.json["discord"]["authorize_url"])
    assert (address.host, address.path) == ("discord.com", "/oauth2/authorize")
    assert dict(address.query) == {
        "client_id": "200000000000000000",
        "redirect_uri": server.url,
        "response_type": "code",
        "scope": "identify",
    }
    assert b"secret" not in told.content
