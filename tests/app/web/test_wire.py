"""Tests of `app/web/wire.py`: jobs and events in the shapes that were recorded."""

from typing import Any

import pytest

import app.events
from app.events import (
    CheckpointChanged,
    DiskLow,
    Event,
    JobEvent,
    JobFailed,
    JobFinished,
    JobInterrupted,
    JobProgressed,
    JobSnapshot,
    JobStarted,
    QueuePaused,
    QueueResumed,
)
from app.generation.parameters import Txt2ImgParameters
from app.web.wire import event, submitted
from tests.app.web.test_download_wire import DOWNLOADS
from tests.contract import exchange

RECORDED = exchange(140)


def snapshot(**changes: Any) -> JobSnapshot:
    """The recorded job as it is stored."""
    parameters = Txt2ImgParameters.model_validate(
        RECORDED.body | {"sampler_name": "Euler a"} | changes
    )
    return JobSnapshot(
        id=RECORDED.answer["job_id"],
        kind="txt2img",
        owner_id=RECORDED.answer["owner_id"],
        origin=RECORDED.answer["origin"],
        parameters=parameters.model_dump(exclude_none=True),
    )


def events(job: JobSnapshot) -> list[JobEvent]:
    """One of each kind."""
    return [
        JobStarted(job),
        CheckpointChanged(job, checkpoint="paintModel_v2"),
        JobProgressed(
            job, fraction=0.21000000000000002, eta_s=1.1458537692115418, step=4, steps=20
        ),
        JobFinished(job, seed=777),
        JobFailed(job, reason="Forge returned no picture."),
        JobInterrupted(job),
    ]


def test_answer_to_a_submission_is_the_recorded_one() -> None:
    answer = submitted(snapshot(), 1)
    assert answer == RECORDED.answer
    assert list(answer) == list(RECORDED.answer)


def test_absent_parameters_stay_absent() -> None:
    recorded = exchange(139)
    parameters = Txt2ImgParameters.model_validate(recorded.body)
    job = JobSnapshot("x", "txt2img", "1", "y", parameters.model_dump(exclude_none=True))
    assert list(submitted(job, 1)) == list(recorded.answer)


def test_upscale_tells_also_that_it_has_no_category() -> None:
    job = snapshot(categoryId=None, first_pass="x", first_pass_repeats=True)
    recorded = exchange(181)
    assert submitted(job, 1)["categoryId"] is recorded.answer["categoryId"] is None
    _, payload = event(JobStarted(job))
    assert payload["categoryId"] is recorded.events["task-started"]["categoryId"] is None
    assert "categoryId" not in submitted(snapshot(categoryId=None), 1)


@pytest.mark.parametrize("happened", events(snapshot())[:4], ids=lambda e: type(e).__name__)
def test_events_are_the_recorded_ones(happened: JobEvent) -> None:
    name, payload = event(happened)
    assert payload == RECORDED.events[name]


@pytest.mark.parametrize(
    ("number", "happened"), [(168, events(snapshot())[4]), (208, events(snapshot())[5])]
)
def test_events_of_an_early_end_have_the_recorded_keys(number: int, happened: JobEvent) -> None:
    name, payload = event(happened)
    recorded = exchange(number).events[name]
    assert recorded.keys() <= payload.keys()
    # Recorded also for jobs that Forge had failed.
    assert payload["status"] == ("failed" if name == "task-failed" else recorded["status"])


def test_every_kind_of_event_has_a_name() -> None:
    kinds = {
        kind
        for kind in vars(app.events).values()
        if isinstance(kind, type) and issubclass(kind, JobEvent) and kind is not JobEvent
    }
    told = {type(happened): event(happened)[0] for happened in events(snapshot())}
    assert told.keys() | {type(happened) for happened in DOWNLOADS} == kinds
    assert len(set(told.values())) == len(told)


def test_unknown_event_is_an_error() -> None:
    with pytest.raises(TypeError, match="JobEvent"):
        event(JobEvent(snapshot()))


def test_failed_event_says_why() -> None:
    _, payload = event(JobFailed(snapshot(), reason="No memory."))
    assert payload["error"] == "No memory."


def test_unknown_seed_stays_the_asked_one() -> None:
    _, payload = event(JobFinished(snapshot(seed=-1), seed=None))
    assert payload["seed"] == -1


@pytest.mark.parametrize("happened", events(snapshot()), ids=lambda e: type(e).__name__)
def test_no_event_tells_prompt_size_or_owner(happened: JobEvent) -> None:
    hidden = {"prompt", "negative_prompt", "width", "height", "owner_id", "queue_size"}
    assert event(happened)[1].keys() & hidden == set()


@pytest.mark.parametrize(
    ("happened", "told"),
    [
        (
            QueuePaused("generation", None),
            ("queue-paused", {"lane": "generation", "resumes_at": None}),
        ),
        (
            QueuePaused("generation", 1772625600.5),
            ("queue-paused", {"lane": "generation", "resumes_at": "2026-03-04T12:00:00.500+00:00"}),
        ),
        (QueueResumed("generation"), ("queue-resumed", {"lane": "generation"})),
        (DiskLow(7, 100), ("disk-low", {"free_bytes": 7, "total_bytes": 100})),
    ],
)
def test_events_of_the_house_tell_when_and_how_much(
    happened: Event, told: tuple[str, dict[str, Any]]
) -> None:
    assert event(happened) == told
