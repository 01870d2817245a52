"""A Forge that is stuck or grows is restarted by the launcher, and no job is lost."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.fakes.forge_install import FakeForge
from tests.launcher.launching import both_run, launcher, nothing_left, server_file, status
from tests.processes import SUPERUSER_TOKEN, submit
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.posix]

HEADERS = {"Authorization": SUPERUSER_TOKEN}


@pytest.fixture
async def forge(tmp_path: Path, unused_port: int) -> AsyncIterator[FakeForge]:
    made = FakeForge(tmp_path / "forge", f"--port {unused_port}")
    async with nothing_left(tmp_path / "data", made):
        yield made


async def has_picture(http: aiohttp.ClientSession, url: str, job_id: str) -> bool:
    """Whether the job has come to its end."""
    async with http.get(f"{url}/api/images/{job_id}") as answer:
        return answer.status == 200


async def test_forge_that_stops_drawing_is_restarted_and_the_picture_comes(
    forge: FakeForge, tmp_path: Path
) -> None:
    forge.behave(step_time_s=0.2)
    data_dir = tmp_path / "data"
    with launcher(
        data_dir,
        f"--forge-dir={forge.root}",
        JOB_STALL_MINUTES="0.05",
        CHECKPOINT_LOAD_MINUTES="0.05",
        JOB_PROGRESS_CHECK_INTERVAL="50",
    ):
        await both_run(data_dir)
        url = server_file(data_dir)["url"]
        async with aiohttp.ClientSession(headers=HEADERS) as http:
            stuck = await submit(http, url, steps=15)
            waits = await submit(http, url)

            async def draws() -> bool:
                async with http.get(f"{url}/api/admin/status") as answer:
                    running = (await answer.json())["queue"]["running"]
                    return bool(running and running["progress"])

            await until(draws)
            forge.behave(step_time_s=0.01)
            forge.tell("hang")
            for job_id in (stuck, waits):
                await until(lambda job_id=job_id: has_picture(http, url, job_id), 90)  # type: ignore[misc]
        shown = await status(data_dir)
        assert len(forge.starts) == 2
        assert shown["forge"]["restarts"] == {"stalled": 1, "silent": 0, "memory": 0}
        sentence = shown["forge"]["last_restart"]
        assert sentence.startswith("Forge ")
        assert sentence.endswith("; restarted.")
        assert not shown["jobs"]["paused"]


async def test_forge_that_grows_is_recycled(forge: FakeForge, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with launcher(data_dir, f"--forge-dir={forge.root}", FORGE_RAM_LIMIT="0.18"):
        await both_run(data_dir)
        forge.tell("grow")
        await until(lambda: len(forge.starts) == 2, 60)
        await both_run(data_dir)

        async def is_counted() -> bool:
            shown = await status(data_dir)
            return bool(shown["forge"]["restarts"]["memory"] == 1 and not shown["jobs"]["paused"])

        await until(is_counted)
        assert "FORGE_RAM_LIMIT; restarted." in (await status(data_dir))["forge"]["last_restart"]
