"""Tests of `app/web/status_routes.py`: what anybody may know."""

from pathlib import Path

from tests.compass_build import make_build
from tests.databases import free_port
from tests.running import RunningNavigator, running_navigator


async def test_status_tells_of_forge_demo_user_and_compass(server: RunningNavigator) -> None:
    expected = {"status": "online", "forge": "ready", "demo_user": True, "compass": False}
    assert (await server.get("/api/status")).json == expected
    make_build(server.settings.compass_folder)
    assert (await server.get("/api/status")).json == expected | {"compass": True}


async def test_status_answers_while_forge_is_away(tmp_path: Path) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    async with running_navigator(tmp_path, forge=gone, ENABLE_DEMO_USER="no") as server:
        answer = await server.get("/api/status")
    assert answer.json == {
        "status": "online", "forge": "away", "demo_user": False, "compass": False,
    }  # fmt: skip
