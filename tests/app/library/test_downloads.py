"""Tests of `app/library/downloads.py`, over real HTTP, on both databases."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.accounts.models import User
from app.errors import Conflict, NotFound, TooMany, UpstreamFailed, UpstreamUnavailable
from app.jobs.models import Job, JobStatus
from app.library.download_plan import UnsafeFile, UnsupportedModel
from app.library.downloads import ServerStopping
from app.library.model_folder import ModelFolderMissing
from app.library.transfer import LowStorage
from tests.app.library.downloading import INK, Shop, shop
from tests.building import OWNER, STRANGER, make_user
from tests.fakes.civitai import FakeCivitai
from tests.fakes.serving import Fault

pytestmark = pytest.mark.usefixtures("owner")


async def test_wish_becomes_a_job_and_a_file(downloads: Shop) -> None:
    job = await downloads.submit("101")
    assert job.parameters["file_name"] == "model_101.safetensors"
    async with downloads.worker.working():
        await downloads.has(job, JobStatus.SUCCEEDED)
    assert downloads.names() == ["Lora/model_101.safetensors"]
    assert (downloads.root / "Lora" / "model_101.safetensors").read_bytes() == INK
    assert downloads.finished == ["model_101.safetensors"]


async def test_who_wishes_the_same_gets_the_same_job(downloads: Shop) -> None:
    downloads.civitai.offer(202, INK)  # the same file under another id
    both = await asyncio.gather(downloads.submit(101), downloads.submit(101), downloads.submit(202))
    assert len({job.id for job in both}) == 1
    async with downloads.worker.working():
        await downloads.has(both[0], JobStatus.SUCCEEDED)
    assert len(downloads.names()) == len(downloads.civitai.host.fetched) == 1


async def test_what_two_people_wish_is_fetched_once(downloads: Shop) -> None:
    await make_user(STRANGER)
    first, second = await asyncio.gather(downloads.submit(101), downloads.submit(101, STRANGER))
    assert first.id != second.id
    assert [job.id for job in await downloads.downloads.listed(STRANGER)] == [second.id]
    async with downloads.worker.working():
        await downloads.has(first, JobStatus.SUCCEEDED)
        await downloads.has(second, JobStatus.SUCCEEDED)
    assert len(downloads.names()) == len(downloads.civitai.host.fetched) == 1


async def test_one_who_is_stopping_theirs_gets_a_new_one(downloads: Shop) -> None:
    first = await downloads.submit(101)
    await Job.filter(id=first.id).update(status=JobStatus.RUNNING, cancel_requested=True)
    assert (await downloads.submit(101)).id != first.id


async def test_another_file_of_that_name_stays(downloads: Shop) -> None:
    mine = downloads.root / "Lora" / "Model_101.safetensors"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    downloads.civitai.offer(201, b"other" * 5000, name="model_101.safetensors")
    async with downloads.worker.working():
        first, second = await downloads.submit(101), await downloads.submit(201)
        await downloads.has(first, JobStatus.SUCCEEDED)
        await downloads.has(second, JobStatus.SUCCEEDED)
    assert mine.read_bytes() == b"mine"
    assert downloads.names() == [
        "Lora/Model_101.safetensors",
        "Lora/model_101 (101).safetensors",
        "Lora/model_101 (201).safetensors",
    ]


@pytest.mark.parametrize("told", ["999999", "abc", "", "-1", "1" * 20, 0, True, None, 1.5])
async def test_unknown_version_is_not_found(downloads: Shop, told: object) -> None:
    with pytest.raises(NotFound, match="Model not found"):
        await downloads.submit(told)


async def test_what_is_refused_leaves_no_job(downloads: Shop) -> None:
    with pytest.raises(UnsupportedModel):
        await downloads.submit(501)
    downloads.civitai.offer(102, INK, name="x.ckpt")
    with pytest.raises(UnsafeFile):
        await downloads.submit(102)
    downloads.civitai.api_key = "another"
    assert await Job.all().count() == 0


async def test_key_that_is_refused_is_told(
    civitai: FakeCivitai, owner: User, tmp_path: Path
) -> None:
    civitai.api_key = "another"
    async with shop(civitai, tmp_path) as opened:
        with pytest.raises(UpstreamFailed, match="authentication failed"):
            await opened.submit(101)


async def test_folder_that_is_missing_is_told(
    civitai: FakeCivitai, owner: User, tmp_path: Path
) -> None:
    async with shop(civitai, tmp_path / "nowhere") as opened:
        with pytest.raises(ModelFolderMissing, match="not found"):
            await opened.submit(101)


async def test_file_that_does_not_fit_is_refused(downloads: Shop) -> None:
    downloads.civitai.offer(101, INK, sizeKB=1e9)
    with pytest.raises(LowStorage):
        await downloads.submit(101)


async def test_room_of_those_that_still_come_is_taken(
    civitai: FakeCivitai, owner: User, tmp_path: Path
) -> None:
    await make_user(STRANGER)
    free_bytes = len(INK) * 3 // 2
    civitai.offer(102, INK[2:])
    async with shop(
        civitai, tmp_path, disk_usage=lambda _: (free_bytes * 2, free_bytes, free_bytes)
    ) as opened:
        first = await opened.submit(101)
        await opened.submit(101, STRANGER)  # needs none of its own
        with pytest.raises(LowStorage):
            await opened.submit(102)
        part = opened.handler.wanted(first).partial
        part.parent.mkdir()
        part.write_bytes(INK[: len(INK) * 2 // 3])
        await opened.submit(102)


async def test_one_that_would_find_too_little_room_after_the_others_is_refused_at_once(
    civitai: FakeCivitai, owner: User, tmp_path: Path
) -> None:
    civitai.offer(102, INK[:100])
    usage = (len(INK) * 10, 0, len(INK) * 3 // 2)  # when the first is there, no tenth is free
    async with shop(civitai, tmp_path, disk_usage=lambda _: usage) as opened:
        await opened.submit(101)
        with pytest.raises(LowStorage):
            await opened.submit(102)


async def test_one_who_waits_for_a_file_that_is_there_takes_no_room(
    civitai: FakeCivitai, owner: User, tmp_path: Path
) -> None:
    civitai.offer(102, INK[2:])
    usage = (len(INK) * 3, 0, len(INK) * 3 // 2)
    async with shop(civitai, tmp_path, disk_usage=lambda _: usage) as opened:
        waiting = await opened.submit(101)  # as somebody else did, whose job has just ended
        target = opened.handler.wanted(waiting).target
        target.parent.mkdir()
        target.write_bytes(INK)
        await opened.submit(102)


async def test_limit_of_waiting_jobs_holds(downloads: Shop) -> None:
    downloads.queue._allowance._max_jobs = 1
    await downloads.submit(101)
    with pytest.raises(TooMany):
        await downloads.submit(201)


async def test_type_is_asked_for_if_the_version_does_not_tell(downloads: Shop) -> None:
    downloads.civitai.tells_model = False
    assert (await downloads.submit(101)).parameters["model_kind"] == "lora"
    (told,) = (one for one in downloads.civitai.models[2]["modelVersions"] if one["id"] == 201)
    told["model"] = {"name": "of no type"}
    assert (await downloads.submit(201)).parameters["model_kind"] == "lora"


@pytest.mark.parametrize("model_id", ["../users", {}, [], None, "x" * 5000])
async def test_version_of_no_model_is_of_no_type(downloads: Shop, model_id: object) -> None:
    downloads.civitai.tells_model = False
    downloads.civitai.models[1]["modelVersions"][0]["modelId"] = model_id
    with pytest.raises(UnsupportedModel):
        await downloads.submit(101)


async def test_waiting_for_the_end_ends(downloads: Shop) -> None:
    job = await downloads.submit(101)
    assert (await downloads.downloads.ended(job.id, patience_s=0.01)).status == JobStatus.QUEUED
    waiting = asyncio.create_task(downloads.downloads.ended(job.id, patience_s=30))
    async with downloads.worker.working():
        assert (await waiting).status == JobStatus.SUCCEEDED


async def test_nobody_waits_while_we_stop(downloads: Shop) -> None:
    job = await downloads.submit(101)
    waiting = asyncio.create_task(downloads.downloads.ended(job.id, patience_s=30))
    await asyncio.sleep(0.05)
    downloads.downloads.stop_waiting()
    for asked in (waiting, downloads.downloads.ended(job.id, patience_s=30)):
        with pytest.raises(ServerStopping, match="goes on when it runs again"):
            await asyncio.wait_for(asked, 1)


async def test_list_has_what_is_new(downloads: Shop) -> None:
    await make_user(STRANGER)
    first, second = await downloads.submit(101), await downloads.submit(201, STRANGER)
    listed = downloads.downloads.listed
    assert [job.id for job in await listed(None)] == [second.id, first.id]
    assert [job.id for job in await listed(OWNER)] == [first.id]
    long_ago = datetime.now(UTC) - timedelta(days=2)
    await Job.filter(id=first.id).update(status=JobStatus.FAILED, finished_at=long_ago)
    assert await listed(OWNER) == []


async def test_parts_that_nobody_waits_for_are_removed(downloads: Shop) -> None:
    waiting, failed = await downloads.submit(101), await downloads.submit(201)
    now = datetime.now(UTC)
    await Job.filter(id=failed.id).update(status=JobStatus.FAILED, finished_at=now)
    folder = downloads.root / "Lora"
    folder.mkdir()
    kept = [f"a.{job.parameters['model_version_id']}.part" for job in (waiting, failed)]
    for name in (*kept, "a.999.part", "b.part", "c.999.part.safetensors"):
        (folder / name).write_bytes(b"x")
    await downloads.downloads.tidy()
    expected = sorted([*kept, "b.part", "c.999.part.safetensors"])
    assert sorted(path.name for path in folder.iterdir()) == expected


async def test_part_of_a_cancelled_job_goes_at_once(downloads: Shop) -> None:
    job = await downloads.submit(101)
    part = downloads.handler.wanted(job).partial
    part.parent.mkdir()
    part.write_bytes(b"x")
    await downloads.queue.cancel(job.id, caller_id=OWNER, is_administrator=False)
    other = await downloads.submit(101, (await make_user(STRANGER)).id)
    await downloads.downloads.discard(job.id)
    assert part.exists()
    await downloads.queue.cancel(other.id, caller_id=STRANGER, is_administrator=False)
    await downloads.downloads.discard(job.id)
    assert not part.exists()
    await downloads.downloads.discard("unknown")


async def test_failed_one_is_not_retried_beside_another_for_the_same_file(downloads: Shop) -> None:
    failed = await downloads.submit(101)
    await Job.filter(id=failed.id).update(status=JobStatus.FAILED)
    check = downloads.downloads.check_retry
    await check(failed)
    other = await downloads.submit(101)
    assert other.id != failed.id
    with pytest.raises(Conflict, match="already"):
        await downloads.queue.retry(failed.id, caller_id=OWNER, is_administrator=False, check=check)
    assert (await Job.get(id=failed.id)).status == JobStatus.FAILED


async def test_both_who_wished_the_same_may_retry_theirs(downloads: Shop) -> None:
    await make_user(STRANGER)
    for job in (await downloads.submit(101), await downloads.submit(101, STRANGER)):
        await Job.filter(id=job.id).update(status=JobStatus.FAILED)
    check = downloads.downloads.check_retry
    for job in await Job.all():
        await downloads.queue.retry(
            job.id, caller_id=job.owner_id, is_administrator=False, check=check
        )
    async with downloads.worker.working():
        for job in await Job.all():
            await downloads.has(job, JobStatus.SUCCEEDED)
    assert len(downloads.names()) == len(downloads.civitai.host.fetched) == 1


async def test_civitai_that_is_away_is_not_taken_for_a_wrong_key(downloads: Shop) -> None:
    downloads.civitai.faults = {"*": [Fault(503)]}
    with pytest.raises(UpstreamUnavailable):
        await downloads.submit(101)


async def test_what_ended_lately_is_known(downloads: Shop) -> None:
    assert not await downloads.downloads.ended_lately()
    async with downloads.worker.working():
        job = await downloads.has(await downloads.submit(101), JobStatus.SUCCEEDED)
    assert await downloads.downloads.ended_lately()
    await Job.filter(id=job.id).update(finished_at=datetime.now(UTC) - timedelta(hours=2))
    assert not await downloads.downloads.ended_lately()
