"""Tests of `app/cli/invite.py`: with a server that runs and without one."""

from pathlib import Path

import aiohttp
import pytest

from tests.app.cli.commanding import Beside, beside, done, told
from tests.databases import free_port
from tests.processes import serve
from tests.running import running_navigator


async def test_invitation_made_without_a_server_lets_a_friend_in(tmp_path: Path) -> None:
    settings = {"HTTP_API_PORT": "4000"}
    options = ("--name=Zoë", "--role=artificer", "--days=3")
    made = await told(tmp_path, "invite", *options, **settings)
    assert made["link"] == f"http://localhost:4000/?code={made['code']}"
    assert (made["name"], made["role"], made["max_uses"]) == ("Zoë", 2, 1)
    written = [path.read_bytes() for path in (tmp_path / "logs").iterdir()]
    assert not any(made["code"].encode() in content for content in written)
    with serve(tmp_path) as started:
        url = await started.listening()
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{url}/api/auth/login", json={"code": made["code"]}) as response,
        ):
            answer = await response.json()
        assert (response.status, answer["user"]["username"]) == (200, "Zoë")


async def test_link_is_that_of_the_server_to_come(tmp_path: Path) -> None:
    settings = {"HTTP_API_HOST": "192.0.2.7", "HTTP_API_PORT": "80"}
    printed = await done(tmp_path, "invite", **settings)
    assert printed.startswith("http://192.0.2.7/?code=nav-")


async def test_invitations_are_listed_and_withdrawn(tmp_path: Path) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    async with running_navigator(tmp_path, forge=gone) as server:
        with beside(server) as navigator:
            svg, png = tmp_path / "code.svg", tmp_path / "code.png"
            codes = ("--qr", f"--svg={svg}", f"--png={png}")
            options = ("--uses=3", "--never-expires", "--ask-me", *codes)
            printed = await navigator.done("invite", *options)
            assert printed.startswith(f"{server.url}/?code=nav-")
            assert "████" in printed
            assert "\x1b" not in printed
            assert "up to 3 friends in as apprentice, each after you approved them" in printed
            assert svg.read_text().startswith("<svg")
            assert png.read_bytes().startswith(b"\x89PNG")
            (one,) = (await navigator.told("invite", "list"))["invitations"]
            assert (one["preapproved"], one["expires_at"]) == (False, None)
            assert (await state(navigator)).startswith("good, asks you")
            withdrawn = await navigator.done("invite", "withdraw", one["id"])
            assert withdrawn == f"The invitation {one['id']} is good for nothing any more.\n"
            assert await navigator.told("invite", "withdraw", one["id"]) == {}
            assert (await state(navigator)).startswith("withdrawn")
            for unknown in ("0123456789ab", "..", "a/b"):
                sentence = await navigator.refused("invite", "withdraw", unknown)
                assert sentence == "There is no such invitation."


async def state(navigator: Beside) -> str:
    """What the table says of the only invitation, from the state on."""
    _, line = (await navigator.done("invite", "list")).splitlines()
    return line.partition(" of 3  ")[2]


async def test_options_before_a_sub_command_count_for_it_too(tmp_path: Path) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    async with running_navigator(tmp_path, forge=gone) as server:
        with beside(server) as navigator:
            with_folder = ("invite", f"--data-dir={navigator.data_dir}", "--json", "list")
            ended = await navigator.ended_as_given(*with_folder)
            assert (ended.code, '"invitations": []' in ended.printed) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--never-expires", "--days=3"], "--days goes without --never-expires."),
        (["--uses=0"], "--uses"),
        (["--days=367"], "--days"),
        (["--role=none"], "--role"),
        (["--name=Zoë", "list"], "--name goes without list."),
    ],
)
async def test_absurd_options_are_refused(arguments: list[str], said: str, tmp_path: Path) -> None:
    ended = await Beside(tmp_path / "data").ended("invite", *arguments)
    assert (ended.code, said in ended.errors) == (2, True)
    assert not (tmp_path / "data").exists()
