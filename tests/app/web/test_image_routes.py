"""Tests of `app/web/image_routes.py`: what is told of a picture, and previews."""

from urllib.parse import quote

import pytest

from app.accounts.roles import Role
from app.jobs.models import JobStatus
from app.simulator import Fault
from tests.contract import compare, exchange
from tests.running import CHECKPOINT, SUPERUSER_TOKEN, RunningNavigator
from tests.waiting import until

PNG = b"\x89PNG"
RECORDED = {
    "prompt": "a lighthouse at dusk",
    "negative_prompt": "blurry, text",
    "width": 512,
    "height": 640,
    "steps": 20,
    "seed": 777,
    "cfg_scale": 6.5,
    "distilled_cfg": 4.0,
    "sampler_name": "k_euler_a",
    "scheduler_name": "karras",
    "subseed": 99,
    "subseed_strength": 0.3,
    "image_enhancements": True,
    "modules": ["ae.safetensors", "clip_l.safetensors"],
}


async def test_info_is_as_recorded(server: RunningNavigator) -> None:
    token = await server.add_user("100000000000000001")
    picture = await server.picture(token, **RECORDED)
    recorded = exchange(144)
    answer = await server.replay(recorded, token=token, path=f"/api/images/{picture}/info")
    compare(
        recorded,
        answer.status,
        answer.json,
        but={"parameters.owner_id": "the text that one of two code paths gave, not the object"},
    )
    told = answer.json["parameters"]
    assert {"Seed": "777", "Steps": "20", "Size-1": "512", "Size-2": "640"}.items() <= told.items()
    assert told["distilled_cfg"] == 4
    assert told["Prompt"] in answer.json["info"]


async def test_owner_is_told_to_themselves_and_to_administrators_only(
    server: RunningNavigator,
) -> None:
    owner = await server.add_user("owner")
    tokens = {
        "owner": owner,
        "friend": await server.add_user("friend", Role.ARTIFICER),
        "architect": await server.add_user("architect", Role.ARCHITECT),
        "nobody": None,
    }
    path = f"/api/images/{await server.picture(owner)}/info"
    told = {
        who: (await server.get(path, token=token)).json["parameters"].get("owner_id")
        for who, token in tokens.items()
    }
    assert told == {"owner": "owner", "friend": None, "architect": "owner", "nobody": None}
    answer = await server.get(path, headers={"Authorization": SUPERUSER_TOKEN})
    assert answer.json["parameters"]["owner_id"] == "owner"


@pytest.mark.parametrize(
    ("number", "image_id"), [(146, "{picture}.png"), (147, "unknown0"), (147, "x" * 500)]
)
async def test_info_of_no_picture_is_404_as_recorded(
    server: RunningNavigator, token: str, number: int, image_id: str
) -> None:
    picture = await server.picture(token)
    answer = await server.get(f"/api/images/{image_id.format(picture=picture)}/info")
    compare(exchange(number), answer.status, answer.json)


async def test_info_of_an_unfinished_picture_is_404_as_recorded(
    slow_server: RunningNavigator,
) -> None:
    token = await slow_server.login()
    job_id = (await slow_server.submit(token, steps=150))["job_id"]
    answer = await slow_server.get(f"/api/images/{job_id}/info")
    compare(exchange(152), answer.status, answer.json)


async def test_info_keeps_every_character_of_the_prompt(
    server: RunningNavigator, token: str
) -> None:
    prompt = "fox \U0001f98a, “quotes” \\(x\\) <lora:a:1>\n{[(a:1.2)]}\tØ" + "x" * 9000
    picture = await server.picture(token, prompt=prompt)
    info = (await server.get(f"/api/images/{picture}/info")).json
    assert info["info"].startswith(prompt)
    answer = await server.request("HEAD", f"/api/images/{picture}/info")
    assert (answer.status, answer.content) == (200, b"")


async def test_preview_comes_while_the_job_runs_and_stays(slow_server: RunningNavigator) -> None:
    token = await slow_server.login()
    job_id = (await slow_server.submit(token, steps=100))["job_id"]
    path = f"/api/previews/{job_id}"

    async def is_there() -> bool:
        return (await slow_server.get(path)).status == 200

    await until(is_there)
    recorded = exchange(149)
    for spelling in (path, f"{path}.png", f"{path}?t=123", f"{path}.png?refresh=1", f"{path}/"):
        answer = await slow_server.get(spelling)
        assert answer.status == recorded.status == 200
        assert answer.headers["Content-Type"] in {"image/png", "image/jpeg"}
        assert answer.headers["Cache-Control"] == "no-store"
    await slow_server.finished(job_id)
    assert await is_there()
    head = await slow_server.request("HEAD", path)
    assert (head.status, head.content) == (200, b"")


async def test_preview_of_a_waiting_or_unknown_job_is_404_as_recorded(
    slow_server: RunningNavigator,
) -> None:
    assert slow_server.forge is not None
    slow_server.forge.inject(Fault.hang(after_steps=0))
    token = await slow_server.login()
    running = (await slow_server.submit(token))["job_id"]
    waiting = (await slow_server.submit(token))["job_id"]
    await slow_server.reached(running, JobStatus.RUNNING)
    for number, job_id in ((153, waiting), (150, "unknown0"), (150, "x" * 500)):
        answer = await slow_server.get(f"/api/previews/{job_id}")
        compare(exchange(number), answer.status, answer.json)
    slow_server.forge.clear_faults()


async def test_preview_is_a_picture_of_the_kind_it_says(slow_server: RunningNavigator) -> None:
    token = await slow_server.login()
    job_id = (await slow_server.submit(token, steps=100, model_name=CHECKPOINT))["job_id"]
    async with slow_server.listening(token) as heard:
        told = await heard.event("task-progress", job_id)
        await until(lambda: len(heard.of(job_id)) > 2)
        answer = await slow_server.get(told["progress_path"])
    starts = {"image/png": PNG, "image/jpeg": b"\xff\xd8", "image/webp": b"RIFF"}
    assert answer.content.startswith(starts[answer.headers["Content-Type"]])


async def test_embed_page_names_the_picture_at_an_address_of_ours(
    server: RunningNavigator, token: str
) -> None:
    picture = await server.picture(token)
    for host in (server.url.removeprefix("http://"), "evil.example.org"):
        answer = await server.get(f"/embed/{picture}", headers={"Host": host})
        page = answer.content.decode()
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert f'property="og:image" content="{server.url}/api/images/{picture}"' in page
        assert 'name="twitter:card"' in page
        assert "evil" not in page


async def test_embed_of_what_is_no_picture_is_refused_as_recorded(
    slow_server: RunningNavigator,
) -> None:
    recorded = exchange(155)
    answer = await slow_server.replay(recorded)
    compare(recorded, answer.status, answer.json)
    job = await slow_server.submit(await slow_server.login())
    for image_id in (job["job_id"], '"><script>alert(1)<', "x" * 300):
        assert (await slow_server.get(f"/embed/{quote(image_id)}")).status == 404
