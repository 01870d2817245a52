"""Tests of `app/web/catalogue_routes.py`: Forge's lists as recorded, from memory."""

from pathlib import Path

import pytest

from app.simulator import Fault, SimulatorOptions
from tests.contract import compare, exchange
from tests.databases import free_port
from tests.running import INSTANT, RunningNavigator, running_navigator
from tests.waiting import until

LISTS = ("/api/models", "/api/samplers", "/api/schedulers", "/api/upscalers")


@pytest.mark.parametrize("number", [1, 60, 65, 66, 67, 68, 69])
async def test_lists_are_as_recorded(server: RunningNavigator, number: int) -> None:
    recorded = exchange(number)
    answer = await server.replay(recorded)
    compare(recorded, answer.status, answer.json)


async def test_models_are_as_recorded_without_their_friendly_names(
    server: RunningNavigator,
) -> None:
    reason = "belongs to the library of a later storey"
    for number in (62, 64):
        recorded = exchange(number)
        answer = await server.replay(recorded)
        but = {f"models[].{key}": reason for key in ("id", "friendly_name", "is_restricted")}
        compare(recorded, answer.status, answer.json, but=but)
    names = [item["model_name"] for item in answer.json["models"]]
    assert names == ["dreamModel_v1", "fluxModel_dev", "paintModel_v2"]
    assert {item["known"] for item in answer.json["models"]} == {False}


async def test_pixel_limit_is_a_number_however_it_was_set(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, IMAGE_PIXEL_LIMIT="1048576") as server:
        recorded = exchange(301)
        answer = await server.replay(recorded)
        compare(recorded, answer.status, answer.json, but={"max_pixels": "always a number"})
        assert answer.json == {"max_pixels": 1048576}


async def test_samplers_are_the_first_25_unless_all_are_asked_for(
    server: RunningNavigator,
) -> None:
    assert server.forge is not None
    server.forge.samplers.extend({"name": f"Sampler {number}"} for number in range(3))
    server.navigator.health.report_trouble("to have the lists read again")
    await until(lambda: server.navigator.health.is_ready)
    everything = (await server.get("/api/samplers?all=true")).json
    assert len(everything) == 28
    assert (await server.get("/api/samplers")).json == everything[:25]
    for query in ("all", "all=", "all=false", "x=1&all"):
        assert (await server.get(f"/api/samplers?{query}")).json == everything


async def test_upscaler_none_is_not_offered(server: RunningNavigator) -> None:
    assert server.forge is not None
    assert "None" in [item["name"] for item in server.forge.upscalers]
    assert "None" not in [item["name"] for item in (await server.get("/api/upscalers")).json]


async def test_lists_are_503_while_forge_was_never_seen(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, forge=f"http://127.0.0.1:{free_port()}") as server:
        for number in (351, 352, 353, 354):
            recorded = exchange(number)
            answer = await server.replay(recorded)
            assert (answer.status, answer.json["error_code"]) == (503, "FORGE_UNAVAILABLE")
            but = {
                "status": "200 or 500, but it is a failure, and not ours",
                "error": "a sentence instead of the HTTP client's text",
            }
            compare(recorded, answer.status, answer.json, but=but)
        recorded = exchange(361)
        answer = await server.replay(recorded)
        compare(recorded, answer.status, answer.json)


async def test_lists_stay_when_forge_goes(server: RunningNavigator) -> None:
    assert server.forge is not None
    before = [(await server.get(path)).content for path in LISTS]
    server.forge.inject(Fault.http_500("/sdapi/v1/options", times=None))
    server.navigator.health.report_trouble("it goes")
    await until(lambda: not server.navigator.health.is_ready)
    assert [(await server.get(path)).content for path in LISTS] == before


async def test_nobody_waits_for_forge(server: RunningNavigator) -> None:
    assert server.forge is not None
    for path in ("sd-models", "samplers", "schedulers", "upscalers"):
        server.forge.inject(Fault.hang(f"/sdapi/v1/{path}", times=None))
    calls = server.forge.calls.total()
    for path in LISTS:
        assert (await server.get(path)).status == 200
    assert server.forge.calls.total() == calls


async def test_forge_without_optional_lists_gives_empty_ones(tmp_path: Path) -> None:
    options = SimulatorOptions(step_time_s=0, checkpoint_load_time_s=0, draw=False, ui=False)
    assert options.ui is not INSTANT.ui
    async with running_navigator(tmp_path, forge=options) as server:
        for path in LISTS:
            assert (await server.get(path)).status == 200
