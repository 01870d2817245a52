"""The simulator as its users hold it: records, switches, restart, modes, the startup window."""

import asyncio
import contextlib
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from app.simulator import Fault, Simulator, SimulatorOptions
from app.simulator.catalogue import Checkpoint, Lora
from tests.app.simulator.polling import has_steps, of_task, overall
from tests.app.simulator.recording import recorded_install, session_for
from tests.waiting import until

ROUTE = "/sdapi/v1/txt2img"
SMALL: dict[str, Any] = {"prompt": "x", "seed": 5, "width": 64, "height": 64, "steps": 3}
INSTANT = SimulatorOptions(step_time_s=0, checkpoint_load_time_s=0, draw=False)


async def get(http: aiohttp.ClientSession, path: str) -> Any:
    async with http.get(path) as response:
        return await response.json()


async def test_requests_and_calls_are_kept(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    before = asyncio.get_running_loop().time()
    async with http.post(ROUTE, json=SMALL):
        pass
    await get(http, "/sdapi/v1/samplers")
    assert [request.body for request in simulator.requests] == [SMALL]
    assert before <= simulator.requests[0].at_s <= asyncio.get_running_loop().time()
    assert simulator.calls == {f"POST {ROUTE}": 1, "GET /sdapi/v1/samplers": 1}


@pytest.mark.parametrize(
    "options",
    [replace(INSTANT, kept_requests=3), replace(INSTANT, kept_request_bytes=300)],
    ids=["count", "bytes"],
)
async def test_kept_requests_are_bounded(options: SimulatorOptions) -> None:
    async with Simulator(options).serving() as simulator, session_for(simulator) as http:
        for seed in range(8):
            async with http.post(ROUTE, json={**SMALL, "seed": seed}) as response:
                assert response.status == 200
        kept = [request.body for request in simulator.requests]
    assert 0 < len(kept) < 8
    assert kept[-1] == {**SMALL, "seed": 7}


async def test_changed_files_show_after_their_refresh(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    simulator.checkpoints.append(Checkpoint("new.safetensors"))
    simulator.loras.append(Lora("new_lora.safetensors"))
    names: dict[str, list[str]] = {}
    for when in ("before", "after"):
        models, loras = await get(http, "/sdapi/v1/sd-models"), await get(http, "/sdapi/v1/loras")
        names[when] = [models[0]["model_name"], loras[-1]["name"]]
        await http.post("/sdapi/v1/refresh-checkpoints")
        await http.post("/sdapi/v1/refresh-loras")
    assert names == {"before": ["randomA", "sub folder lora"], "after": ["new", "new_lora"]}


async def test_restart_breaks_connections_and_forgets(simulator: Simulator) -> None:
    async with session_for(simulator) as http:
        await http.post("/sdapi/v1/options", json={"live_previews_enable": False})
        override = {"override_settings": {"sd_model_checkpoint": "randomB"}}
        body = {**SMALL, **override, "override_settings_restore_afterwards": False}
        async with http.post(ROUTE, json=body) as response:
            assert response.status == 200
        running = asyncio.create_task(
            http.post(ROUTE, json={**SMALL, "steps": 500, "force_task_id": "r"}).__aenter__()
        )
        await until(lambda: has_steps(http, 1))
        await simulator.restart()
        with pytest.raises(aiohttp.ClientConnectionError):
            await running
    async with session_for(simulator) as http:
        task = await of_task(http, "r")
        assert (task["active"], task["queued"], task["completed"]) == (False, False, False)
        assert (await overall(http))["state"]["job_timestamp"] == "0"
        options = await get(http, "/sdapi/v1/options")
        assert options["live_previews_enable"] is False
        assert options["sd_model_checkpoint"].startswith("randomA.safetensors")
        assert simulator.loaded_checkpoint is None
        hashes = [model["hash"] for model in await get(http, "/sdapi/v1/sd-models")]
        assert hashes[1] == "e232e51d0c"


async def test_restart_ends_what_hangs(simulator: Simulator) -> None:
    simulator.inject(Fault.hang())
    async with session_for(simulator) as http:
        hanging = asyncio.create_task(http.post(ROUTE, json=SMALL).__aenter__())
        await until(lambda: simulator.active_task is not None)
        await simulator.restart()
        with pytest.raises(aiohttp.ClientConnectionError):
            await hanging
    async with session_for(simulator) as http, http.post(ROUTE, json=SMALL) as response:
        assert response.status == 200


async def test_serving_ends_quickly_while_something_hangs() -> None:
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(Simulator(INSTANT).serving())
        simulator.inject(Fault.hang("/sdapi/v1/loras"))
        http = await stack.enter_async_context(session_for(simulator))
        hanging = asyncio.create_task(http.get("/sdapi/v1/loras").__aenter__())
        await until(lambda: simulator.calls["GET /sdapi/v1/loras"] == 1)
        hanging.cancel()
        begun = loop.time()
    assert loop.time() - begun < 2


async def test_startup_window_opens_in_two_halves() -> None:
    options = SimulatorOptions(startup_time_s=100)
    async with Simulator(options, recorded_install()).serving() as simulator:
        paths = ["/", "/internal/ping", "/sdapi/v1/options", "/sdapi/v1/embeddings"]
        statuses = {}
        async with session_for(simulator) as http:
            for uptime_s in (10, 60, 110):
                simulator.set_uptime(uptime_s)
                statuses[uptime_s] = [
                    (await http.get(path)).status for path in [*paths, "/sdapi/v1/loras"]
                ]
    assert statuses == {
        10: [200, 404, 404, 404, 404],
        60: [200, 200, 200, 500, 404],
        110: [200, 200, 200, 200, 200],
    }


@pytest.mark.parametrize("ui", [True, False])
async def test_only_nowebui_compresses_large_answers(ui: bool) -> None:
    options = SimulatorOptions(ui=ui)
    async with Simulator(options).serving() as simulator, session_for(simulator) as http:
        async with http.get("/sdapi/v1/samplers") as response:
            assert len(await response.json()) == 25
            assert (response.headers.get("Content-Encoding") == "gzip") is not ui
        async with http.get("/sdapi/v1/latent-upscale-modes") as response:
            assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize("credentials", ["user:pass", "other:word", "user:word", ""])
async def test_every_named_user_may_come_in(credentials: str) -> None:
    options = SimulatorOptions(api_auth="user:pass,other:word")
    allowed = credentials in ("user:pass", "other:word")
    headers = {}
    if credentials:
        headers["Authorization"] = aiohttp.encode_basic_auth(*credentials.split(":"))
    async with (
        Simulator(options).serving() as simulator,
        session_for(simulator) as http,
        http.get("/sdapi/v1/options", headers=headers) as response,
    ):
        assert response.status == (200 if allowed else 401)


async def test_wrong_typed_option_breaks_the_answer_of_options(
    http: aiohttp.ClientSession,
) -> None:
    await http.post("/sdapi/v1/options", json={"samples_format": 5})
    async with http.get("/sdapi/v1/options") as response:
        assert response.status == 500
        assert (await response.json())["error"] == "ResponseValidationError"


async def test_refresh_of_checkpoints_waits_for_the_run_and_others_do_not(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    body = {**SMALL, "steps": 12, "force_task_id": "long"}
    running = asyncio.create_task(http.post(ROUTE, json=body).__aenter__())
    await until(lambda: has_steps(http, 1))
    waiting = asyncio.create_task(http.post("/sdapi/v1/refresh-checkpoints").__aenter__())
    for path in ("/sdapi/v1/sd-models", "/sdapi/v1/loras"):
        await get(http, path)
    for path in ("/sdapi/v1/refresh-loras", "/sdapi/v1/unload-checkpoint"):
        assert (await http.post(path)).status == 200
    assert simulator.unloads_during == ["long"]
    assert (await of_task(http, "long"))["active"]
    assert not waiting.done()
    assert (await waiting).status == 200
    assert (await running).status == 200
    assert (await of_task(http, "long"))["completed"]


async def test_unloading_frees_the_gpu_and_the_next_run_takes_it_again() -> None:
    """What Forge tells with CUDA is not recorded; see `get_memory` in its `modules/api/api.py`."""
    options = replace(INSTANT, gpu_memory_bytes=8_000_000_000)
    async with Simulator(options).serving() as simulator, session_for(simulator) as http:

        async def free_bytes() -> int:
            cuda = (await get(http, "/sdapi/v1/memory"))["cuda"]
            assert cuda["system"]["total"] == 8_000_000_000
            assert cuda["system"]["used"] == cuda["allocated"]["current"]
            return int(cuda["system"]["free"])

        for _ in range(2):
            assert simulator.is_gpu_free
            assert await free_bytes() > 7_900_000_000
            async with http.post(ROUTE, json=SMALL) as response:
                assert response.status == 200
            assert not simulator.is_gpu_free
            assert await free_bytes() < 4_000_000_000
            async with http.post("/sdapi/v1/unload-checkpoint") as response:
                assert (response.status, await response.json()) == (200, {})
        assert simulator.loaded_checkpoint is not None
        assert simulator.unloads_during == []
