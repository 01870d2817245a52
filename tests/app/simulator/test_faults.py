"""Every fault, as a client sees it, and what is left behind."""

import asyncio
import base64
import io
import json
from typing import Any

import aiohttp
import pytest
from PIL import Image

from app.simulator import Fault, Simulator
from tests.app.simulator.polling import has_steps, of_task, overall
from tests.waiting import until

ROUTE = "/sdapi/v1/txt2img"
SMALL: dict[str, Any] = {"prompt": "x", "seed": 5, "width": 64, "height": 64, "steps": 4}


async def status_of(http: aiohttp.ClientSession, **changes: object) -> int:
    async with http.post(ROUTE, json={**SMALL, **changes}) as response:
        await response.read()
        return response.status


async def test_crash_leaves_the_task_active_until_the_next_one(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    simulator.inject(Fault.crash(after_steps=2))
    async with http.post(ROUTE, json={**SMALL, "force_task_id": "c"}) as response:
        assert response.status == 500
        error = await response.json()
    assert error.keys() == {"error", "detail", "body", "message"}
    assert error["error"] == "RuntimeError"
    assert simulator.active_task == "c"
    assert (await of_task(http, "c"))["active"]
    state = (await overall(http))["state"]
    assert (state["job_count"], state["sampling_step"]) == (0, 2)
    assert await status_of(http) == 200
    assert not (await of_task(http, "c"))["active"]


async def test_out_of_memory_has_its_own_name(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    simulator.inject(Fault.out_of_memory())
    async with http.post(ROUTE, json=SMALL) as response:
        assert response.status == 500
        error = await response.json()
    assert error["error"] == "OutOfMemoryError"
    assert error["message"].startswith("CUDA out of memory. ")
    assert await status_of(http) == 200


async def test_hang_stands_still_until_it_is_cleared(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    simulator.inject(Fault.hang(after_steps=2))
    running = asyncio.create_task(status_of(http, force_task_id="h"))
    await until(lambda: has_steps(http, 2))
    await http.post("/sdapi/v1/interrupt")
    before = (await of_task(http, "h"))["progress"]
    waiting = asyncio.create_task(status_of(http, force_task_id="next"))

    async def queued() -> bool:
        return bool((await of_task(http, "next"))["queued"])

    await until(queued)
    assert (await of_task(http, "h"))["progress"] == before
    assert not running.done()
    simulator.clear_faults()
    assert [await running, await waiting] == [200, 200]


async def test_hang_of_another_route_ends_with_clear_faults(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    simulator.inject(Fault.hang("/sdapi/v1/samplers"))
    asked = asyncio.create_task(http.get("/sdapi/v1/samplers").__aenter__())
    await until(lambda: simulator.calls["GET /sdapi/v1/samplers"] == 1)
    assert await status_of(http) == 200
    assert not asked.done()
    simulator.clear_faults()
    response = await asked
    assert response.status == 200
    response.release()


async def test_dropped_connection_does_not_stop_the_run(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    simulator.inject(Fault.drop(after_steps=1))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await status_of(http, force_task_id="d")

    async def completed() -> bool:
        return bool((await of_task(http, "d"))["completed"])

    await until(completed)


async def test_dropped_connection_on_another_route(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    simulator.inject(Fault.drop("/internal/progress"))
    with pytest.raises(aiohttp.ClientConnectionError):
        async with http.post("/internal/progress", json={"id_task": "x"}):
            pass
    assert (await of_task(http, "x"))["textinfo"] == "Waiting..."


@pytest.mark.parametrize("path", [ROUTE, "/sdapi/v1/sd-models"])
async def test_http_500_on_any_path(
    path: str, simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    simulator.inject(Fault.http_500(path))
    method = "POST" if path == ROUTE else "GET"
    async with http.request(method, path) as response:
        assert response.status == 500
        assert (await response.json())["error"] == "RuntimeError"
    assert simulator.active_task is None


async def test_times_are_counted_and_none_means_for_ever(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    simulator.inject(Fault.http_500(times=2))
    assert [await status_of(http) for _ in range(3)] == [500, 500, 200]
    simulator.inject(Fault.http_500(times=None))
    assert [await status_of(http) for _ in range(3)] == [500, 500, 500]
    simulator.clear_faults()
    assert await status_of(http) == 200


async def test_fault_of_one_path_spares_the_others(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    simulator.inject(Fault.http_500("/sdapi/v1/img2img"))
    assert await status_of(http) == 200


async def test_slow_only_delays(simulator: Simulator, http: aiohttp.ClientSession) -> None:
    simulator.inject(Fault.slow(0.05, "/sdapi/v1/loras"))
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with http.get("/sdapi/v1/loras") as response:
        assert response.status == 200
    assert loop.time() - begun >= 0.05


async def test_junk_json_is_a_200_that_no_reader_takes(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    simulator.inject(Fault.junk_json())
    async with http.post(ROUTE, json=SMALL) as response:
        assert (response.status, response.content_type) == (200, "application/json")
        with pytest.raises(json.JSONDecodeError):
            json.loads(await response.text())


async def test_no_images(simulator: Simulator, http: aiohttp.ClientSession) -> None:
    simulator.inject(Fault.no_images())
    async with http.post(ROUTE, json=SMALL) as response:
        answer = await response.json()
    assert (response.status, answer["images"]) == (200, [])
    assert json.loads(answer["info"])["seed"] == 5


async def test_corrupt_image_begins_well_and_ends_too_early(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    simulator.inject(Fault.corrupt_image())
    async with http.post(ROUTE, json=SMALL) as response:
        data = base64.b64decode((await response.json())["images"][0])
    assert data.startswith(b"\x89PNG")
    with pytest.raises(OSError, match=r"truncated|broken"):
        Image.open(io.BytesIO(data)).load()
