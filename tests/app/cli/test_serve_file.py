"""Tests of `app/cli/serve.py`: the file by which our commands find it, and its programs."""

import json
from pathlib import Path

import aiohttp
import pytest

from tests.processes import serve


async def actor(url: str, token: str) -> str:
    """As whom the server knows this token."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{url}/api/user/me", headers={"Authorization": token}) as response,
    ):
        assert response.status == 200
        return str((await response.json())["user"]["discord_id"])


@pytest.mark.posix
async def test_file_is_there_while_it_runs_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "server.json"
    tokens = set()
    for _ in range(2):
        with serve(tmp_path) as started:
            url = await started.listening()
            known = json.loads(file.read_text())
            assert (known["url"], known["pid"]) == (url, started.process.pid)
            assert file.stat().st_mode & 0o777 == 0o600
            assert await actor(url, known["token"]) == "command-line"
            assert known["token"] not in started.errors
            tokens.add(known["token"])
            await started.stop()
        assert not file.exists()
    assert len(tokens) == 2


async def test_address_works_on_this_machine_when_it_is_shared(tmp_path: Path) -> None:
    with serve(tmp_path, "--lan") as started:
        await started.listening()
        known = json.loads((tmp_path / "server.json").read_text())
        assert known["url"].startswith("http://127.0.0.1:")
        assert await actor(known["url"], known["token"]) == "command-line"


async def test_launcher_is_known_by_its_token(tmp_path: Path) -> None:
    token = "the token that the launcher drew"
    with serve(tmp_path, NAVIGATOR_LAUNCHER_TOKEN=token) as started:
        assert await actor(await started.listening(), token) == "launcher"
        assert token not in started.errors
