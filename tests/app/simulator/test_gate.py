"""What every request passes, over a real socket: passwords, error bodies, compression."""

import base64

import aiohttp
import pytest

from app.simulator import Fault, Simulator, SimulatorOptions

OPTIONS = "/sdapi/v1/options"


def basic(credentials: str) -> str:
    """The header that `user:password` is sent with."""
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


@pytest.mark.parametrize(
    ("header", "status", "detail"),
    [
        (None, 401, "Not authenticated"),
        ("Bearer x", 401, "Not authenticated"),
        ("Basic abc", 401, "Invalid authentication credentials"),
        (basic("me:wrong"), 401, "Incorrect username or password"),
        (basic("me:a:b"), 200, None),
    ],
)
async def test_password_is_asked_for(header: str | None, status: int, detail: str | None) -> None:
    async with (
        Simulator(SimulatorOptions(0, 0, api_auth="me:a:b")).serving() as simulator,
        aiohttp.ClientSession(simulator.url) as http,
        http.get(OPTIONS, headers={"Authorization": header} if header else {}) as response,
    ):
        assert response.status == status
        if detail is not None:
            assert await response.json() == {"detail": detail}
            assert response.headers["WWW-Authenticate"] == "Basic"


async def test_wrong_method_and_path_are_told_in_json(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    async with http.delete(OPTIONS) as response:
        assert (response.status, await response.json()) == (405, {"detail": "Method Not Allowed"})
        assert "GET" in response.headers["Allow"]
    async with http.get("/sdapi/v1/nothing") as response:
        assert (response.status, await response.json()) == (404, {"detail": "Not Found"})


async def test_fault_strikes_its_path_once(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    simulator.inject(Fault.http_500(OPTIONS))
    for status in (500, 200):
        async with http.get(OPTIONS) as response:
            assert response.status == status


@pytest.mark.parametrize("ui", [True, False])
async def test_only_forge_without_its_ui_compresses(ui: bool) -> None:
    async with (
        Simulator(SimulatorOptions(0, 0, ui=ui)).serving() as simulator,
        aiohttp.ClientSession(simulator.url) as http,
        http.get(OPTIONS, headers={"Accept-Encoding": "gzip"}) as response,
    ):
        await response.read()
        assert (response.headers.get("Content-Encoding") == "gzip") == (not ui)
