"""Tests of `app/library/model_uses.py`, on both databases."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.events import EventBus, JobFailed, JobFinished, JobSnapshot, JobStarted
from app.library.model_folder import ModelKind
from app.library.model_uses import ModelUses
from app.library.models import ModelUse
from tests.app.library.test_model_names import LISTS
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database")

DREAM = (ModelKind.CHECKPOINT, "xl_dream")
INK = (ModelKind.LORA, "ink")


def job(**parameters: Any) -> JobSnapshot:
    return JobSnapshot("a-job", "txt2img", "1", "127.0.0.1", parameters)


@pytest.fixture
async def events() -> AsyncIterator[EventBus]:
    """A bus whose jobs are taken note of."""
    bus = EventBus()
    async with ModelUses(bus, lambda: LISTS, pause_s=0).noted():
        yield bus


async def test_models_of_a_job_are_written_with_the_time(events: EventBus) -> None:
    before = datetime.now(UTC)
    events.publish(JobStarted(job(model_name="Dream", prompt="<lora:ink:1> <lora:none:1>")))
    await until(lambda: ModelUse.filter(kind="lora", name="ink").exists())
    await until(lambda: ModelUse.filter(kind="checkpoint", name="xl_dream").exists())
    await until(lambda: ModelUse.filter(kind="embedding", name="ink").exists())
    last = await ModelUses(EventBus(), lambda: LISTS).last()
    assert last.keys() == {DREAM, INK, (ModelKind.EMBEDDING, "ink")}
    assert timedelta(0) <= last[DREAM] - before < timedelta(minutes=1)
    events.publish(JobFinished(job(model_name="Dream"), seed=None))

    async def is_later() -> bool:
        return bool(await ModelUse.filter(name="xl_dream", last_used_at__gt=last[DREAM]).exists())

    await until(is_later)
    assert await ModelUse.all().count() == 3


async def test_other_events_and_names_that_forge_does_not_list_are_no_use(
    events: EventBus,
) -> None:
    events.publish(JobFailed(job(model_name="Dream"), "why"))
    events.publish(JobStarted(job(model_name="gone", prompt="<lora:nothing:1>")))
    events.publish(JobStarted(job(prompt="<lora:ink:1>")))
    await until(lambda: ModelUse.filter(kind="lora").exists())
    assert not await ModelUse.filter(kind="checkpoint").exists()


async def test_uses_are_known_before_they_are_written_and_written_at_the_end() -> None:
    bus = EventBus()
    uses = ModelUses(bus, lambda: LISTS, pause_s=3600)
    async with uses.noted():
        bus.publish(JobStarted(job(model_name="Dream")))
        await until(ModelUse.all().exists)
        bus.publish(JobStarted(job(prompt="<lora:ink:1>")))

        async def is_known() -> bool:
            return INK in await uses.last()

        await until(is_known)
        assert not await ModelUse.filter(kind="lora").exists()
        bus.publish(JobStarted(job(modules=["ae.safetensors"])))
    kinds = {use.kind for use in await ModelUse.all()}
    assert kinds == {"checkpoint", "lora", "embedding", "vae", "text-encoder"}
