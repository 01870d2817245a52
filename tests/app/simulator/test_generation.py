"""The route around a run: order, disconnects, determinism, formats, what comes back."""

import asyncio
import base64
import io
import json
from typing import Any

import aiohttp
import pytest
from PIL import Image

from app.simulator import Simulator, SimulatorOptions
from tests.app.simulator.polling import has_steps, of_task, overall
from tests.app.simulator.recording import recorded_install, session_for
from tests.waiting import until

SMALL = {"prompt": "a lighthouse at dusk", "seed": 5, "width": 64, "height": 64, "steps": 2}


async def run(http: aiohttp.ClientSession, **changes: object) -> dict[str, Any]:
    async with http.post("/sdapi/v1/txt2img", json={**SMALL, **changes}) as response:
        assert response.status == 200, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


async def test_same_request_and_seed_give_the_same_bytes(http: aiohttp.ClientSession) -> None:
    one, again, other = await run(http), await run(http), await run(http, seed=6)
    assert one["images"] == again["images"]
    assert one["images"] != other["images"]


async def test_same_bytes_after_a_restart(simulator: Simulator) -> None:
    async with session_for(simulator) as http:
        before = await run(http)
        await simulator.restart()
    async with session_for(simulator) as http:
        assert (await run(http))["images"] == before["images"]


async def test_prompt_checkpoint_and_modules_change_the_picture(
    http: aiohttp.ClientSession,
) -> None:
    settings: list[dict[str, object]] = [
        {},
        {"prompt": "a forest"},
        {"override_settings": {"sd_model_checkpoint": "randomB"}},
        {"override_settings": {"forge_additional_modules": ["random_vae.safetensors"]}},
        {"negative_prompt": "fog"},
    ]
    pixels = set()
    for changes in settings:
        data = base64.b64decode((await run(http, **changes))["images"][0])
        pixels.add(Image.open(io.BytesIO(data)).tobytes())
    assert len(pixels) == len(settings)


async def test_random_seed_is_told_in_info_only(http: aiohttp.ClientSession) -> None:
    one, other = await run(http, seed=-1), await run(http, seed=-1)
    seeds = [json.loads(answer["info"])["seed"] for answer in (one, other)]
    assert seeds[0] != seeds[1]
    assert one["parameters"]["seed"] == -1
    assert (await run(http, seed=seeds[0]))["images"] == one["images"]


async def test_seed_beyond_64_bits_is_kept(http: aiohttp.ClientSession) -> None:
    answer = await run(http, seed=2**70)
    assert json.loads(answer["info"])["seed"] == 2**70
    assert answer["parameters"]["seed"] == 2**70


async def test_requests_run_in_order_of_arrival(simulator: Simulator) -> None:
    order: list[int] = []
    async with session_for(simulator) as http:

        async def one(number: int) -> None:
            await run(http, force_task_id=f"t{number}")
            order.append(number)

        waiting = []
        for number in range(6):
            waiting.append(asyncio.create_task(one(number)))
            await until(lambda: len(simulator.requests) == len(waiting))
        await asyncio.gather(*waiting)
    assert order == list(range(6))


@pytest.mark.parametrize("queued", [False, True])
async def test_run_goes_on_when_its_client_goes_away(
    queued: bool, simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    async with session_for(simulator) as leaving:
        ahead = asyncio.create_task(run(http, steps=10)) if queued else None
        if queued:
            await until(lambda: has_steps(http, 1))
        gone = asyncio.create_task(run(leaving, steps=6, force_task_id="gone"))

        async def taken() -> bool:
            answer = await of_task(http, "gone")
            return bool(answer["queued"] if queued else answer["progress"])

        await until(taken)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone

    async def completed() -> bool:
        return bool((await of_task(http, "gone"))["completed"])

    await until(completed)
    assert (await overall(http))["state"]["sampling_steps"] == 6
    if ahead is not None:
        assert len((await ahead)["images"]) == 1


@pytest.mark.parametrize(("chosen", "expected"), [("webp", "WEBP"), ("jpg", "JPEG")])
async def test_other_formats_carry_the_infotext_too(
    chosen: str, expected: str, http: aiohttp.ClientSession
) -> None:
    answer = await run(
        http,
        override_settings={"samples_format": chosen},
        override_settings_restore_afterwards=False,
    )
    data = answer["images"][0]
    assert Image.open(io.BytesIO(base64.b64decode(data))).format == expected
    async with http.post("/sdapi/v1/png-info", json={"image": data}) as response:
        read = await response.json()
    assert read["info"] == json.loads(answer["info"])["infotexts"][0]


async def test_text_beyond_latin_1_survives_the_picture(http: aiohttp.ClientSession) -> None:
    answer = await run(http, prompt="灯台, ein Leuchtturm mit Möwen 🕊")
    async with http.post("/sdapi/v1/png-info", json={"image": answer["images"][0]}) as response:
        read = await response.json()
    assert read["parameters"]["Prompt"] == "灯台, ein Leuchtturm mit Möwen 🕊"


async def test_img2img_stays_near_its_initial_picture(http: aiohttp.ClientSession) -> None:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (10, 250, 10)).save(out, "PNG")
    text = base64.b64encode(out.getvalue()).decode()
    greens = []
    for strength in (0.1, 0.9):
        body = {**SMALL, "init_images": [text], "denoising_strength": strength}
        async with http.post("/sdapi/v1/img2img", json=body) as response:
            data = base64.b64decode((await response.json())["images"][0])
        pixel = Image.open(io.BytesIO(data)).getpixel((32, 60))
        assert isinstance(pixel, tuple)
        greens.append(pixel[1])
    assert greens[0] > greens[1]


async def test_instant_simulator_answers_whole_pictures_of_the_asked_weight() -> None:
    options = SimulatorOptions(
        step_time_s=0, checkpoint_load_time_s=0, draw=False, png_padding_bytes=1_500_000
    )
    async with (
        Simulator(options, recorded_install()).serving() as simulator,
        session_for(simulator) as http,
    ):
        answer = await run(http, width=512, height=512)
        other = await run(http, width=512, height=512, seed=99)
    data = base64.b64decode(answer["images"][0])
    image = Image.open(io.BytesIO(data))
    image.load()
    assert (image.size, image.mode) == ((512, 512), "RGB")
    assert 1_500_000 < len(data) < 1_600_000
    assert image.info["parameters"] == json.loads(answer["info"])["infotexts"][0]
    assert other["images"] != answer["images"]
