"""Tests of the Forge client against a simulated Forge, and against answers Forge never gives."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from app.clients.forge import ForgeClient, Generated
from app.clients.forge_http import MissingRoute
from app.errors import UpstreamFailed
from app.simulator import Fault, Simulator, SimulatorOptions
from tests.app.clients.answering import Answering, client_of
from tests.building import CHECKPOINT, make_catalogue
from tests.waiting import until

PAYLOAD: dict[str, Any] = {
    "prompt": "a fox",
    "steps": 2,
    "width": 64,
    "height": 64,
    "seed": 7,
    "override_settings": {"sd_model_checkpoint": CHECKPOINT},
}
LONG = PAYLOAD | {"steps": 150}

Call = Callable[[ForgeClient], Awaitable[Any]]
EVERY_CALL: dict[str, Call] = {
    "options": lambda forge: forge.options(),
    "checkpoints": lambda forge: forge.checkpoints(),
    "modules": lambda forge: forge.modules(),
    "samplers": lambda forge: forge.samplers(),
    "schedulers": lambda forge: forge.schedulers(),
    "upscalers": lambda forge: forge.upscalers(),
    "loras": lambda forge: forge.loras(),
    "gpu_memory": lambda forge: forge.gpu_memory(),
    "progress": lambda forge: forge.progress(preview=True),
    "task_progress": lambda forge: forge.task_progress("navigator-abcdefgh"),
    "txt2img": lambda forge: forge.txt2img(PAYLOAD),
}


async def test_lists_come_as_forge_sends_them(forge: ForgeClient) -> None:
    assert CHECKPOINT in [item["model_name"] for item in await forge.checkpoints()]
    assert "ae.safetensors" in [item["model_name"] for item in await forge.modules()]
    assert "DPM++ 2M" in [item["name"] for item in await forge.samplers()]
    assert "karras" in [item["name"] for item in await forge.schedulers()]
    assert "Lanczos" in [item["name"] for item in await forge.upscalers()]
    assert all("alias" in item for item in await forge.loras())
    assert "sd_model_checkpoint" in await forge.options()


async def test_picture_comes_as_bytes_with_its_info(forge: ForgeClient) -> None:
    generated = await forge.txt2img(PAYLOAD)
    assert len(generated.images) == 1
    assert generated.images[0].startswith(b"\x89PNG")
    assert generated.info["seed"] == 7
    assert "a fox" in generated.info["infotexts"][0]


async def test_payload_arrives_as_it_was_given(forge: ForgeClient, simulator: Simulator) -> None:
    payload = PAYLOAD | {"prompt": "ü 🦊 " + "x" * 100_000}
    await forge.txt2img(payload)
    assert simulator.requests[-1].body == payload


async def test_generation_may_take_longer_than_other_calls(simulator: Simulator) -> None:
    """The session's own limit does not hold for it."""
    simulator.inject(Fault.slow(0.3, path="/sdapi/v1/txt2img"))
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.1)) as session:
        url = simulator.url
        forge = ForgeClient(session, api_url=f"{url}/sdapi/v1", root_url=url)
        assert (await forge.txt2img(PAYLOAD)).images


async def test_progress_tells_of_whatever_runs(forge: ForgeClient, simulator: Simulator) -> None:
    idle = await forge.progress(preview=True)
    assert (idle.job_count, idle.fraction, idle.preview) == (0, 0.0, None)
    run = asyncio.create_task(forge.txt2img(LONG))

    async def has_preview() -> bool:
        return (await forge.progress(preview=True)).preview is not None

    await until(has_preview)
    seen = await forge.progress()
    assert seen.preview is None
    assert (seen.job_count, seen.job_number, seen.steps) == (1, 0, 150)
    assert 0 < seen.step < 150
    assert 0 < seen.fraction < 1
    await forge.interrupt()
    await run


async def test_task_is_told_of_by_its_id(forge: ForgeClient, simulator: Simulator) -> None:
    ours = asyncio.create_task(forge.txt2img(LONG | {"force_task_id": "ours"}))
    await until(lambda: simulator.active_task == "ours")
    next_one = asyncio.create_task(forge.txt2img(PAYLOAD | {"force_task_id": "next"}))

    async def is_queued() -> bool:
        return (await forge.task_progress("next")).queued

    await until(is_queued)
    other = await forge.task_progress("next")
    assert (other.active, other.fraction, other.eta_s, other.preview) == (False, None, None, None)

    async def has_preview() -> bool:
        return (await forge.task_progress("ours")).preview is not None

    await until(has_preview)
    seen = await forge.task_progress("ours")
    assert seen.active
    assert not seen.completed
    assert seen.preview is not None
    assert seen.preview.startswith(b"\x89PNG")
    assert seen.fraction is not None
    await forge.interrupt()
    await asyncio.gather(ours, next_one)
    assert (await forge.task_progress("ours")).completed


async def test_interrupt_stops_what_runs_with_a_partial_picture(
    forge: ForgeClient, simulator: Simulator
) -> None:
    run = asyncio.create_task(forge.txt2img(LONG))

    async def is_sampling() -> bool:
        return (await forge.progress()).step > 2

    await until(is_sampling)
    await forge.interrupt()
    assert len((await asyncio.wait_for(run, 2)).images) == 1


async def test_without_the_page_there_is_no_progress_by_id() -> None:
    async with (
        Simulator(SimulatorOptions(ui=False)).serving() as simulator,
        client_of(simulator.url) as forge,
    ):
        with pytest.raises(MissingRoute):
            await forge.task_progress("ours")
        assert (await forge.progress()).job_count == 0


@pytest.mark.parametrize("name", EVERY_CALL)
@pytest.mark.parametrize(
    "body",
    [
        b"null", b"5", b'"text"', b"[1]", b"[[]]", b'{"state": []}',
        b'{"state": {}, "progress": {}}',
        b'{"images": null, "info": "{}"}', b'{"images": [5], "info": "{}"}',
        b'{"images": ["%%"], "info": "{}"}', b'{"images": [], "info": "[]"}',
        b'{"images": [], "info": null}', b'{"active": true, "progress": "x"}', b"<html>", b"",
    ],
)  # fmt: skip
async def test_nonsense_is_a_failure_of_forge_and_no_other_error(name: str, body: bytes) -> None:
    async with Answering(body=body).serving() as answering, client_of(answering.url) as forge:
        try:
            answer = await EVERY_CALL[name](forge)
        except UpstreamFailed:
            return
    # Lists and options may be what they are; nothing else comes through.
    assert name == "options"
    assert answer == json.loads(body)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.out_of_memory(), "OutOfMemoryError CUDA out of memory"),
        (Fault.crash(), "illegal memory access"),
        (Fault.http_500(), "simulated failure"),
        (Fault.drop(), "broke the connection"),
        (Fault.junk_json(), "not JSON"),
    ],
)
async def test_generation_that_fails_says_why(
    forge: ForgeClient, simulator: Simulator, fault: Fault, reason: str
) -> None:
    simulator.inject(fault)
    with pytest.raises(UpstreamFailed, match=reason):
        await forge.txt2img(PAYLOAD)


async def test_forge_that_dies_during_a_generation_is_a_failure(
    forge: ForgeClient, simulator: Simulator
) -> None:
    run = asyncio.create_task(forge.txt2img(LONG))
    await until(lambda: simulator.active_task is not None)
    await simulator.restart()
    with pytest.raises(UpstreamFailed, match="broke the connection"):
        await run


async def test_answer_without_pictures_is_given_as_such(
    forge: ForgeClient, simulator: Simulator
) -> None:
    simulator.inject(Fault.no_images())
    assert (await forge.txt2img(PAYLOAD)).images == []


def test_pictures_and_texts_are_not_in_what_is_printed() -> None:
    """It may end up in a log."""
    generated = Generated([base64.b64encode(b"picture")], {"prompt": "a secret fox"})
    assert repr(generated) == "Generated()"


async def test_unloading_frees_the_gpu_and_the_next_run_just_works() -> None:
    options = SimulatorOptions(
        step_time_s=0, checkpoint_load_time_s=0, draw=False, gpu_memory_bytes=8_000_000_000
    )
    async with (
        Simulator(options, make_catalogue()).serving() as simulator,
        client_of(simulator.url) as forge,
    ):
        for _ in range(2):
            assert (await forge.txt2img(PAYLOAD)).images
            held = await forge.gpu_memory()
            await forge.unload()
            freed = await forge.gpu_memory()
            assert held is not None
            assert freed is not None
            assert held.total_bytes == freed.total_bytes == 8_000_000_000
            assert held.free_bytes < 4_000_000_000 < freed.free_bytes
            assert held.allocated_bytes > freed.allocated_bytes
        await forge.unload()  # with nothing on it


async def test_forge_without_a_gpu_cannot_tell_its_memory(forge: ForgeClient) -> None:
    assert await forge.gpu_memory() is None
