"""Tests of the routes of downloads: a friend finds a LoRA, gets it, and draws with it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.accounts.roles import Role
from app.jobs.models import Job, JobStatus
from app.simulator.models_dir import FolderCatalogue
from app.web import download_routes
from tests.fakes.civitai import API_KEY, FakeCivitai
from tests.fakes.file_host import Stalled
from tests.fakes.serving import Fault
from tests.running import RunningNavigator, running_navigator
from tests.waiting import until

PATH = "api/download/models/101"
CHECKPOINT = "dreamModel_v1"


def safetensors(**metadata: str) -> bytes:
    """A file of 2 MB with a header."""
    header = json.dumps({"__metadata__": metadata}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(2_000_000)


INK = safetensors(ss_output_name="ink_alias")


@pytest.fixture
async def civitai() -> AsyncIterator[FakeCivitai]:
    """One that offers a LoRA."""
    async with FakeCivitai().serving() as serving:
        serving.offer(101, INK, name="ink.safetensors")
        yield serving


@pytest.fixture
async def server(civitai: FakeCivitai, tmp_path: Path) -> AsyncIterator[RunningNavigator]:
    """A Navigator and a Forge that have the same folder of models."""
    root = tmp_path / "forge" / "models"
    (root / "Stable-diffusion").mkdir(parents=True)
    (root / "Stable-diffusion" / f"{CHECKPOINT}.safetensors").write_bytes(safetensors())
    async with running_navigator(
        tmp_path,
        installed=FolderCatalogue(folder=root),
        CIVITAI_API_BASE=civitai.url,
        CIVITAI_API_KEY=API_KEY,
        MODEL_DIR=str(root),
    ) as running:
        yield running


@pytest.fixture
async def friend(server: RunningNavigator) -> str:
    """A token of somebody who may download."""
    return await server.add_user("friend", Role.ARTIFICER)


async def lora_names(server: RunningNavigator, token: str) -> list[str]:
    """Those that clients are told."""
    answer = await server.get("/api/models/loras", token=token)
    return [lora["name"] if lora["provider"] == 0 else lora["forge"]["name"]
            for lora in answer.json]  # fmt: skip


async def test_friend_finds_a_lora_gets_it_and_draws_with_it(
    server: RunningNavigator, friend: str
) -> None:
    found = await server.get("/3papi/civitai/api-proxy/models?types=LORA", token=friend)
    version_id = found.json["items"][0]["modelVersions"][0]["id"]
    async with server.listening(friend) as heard:
        answer = await server.get(f"/3papi/civitai/download/{version_id}", token=friend)
        assert (answer.status, answer.json) == (200, {"message": "Model downloaded"})
        await until(lambda: "models-refreshed" in [name for name, _ in heard.events])
        names = [name for name, _ in heard.events if name.startswith("download-")]
        assert names[0] == "download-started"
        assert names[-1] == "download-finished"
        progress = [told for name, told in heard.events if name == "download-progress"]
        assert progress[-1]["fraction"] == 1.0
        assert progress[-1]["received_bytes"] == progress[-1]["size_bytes"] == len(INK)
        assert not any(name.startswith("task-") for name, _ in heard.events)
    assert await lora_names(server, friend) == ["ink"]
    await server.picture(friend, prompt="a fox <lora:ink_alias:1>")


async def test_job_is_answered_at_once_and_listed(
    server: RunningNavigator, civitai: FakeCivitai, friend: str
) -> None:
    civitai.host.tricks[PATH] = [Stalled(1_500_000)]
    other = await server.add_user("other", Role.ARTIFICER)
    administrator = await server.add_user("administrator", Role.ARCHITECT)
    answer = await server.post("/api/downloads", {"model_version_id": 101}, token=friend)
    assert answer.status == 202
    job_id = answer.json["job_id"]
    again = await server.post("/api/downloads", {"model_version_id": 101}, token=other)
    assert (again.status, again.json["owner_id"]) == (202, "other")
    once_more = await server.post("/api/downloads", {"model_version_id": 101}, token=friend)
    assert (once_more.status, once_more.json["job_id"]) == (200, job_id)

    async def listed(token: str, query: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (
            await server.get(f"/api/downloads{query}", token=token)
        ).json["downloads"]
        return found

    await until(lambda: _received(listed, friend))
    (told,) = await listed(friend)
    assert (told["status"], told["size_bytes"], told["kind"]) == ("running", len(INK), "lora")
    assert 0 < told["fraction"] < 1
    others = [one["job_id"] for one in await listed(other)]
    assert others == [one["job_id"] for one in await listed(other, "?all=true")]
    assert others == [again.json["job_id"]]
    seen = [one["job_id"] for one in await listed(administrator, "?all=true")]
    assert seen == [*others, job_id]
    queue = await server.get("/api/queue", token=friend)
    assert (queue.json["jobs"], queue.json["waiting"]) == ([], 0)


async def test_download_is_stopped_like_any_job(
    server: RunningNavigator, civitai: FakeCivitai, friend: str
) -> None:
    civitai.host.tricks[PATH] = [Stalled(1_500_000)]
    waiting = asyncio.create_task(server.get("/3papi/civitai/download/101", token=friend))
    await until(lambda: Job.exists(status=JobStatus.RUNNING))
    await until(lambda: bool(civitai.host.fetched))
    job = await Job.get()
    stranger = await server.add_user("stranger", Role.ARTIFICER)
    stopping = f"/api/queue/interrupt/{job.id}"
    assert (await server.post(stopping, token=stranger)).status == 404
    assert (await server.post(stopping, token=friend)).json["status"] == "interrupted"
    answer = await waiting
    assert (answer.status, answer.json["error_code"]) == (409, "DOWNLOAD_CANCELLED")
    root = Path(str(server.settings.model_dir))
    assert [path.name for path in (root / "Lora").iterdir()] == []


async def test_failed_one_is_told_and_may_be_retried(
    server: RunningNavigator, civitai: FakeCivitai, friend: str
) -> None:
    civitai.host.tricks[PATH] = [Fault(403)]
    async with server.listening(friend) as heard:
        answer = await server.get("/3papi/civitai/download/101", token=friend)
        assert (answer.status, answer.json["error_code"]) == (502, "DOWNLOAD_FAILED")
        await until(lambda: "download-failed" in [name for name, _ in heard.events])
    job = await Job.get()
    retried = await server.post(f"/api/queue/retry/{job.id}", token=friend)
    assert retried.status == 200
    assert retried.json["job_id"] == job.id
    await server.reached(job.id, JobStatus.SUCCEEDED)


async def test_role_is_needed_for_a_retry(
    server: RunningNavigator, civitai: FakeCivitai, friend: str
) -> None:
    civitai.host.tricks[PATH] = [Fault(403)]
    await server.get("/3papi/civitai/download/101", token=friend)
    job = await Job.get()
    boss = await server.add_user("boss", Role.APEX)
    lowered = await server.post("/api/admin/users/friend/role", {"role": 1}, token=boss)
    assert lowered.status == 200
    retried = await server.post(f"/api/queue/retry/{job.id}", token=friend)
    assert (retried.status, retried.json["error_code"]) == (403, "FORBIDDEN")
    assert (await Job.get()).status == JobStatus.FAILED


@pytest.mark.parametrize("why", ["CivitAI answered 503.", "Model directory not found"])
async def test_one_who_waits_for_an_absent_civitai_is_told_that_it_goes_on(
    server: RunningNavigator,
    civitai: FakeCivitai,
    friend: str,
    monkeypatch: pytest.MonkeyPatch,
    why: str,
) -> None:
    monkeypatch.setattr(download_routes, "PATIENCE_S", 0.2)
    civitai.host.tricks[PATH] = [Fault(503)] * 100
    await server.post("/api/downloads", {"model_version_id": 101}, token=friend)
    await until(lambda: Job.exists(status=JobStatus.RUNNING))
    await Job.all().update(error=why)
    answer = await server.get("/3papi/civitai/download/101", token=friend)
    assert answer.status == 503
    sentence = "The download goes on by itself when it can."
    assert answer.json["error"] == f"{why.removesuffix('.')}. {sentence}"


async def test_client_that_goes_away_does_not_stop_it(
    server: RunningNavigator, civitai: FakeCivitai, friend: str
) -> None:
    civitai.host.tricks[PATH] = [Stalled(100_000)]
    asking = asyncio.create_task(server.get("/3papi/civitai/download/101", token=friend))
    await until(lambda: bool(civitai.host.fetched))
    asking.cancel()
    job = await Job.get()
    assert job.status == JobStatus.RUNNING
    await server.post(f"/api/queue/interrupt/{job.id}", token=friend)


async def test_stop_does_not_wait_for_those_who_wait(
    server: RunningNavigator, civitai: FakeCivitai, friend: str
) -> None:
    civitai.host.tricks[PATH] = [Stalled(100_000)] * 5
    asking = asyncio.create_task(server.get("/3papi/civitai/download/101", token=friend))
    await until(lambda: bool(civitai.host.fetched))
    assert await server.stop() < 2
    answer = await asking
    assert (answer.status, answer.json["error_code"]) == (503, "SERVER_STOPPING")


async def test_file_that_the_owner_put_there_is_told(
    server: RunningNavigator, civitai: FakeCivitai, friend: str
) -> None:
    folder = Path(str(server.settings.model_dir)) / "Lora"
    folder.mkdir()
    (folder / "mine.safetensors").write_bytes(INK)
    answer = await server.get("/3papi/civitai/download/101", token=friend)
    assert (answer.status, answer.json["error_code"]) == (400, "ALREADY_DOWNLOADED")
    assert civitai.host.fetched == []


async def test_head_downloads_nothing(server: RunningNavigator, friend: str) -> None:
    answer = await server.request("HEAD", "/3papi/civitai/download/101", token=friend)
    assert answer.status == 200
    assert await Job.all().count() == 0


async def test_one_whose_account_is_forgotten_meanwhile_stops_it(
    server: RunningNavigator, civitai: FakeCivitai, friend: str
) -> None:
    civitai.host.tricks[PATH] = [Stalled(1_500_000)] * 5
    boss = await server.add_user("boss", Role.APEX)
    waiting = asyncio.create_task(server.get("/3papi/civitai/download/101", token=friend))
    await until(lambda: bool(civitai.host.fetched))
    answer = await server.request("DELETE", "/api/admin/users/friend", token=boss)
    assert answer.status in {200, 204}
    assert (await waiting).status in {404, 409}
    root = Path(str(server.settings.model_dir))
    assert list((root / "Lora").iterdir()) == []


async def test_role_is_needed(server: RunningNavigator) -> None:
    token = await server.add_user("apprentice", Role.APPRENTICE)
    for answer in (
        await server.get("/3papi/civitai/download/101", token=token),
        await server.post("/api/downloads", {"model_version_id": 101}, token=token),
    ):
        assert (answer.status, answer.json["error_code"]) == (403, "FORBIDDEN")
    assert (await server.get("/api/downloads", token=token)).json == {"downloads": []}


@pytest.mark.parametrize("body", [{}, {"model_version_id": 0}, {"model_version_id": "x"}, []])
async def test_body_that_makes_no_sense_is_refused(
    server: RunningNavigator, friend: str, body: object
) -> None:
    answer = await server.post("/api/downloads", body, token=friend)
    assert answer.status == 400


async def test_drawing_goes_on_meanwhile_and_downloads_go_on_while_the_queue_is_paused(
    server: RunningNavigator, civitai: FakeCivitai, friend: str
) -> None:
    administrator = await server.add_user("administrator", Role.ARCHITECT)
    civitai.host.tricks[PATH] = [Stalled(100_000)]
    await server.post("/api/downloads", {"model_version_id": 101}, token=friend)
    await until(lambda: bool(civitai.host.fetched))
    await server.picture(friend)
    status = await server.get("/api/admin/status", token=administrator)
    assert status.json["queue"]["running"] is None
    assert status.json["downloads"] == {"running": 1, "waiting": 0, "finished": []}
    job = await Job.get(kind="download")
    await server.post(f"/api/queue/interrupt/{job.id}", token=friend)
    await server.post("/api/admin/queue/pause", {}, token=administrator)
    answer = await server.get("/3papi/civitai/download/101", token=friend)
    assert answer.status == 200
    status = await server.get("/api/admin/status", token=administrator)
    (came,) = status.json["downloads"]["finished"]
    assert (
        came["file_name"]
        == (await Job.get(status="succeeded", kind="download")).parameters["file_name"]
    )


async def _received(listed: Any, token: str) -> bool:
    return bool([one for one in await listed(token) if one["received_bytes"]])
