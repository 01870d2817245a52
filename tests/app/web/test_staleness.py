"""Tests of `app/web/staleness.py`; see also those of the lists."""

from pathlib import Path

from tests.running import running_navigator
from tests.waiting import until


async def test_lists_are_marked_while_forge_is_away(tmp_path: Path) -> None:
    async with running_navigator(tmp_path) as server:
        token = await server.login()
        fresh = await server.get("/api/models/loras", token=token)
        assert "X-Navigator-Stale" not in fresh.headers
        server.navigator.health.report_trouble("for a test")
        stale = await server.get("/api/models/loras", token=token)
        assert stale.headers["X-Navigator-Stale"]
        assert stale.json == fresh.json
        await until(lambda: server.navigator.health.is_ready)
