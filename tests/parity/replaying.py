"""Replays one recording and says where our answer and events differ from the recorded ones."""

import base64
import contextlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from app.simulator import Fault
from tests.contract import Exchange, differences, exchange
from tests.parity.case import Case
from tests.parity.world import World
from tests.running import CHECKPOINT, OTHER_CHECKPOINT, Answer
from tests.waiting import until

_ABBREVIATED = re.compile(r"(.*)\.\.\.<(\d+) chars>", re.DOTALL)
_PNG_IN_BASE64 = "iVBOR"
ERROR_KEYS = {"error", "error_code", "message"}
# Whether one comes depends on when Forge is asked, and ours also come without a preview.
_MAY_COME = {"task-progress"}


async def check(world: World, case: Case) -> None:
    """Raises AssertionError unless exactly the differences that the case names are seen."""
    recorded = exchange(case.number)
    try:
        changed = await case.stage(world) if case.stage is not None else {}
        await _load(world, case, recorded)
        for fault in _faults(case, recorded):
            world.forge.inject(fault)
        found = await _replayed(world, case, recorded, changed)
    finally:
        await world.settle()
    assert found.keys() == case.but.keys(), f"{recorded.name}: {found}"


async def _load(world: World, case: Case, recorded: Exchange) -> None:
    """Has Forge load what the recorded job found loaded."""
    if "task-started" not in recorded.events or case.now is not None:
        return
    asked = recorded.answer | (recorded.body or {})
    checkpoint, modules = asked.get("model_name", CHECKPOINT), asked.get("modules")
    is_loaded = case.is_loaded
    if is_loaded is None:
        is_loaded = "model-changed" not in recorded.events
    if is_loaded:
        await world.load(checkpoint, modules)
    else:
        await world.load(CHECKPOINT if checkpoint == OTHER_CHECKPOINT else OTHER_CHECKPOINT)


def _faults(case: Case, recorded: Exchange) -> Sequence[Fault]:
    """Those of the case; a job whose progress was recorded stands still until ours is told."""
    if not case.faults and {"task-started", "task-progress"} <= recorded.events.keys():
        return [Fault.hang()]
    return case.faults


async def _replayed(
    world: World, case: Case, recorded: Exchange, changed: Mapping[str, str]
) -> dict[str, str]:
    already_heard = len(world.heard.events)
    answer = await world.server.request(
        recorded.method,
        _with(changed, recorded.path),
        headers={**recorded.headers, **world.headers(case.by)},
        data=_body(recorded, changed),
    )
    if recorded.status is None:
        assert answer.status == case.now, answer.content
        return {"status": f"none, now {answer.status}"}
    found = {}
    if answer.status != recorded.status:
        found["status"] = f"{recorded.status}, now {answer.status}"
    assert ("status" in case.but) == (case.now is not None), "`now` goes with `status`"
    if case.now is not None:
        assert answer.status == case.now, answer.content
    if answer.status >= 400:
        assert recorded.method == "HEAD" or answer.json.keys() == ERROR_KEYS
    if (answer.status < 400) != (recorded.status < 400):
        return found
    found |= dict(_of_answers(recorded, answer))
    subject = _Subject.of(recorded, answer, changed)
    heard = await _events(world, case, subject, already_heard)
    return found | dict(_of_events(subject.events, heard))


def _body(recorded: Exchange, changed: Mapping[str, str]) -> io.BytesIO | None:
    if recorded.body is None:
        return None
    body = _whole(recorded.body)
    text = body if isinstance(body, str) else json.dumps(body)
    return io.BytesIO(_with(changed, text).encode())


def _with(changed: Mapping[str, str], text: str) -> str:
    for theirs, ours in changed.items():
        text = text.replace(theirs, ours)
    return text


def _whole(value: Any) -> Any:
    """With the long texts that were abbreviated; pictures become others."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if not isinstance(value, str) or (match := _ABBREVIATED.fullmatch(value)) is None:
        return value
    beginning, length = match[1], int(match[2])
    if beginning.startswith(_PNG_IN_BASE64):
        return picture_in_base64()
    return beginning + beginning[-1] * (length - len(beginning))


def picture_in_base64() -> str:
    """A small PNG, as clients send it."""
    written = io.BytesIO()
    Image.new("RGB", (64, 64), (90, 120, 200)).save(written, "PNG")
    return base64.b64encode(written.getvalue()).decode()


def _of_answers(recorded: Exchange, answer: Answer) -> Iterator[tuple[str, str]]:
    media_type = answer.headers.get("Content-Type", "").split(";")[0]
    ours = None
    if answer.content:
        is_json = media_type == "application/json"
        ours = answer.json if is_json else f"<{len(answer.content)} bytes>"
    yield from differences(recorded.answer, ours)
    are_texts = isinstance(recorded.answer, str) and isinstance(ours, str)
    if are_texts and media_type != recorded.media_type:
        yield "content-type", f"{recorded.media_type}, now {media_type}"


@dataclass(frozen=True)
class _Subject:
    """What the events are about: a job as we name it, and what was recorded of it."""

    job_id: str | None
    events: Mapping[str, dict[str, Any]]

    @classmethod
    def of(cls, recorded: Exchange, answer: Answer, changed: Mapping[str, str]) -> "_Subject":
        theirs = ours = ""
        if "/interrupt/" in recorded.path:
            theirs = recorded.path.rpartition("/")[2]
            ours = _with(changed, theirs)
        elif isinstance(recorded.answer, dict) and "job_id" in recorded.answer:
            theirs = recorded.answer["job_id"]
            ours = answer.json.get("job_id", "")
        about = {
            name: payload
            for name, payload in recorded.events.items()
            if payload.get("job_id", theirs) == theirs
        }
        return cls(ours or None, about)


async def _events(
    world: World, case: Case, subject: _Subject, already_heard: int
) -> dict[str, dict[str, Any]]:
    """What was heard of the subject, the first payload of each name."""
    named = {place.removeprefix("events.") for place in case.but if place.startswith("events.")}
    new = {name for name in named if "." not in name}
    expected = subject.events.keys() ^ new

    def heard() -> dict[str, dict[str, Any]]:
        first: dict[str, dict[str, Any]] = {}
        for name, payload in world.heard.events[already_heard:]:
            if payload.get("job_id", subject.job_id) == subject.job_id:
                first.setdefault(name, payload)
        return first

    with contextlib.suppress(AssertionError):  # what is missing is told as a difference
        if not case.faults and "task-progress" in expected:
            await until(lambda: "task-progress" in heard(), timeout_s=10)
            world.forge.clear_faults()
        await until(lambda: expected <= heard().keys(), timeout_s=10)
    return heard()


def _of_events(
    recorded: Mapping[str, dict[str, Any]], heard: Mapping[str, dict[str, Any]]
) -> Iterator[tuple[str, str]]:
    for name, payload in recorded.items():
        if name not in heard:
            yield f"events.{name}", "is missing"
        else:
            yield from differences(payload, heard[name], f"events.{name}")
    for name in heard.keys() - recorded.keys() - _MAY_COME:
        yield f"events.{name}", "is new"
