"""Which routes are there, and which of Forge's are left out on purpose."""

import aiohttp
import pytest

from app.simulator import Simulator, SimulatorOptions
from tests.app.simulator.recording import names, session_for

# Routes of a real Forge that no client of ours calls, so the simulator does without them.
# Nor does it simulate the pool of 40 threads: any number of requests may wait in it.
LEFT_OUT = {
    "GET /openapi.json": "shows first-pass patches that are not there; not used to find out",
    "GET /sdapi/v1/script-info": "script arguments are fixed by the payload",
    "GET /sdapi/v1/prompt-styles": "styles are not sent",
    "GET /sdapi/v1/hypernetworks": "always empty in Forge",
    "GET /sdapi/v1/face-restorers": "not offered",
    "GET /sdapi/v1/realesrgan-models": "the upscalers route lists them too",
    "GET /sdapi/v1/extensions": "not used",
    "GET /controlnet/model_list": "not offered",
    "POST /sdapi/v1/extra-single-image": "upscaling goes through img2img and the second pass",
    "POST /sdapi/v1/interrogate": "not offered",
    "POST /sdapi/v1/server-stop": "there only with --api-server-stop; signals are used instead",
}


@pytest.mark.parametrize("route", LEFT_OUT)
async def test_left_out_route_is_a_404(route: str, http: aiohttp.ClientSession) -> None:
    method, path = route.split()
    async with http.request(method, path) as response:
        assert (response.status, await response.json()) == (404, {"detail": "Not Found"})


def test_no_recording_of_a_left_out_route_is_kept() -> None:
    kept = {name.rpartition("/")[2] for name in names("get", "post")}
    assert not kept & {route.rpartition("/")[2] for route in LEFT_OUT}


async def test_other_method_is_refused_with_the_right_one(http: aiohttp.ClientSession) -> None:
    for method, path, allowed in (
        ("HEAD", "/sdapi/v1/options", "GET, POST"),
        ("POST", "/internal/ping", "GET"),
        ("DELETE", "/sdapi/v1/txt2img", "POST"),
    ):
        async with http.request(method, path) as response:
            assert (response.status, response.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize("ui", [True, False])
async def test_internal_routes_need_the_ui(ui: bool) -> None:
    async with (
        Simulator(SimulatorOptions(ui=ui)).serving() as simulator,
        session_for(simulator) as http,
    ):
        for path in ("/", "/internal/ping", "/internal/pending-tasks"):
            async with http.get(path) as response:
                assert response.status == (200 if ui else 404)
        async with http.post("/internal/progress", json={"id_task": "x"}) as response:
            assert response.status == (200 if ui else 404)
        async with http.get("/sdapi/v1/progress") as response:
            assert response.status == 200
