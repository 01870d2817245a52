"""Tests of `app/web/catalogue_routes.py`: Forge's lists as recorded, from memory."""

from pathlib import Path

import pytest

from app.library.models import KnownCheckpoint
from app.simulator import Fault, SimulatorOptions
from app.simulator.catalogue import Checkpoint
from tests.contract import compare, differences, exchange
from tests.databases import free_port
from tests.running import INSTANT, RunningNavigator, running_navigator
from tests.waiting import until

LISTS = (
    "/api/models", "/api/samplers", "/api/schedulers", "/api/upscalers", "/api/modules",
    "/api/models/embeddings",
)  # fmt: skip


@pytest.mark.parametrize("number", [1, 60, 61, 65, 66, 67, 68, 69, 70, 71])
async def test_lists_are_as_recorded(server: RunningNavigator, number: int) -> None:
    recorded = exchange(number)
    answer = await server.replay(recorded)
    compare(recorded, answer.status, answer.json)


async def test_models_are_as_recorded_with_the_owners_names(
    server: RunningNavigator, token: str
) -> None:
    await KnownCheckpoint.create(model_name="dreamModel_v1", friendly_name="Dream Model")

    async def is_read() -> bool:
        return bool((await server.get("/api/models")).json["models"][0]["known"])

    await until(is_read)
    for number in (62, 64):
        recorded = exchange(number)
        answer = await server.replay(recorded)
        compare(recorded, answer.status, answer.json)
    models = answer.json["models"]
    assert [(item["model_name"], item["known"]) for item in models] == [
        ("dreamModel_v1", True), ("fluxModel_dev", False), ("paintModel_v2", False),
    ]  # fmt: skip
    assert (models[0]["friendly_name"], models[0]["is_restricted"]) == ("Dream Model", False)
    job = await server.submit(token, model_name="Dream Model")
    assert job["model_name"] == "dreamModel_v1"


async def test_refresh_needs_a_login_and_tells_everybody(
    server: RunningNavigator, token: str
) -> None:
    assert server.forge is not None
    server.forge.checkpoints.append(Checkpoint("zebra.safetensors"))
    async with server.listening() as heard:
        await server.get("/api/models?refresh=true")
        await server.get("/api/models?refresh=1", token=token)
        assert server.forge.calls["POST /sdapi/v1/refresh-checkpoints"] == 0
        answer = await server.get("/api/models?refresh=true", token=token)
        recorded = exchange(63)
        but = {
            f"models[].{key}": "none is named" for key in ("id", "friendly_name", "is_restricted")
        }
        compare(recorded, answer.status, answer.json, but=but)
        assert "zebra" in [item["model_name"] for item in answer.json["models"]]
        payload = await heard.told("models-refreshed")
        assert payload == recorded.events["models-refreshed"]
    answer = await server.post("/api/models/refresh", token=token)
    assert (answer.status, len(answer.json["models"])) == (200, 4)
    assert (await server.post("/api/models/refresh")).status == 401


async def test_cookie_alone_refreshes_nothing(server: RunningNavigator) -> None:
    assert server.forge is not None
    login = await server.post("/api/auth/login", {"code": "DEMO_USER"})
    cookie = login.headers["Set-Cookie"].partition(";")[0]
    await server.get("/api/models?refresh=true", headers={"Cookie": cookie})
    headers = {"Cookie": cookie, "Authorization": "Bearer garbage"}
    await server.get("/api/models?refresh=true", headers=headers)
    token = login.json["token"]
    await server.request("HEAD", "/api/models?refresh=true", token=token)
    assert server.forge.calls["POST /sdapi/v1/refresh-checkpoints"] == 0


async def test_refresh_while_forge_is_away_gives_the_last_known_list(
    server: RunningNavigator, token: str
) -> None:
    assert server.forge is not None
    server.forge.inject(Fault.http_500("/sdapi/v1/refresh-checkpoints"))
    answer = await server.get("/api/models?refresh=true", token=token)
    assert (answer.status, len(answer.json["models"])) == (200, 3)


async def test_loras_are_listed_for_users_with_what_is_known(
    server: RunningNavigator, token: str
) -> None:
    assert (await server.get("/api/models/loras")).status == 401
    recorded = exchange(85)
    answer = await server.replay(recorded, token=token)
    lacking = {
        f"[].metadata.{key}": "no such LoRA here"
        for key in ("sshs_model_hash", "ss_base_model_version")
    }
    found = dict(differences(recorded.answer, answer.json))
    assert answer.status == 200
    assert found.keys() <= lacking.keys()
    for lora in (await server.get("/api/models/loras", token=token)).json:
        assert (lora["provider"], lora["metadata"], lora["nsfw"]) == (0, "pending", False)
        assert lora["name"] == lora["forge"]["name"] == lora["localOverride"]["name"]


async def test_forced_update_of_metadata_needs_a_role(server: RunningNavigator) -> None:
    apprentice = await server.add_user("200000000000000002")
    recorded = exchange(88)
    answer = await server.replay(recorded, token=apprentice)
    compare(recorded, answer.status, answer.json)


async def test_loras_can_be_switched_off(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, ENABLE_LORA_REQUESTS="false") as server:
        answer = await server.get("/api/models/loras", token=await server.login())
        compare(exchange(312), answer.status, answer.json)


async def test_version_is_what_the_settings_say(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, BRANCH="main", COMMIT_SHA="abcdef1") as server:
        answer = await server.get("/api/config/version")
        assert answer.json == exchange(302).answer


async def test_lists_are_marked_while_forge_is_away_also_after_a_restart(
    tmp_path: Path, unused_port: int
) -> None:
    async with running_navigator(tmp_path) as server:
        fresh = await server.get("/api/samplers")
        assert "X-Navigator-Stale" not in fresh.headers
    async with running_navigator(tmp_path, forge=f"http://127.0.0.1:{unused_port}") as server:
        for path in LISTS:
            answer = await server.get(path)
            assert answer.status == 200
            assert answer.headers["X-Navigator-Stale"].startswith("20")
        assert (await server.get("/api/samplers")).content == fresh.content
        assert "X-Navigator-Stale" in fresh.headers["Access-Control-Expose-Headers"]
        async with server.forge_at(unused_port):
            assert "X-Navigator-Stale" not in (await server.get("/api/samplers")).headers


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
