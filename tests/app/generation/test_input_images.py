"""Tests of `app/generation/input_images.py`, on both databases."""

import asyncio
import base64
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image as Pillow

from app.errors import InvalidInput
from app.events import EventBus, JobFailed, JobFinished, JobSnapshot
from app.generation.images import DiskFailed
from app.generation.input_images import InputGone, InputImages
from app.jobs.models import Job, JobKind, JobStatus
from tests.app.generation.test_picture_input import PLAIN, encoded
from tests.building import make_job, make_queue
from tests.waiting import until

TEXT = base64.b64encode(PLAIN).decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "inputs"


@pytest.fixture
def inputs(folder: Path) -> InputImages:
    made = InputImages(folder)
    made.prepare()
    return made


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_what_was_saved_is_read_again(inputs: InputImages, folder: Path) -> None:
    size_bytes = await inputs.save("somejob1", TEXT, TEXT)
    assert names(folder) == ["somejob1.init.png", "somejob1.mask.png"]
    assert size_bytes == sum(path.stat().st_size for path in folder.iterdir())
    init_image, mask = await inputs.read("somejob1", has_mask=True)
    assert init_image.startswith(b"\x89PNG")
    assert mask is not None
    assert (await inputs.read("somejob1", has_mask=False))[1] is None
    await inputs.remove("somejob1")
    assert names(folder) == []


async def test_file_of_ours_is_taken_in_place_of_text(inputs: InputImages, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(PLAIN)
    assert await inputs.save("somejob1", path, None) > 0
    with pytest.raises(InputGone):
        await inputs.save("somejob2", tmp_path / "missing.png", None)


async def test_job_whose_files_are_gone_says_so(inputs: InputImages) -> None:
    await inputs.save("somejob1", TEXT, None)
    for job_id, has_mask in (("missing1", False), ("somejob1", True)):
        with pytest.raises(InputGone, match="submit it again"):
            await inputs.read(job_id, has_mask=has_mask)
        job = Job(id=job_id, kind=JobKind.IMG2IMG, parameters={"has_mask": has_mask})
        with pytest.raises(InputGone, match="submit it again"):
            await inputs.check(job)
    await inputs.check(Job(id="somejob1", kind=JobKind.IMG2IMG, parameters={"has_mask": False}))
    await inputs.check(Job(id="missing1", kind=JobKind.TXT2IMG, parameters={}))


@pytest.mark.parametrize(("init_image", "mask"), [("!", None), (TEXT, "!"), (TEXT, TEXT[:20])])
async def test_nothing_stays_of_what_is_refused(
    inputs: InputImages, folder: Path, init_image: str, mask: str | None
) -> None:
    with pytest.raises(InvalidInput):
        await inputs.save("somejob1", init_image, mask)
    assert names(folder) == []


async def test_nothing_stays_when_the_client_goes_away(inputs: InputImages, folder: Path) -> None:
    large = base64.b64encode(encoded(Pillow.new("RGB", (2000, 2000)))).decode()
    saving = [asyncio.create_task(inputs.save(f"somejob{n}", large, large)) for n in range(5)]
    await until(lambda: any(folder.iterdir()))
    for task in saving:
        task.cancel()
    await asyncio.gather(*saving, return_exceptions=True)
    for number, task in enumerate(saving):
        if not task.cancelled():  # it was done already
            await inputs.remove(f"somejob{number}")
    await inputs.save("afterwards", TEXT, None)  # no place is taken for ever
    await until(lambda: names(folder) == ["afterwards.init.png"])


async def test_full_disk_is_said(inputs: InputImages, folder: Path) -> None:
    (folder / "somejob1.mask.png").mkdir()
    with pytest.raises(DiskFailed):
        await inputs.save("somejob1", TEXT, TEXT)
    assert not (folder / "somejob1.init.png").exists()


def test_what_a_crash_left_half_written_goes_at_the_start(folder: Path) -> None:
    folder.mkdir()
    (folder / "somejob1.init.png.partial").write_bytes(b"")
    InputImages(folder).prepare()
    assert names(folder) == []


@pytest.mark.usefixtures("owner")
async def test_sweep_keeps_what_a_job_still_needs(inputs: InputImages, folder: Path) -> None:
    queue = make_queue()
    lately, long_ago = datetime.now(UTC), datetime.now(UTC) - timedelta(hours=25)
    kept = {
        JobStatus.QUEUED: None, JobStatus.RUNNING: None, JobStatus.FAILED: lately,
    }  # fmt: skip
    needed = []
    for status, finished_at in kept.items():
        job = await make_job(queue)
        await Job.filter(id=job.id).update(status=status, finished_at=finished_at)
        needed.append(job.id)
    for status in (JobStatus.SUCCEEDED, JobStatus.CANCELLED, JobStatus.FAILED):
        job = await make_job(queue, job_id=f"ended-{status}")
        await Job.filter(id=job.id).update(status=status, finished_at=long_ago)
    for job_id in (*needed, "ended-succeeded", "ended-cancelled", "ended-failed", "unknown1"):
        await inputs.save(job_id, TEXT, TEXT)
    old_s = datetime.now(UTC).timestamp() - 3600
    for path in folder.iterdir():
        os.utime(path, (old_s, old_s))
    await inputs.save("brand-new", TEXT, None)
    await inputs.sweep()
    assert {name.partition(".")[0] for name in names(folder)} == {*needed, "brand-new"}


@pytest.mark.usefixtures("owner")
async def test_files_go_as_soon_as_their_job_has_ended_for_good(
    inputs: InputImages, folder: Path
) -> None:
    events = EventBus()
    await inputs.save("somejob1", TEXT, None)
    await inputs.save("somejob2", TEXT, None)
    queue = make_queue()
    # What failed may be retried, and is perhaps already when we hear of it.
    kept = []
    for status in (JobStatus.FAILED, JobStatus.QUEUED, JobStatus.RUNNING):
        kept.append((await make_job(queue)).id)
        await Job.filter(id=kept[-1]).update(status=status)
        await inputs.save(kept[-1], TEXT, None)
    await inputs.save("cancelled", TEXT, None)

    def job(job_id: str, kind: JobKind = JobKind.IMG2IMG) -> JobSnapshot:
        return JobSnapshot(job_id, kind.value, "x", "x", {})

    async with inputs.kept_clean(events):
        events.publish(JobFinished(job("somejob2", JobKind.TXT2IMG), seed=1))
        for job_id in kept:
            events.publish(JobFailed(job(job_id), "for a reason"))
        events.publish(JobFailed(job("cancelled"), "The job was cancelled."))
        events.publish(JobFinished(job("somejob1"), seed=1))
        left = sorted(f"{job_id}.init.png" for job_id in ("somejob2", *kept))
        await until(lambda: names(folder) == left)
