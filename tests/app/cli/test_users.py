"""Tests of `app/cli/users.py`: with a server that runs and without one."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from app.accounts.directory import State
from app.accounts.models import User
from app.accounts.roles import Approval, Role
from app.cli.users import STATES
from app.database.connection import opened
from app.setting_types import DatabaseLocation
from tests.app.cli.commanding import Beside, beside, command, done, told
from tests.databases import MODEL_MODULES, free_port, url_of
from tests.listening import listening
from tests.processes import serve
from tests.running import running_navigator
from tests.waiting import until

FOX = "Zoë \U0001f98a"


async def add_people() -> None:
    """Anna waits, two are called Bob, Zoë may do everything."""
    knocked_at = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    for user_id, name, role, approval in (
        ("1001", "Anna", Role.NONE, Approval.PENDING),
        ("1002", "Bob", Role.APPRENTICE, Approval.APPROVED),
        ("1003", "Bob", Role.APPRENTICE, Approval.APPROVED),
        ("1004", FOX, Role.APEX, Approval.APPROVED),
        ("1005", "100%_sure", Role.APPRENTICE, Approval.APPROVED),
    ):
        await User.create(
            id=user_id, name=name, role=role, approval=approval, knocked_at=knocked_at
        )


@pytest.fixture
async def navigator(tmp_path: Path) -> AsyncIterator[Beside]:
    """Commands beside a running server with people."""
    gone = f"http://127.0.0.1:{free_port()}"
    async with running_navigator(tmp_path, forge=gone) as server:
        await add_people()
        with beside(server) as commands:
            yield commands


def test_states_are_those_of_a_user() -> None:
    assert set(STATES) == set(State)


async def test_it_works_without_a_server_on_either_database(
    database_location: DatabaseLocation, tmp_path: Path
) -> None:
    async with opened(database_location, MODEL_MODULES):
        await add_people()
    folder, at = tmp_path / "data", {"DB_URL": url_of(database_location)}
    approved = await done(folder, "users", "approve", "Anna", "--role=Artificer", **at)
    assert approved == "Anna (1001) may come in, as artificer.\n"
    refused = await command(folder, "users", "disable", "1004", **at)
    assert (refused.code, refused.printed) == (1, "")
    assert refused.errors.startswith("navigator: This is the last user of the role APEX")
    (entry,) = (await told(folder, "users", "log", **at))["entries"]
    assert (entry["actor"], entry["action"], entry["subject"], entry["address"]) == (
        "command-line",
        "approve",
        "1001",
        "127.0.0.1",
    )


async def test_list_is_a_table(navigator: Beside) -> None:
    titles, *lines = (await navigator.done("users", "list")).splitlines()
    assert titles.split() == ["ID", "NAME", "ROLE", "STATE", "LAST", "LOGIN", "KNOCKED"]
    assert {line.split()[0] for line in lines} == {"1001", "1002", "1003", "1004", "1005"}
    _, anna = (await navigator.done("users", "list", "--state=pending")).splitlines()
    assert anna.split()[:5] == ["1001", "Anna", "none", "pending", "-"]
    found = await navigator.told("users", "list", "--search=ob")
    assert (found["count"], [user["name"] for user in found["users"]]) == (2, ["Bob", "Bob"])


@pytest.mark.parametrize("name", [FOX, "100%_sure"])
async def test_user_is_shown_by_name(name: str, navigator: Beside) -> None:
    printed = await navigator.done("users", "show", name)
    assert f"Name:        {name}\n" in printed
    assert "State:       approved\n" in printed
    assert "Last login:  -\n" in printed


@pytest.mark.parametrize(
    ("arguments", "said", "state"),
    [
        (["approve", "1001"], "Anna (1001) may come in, as apprentice.", "approved"),
        (["deny", "Anna"], "Anna (1001) is refused.", "disabled"),
        (["disable", "1002"], "Bob (1002) is shut out.", "disabled"),
        (["role", "1002", "architect"], "Bob (1002) is architect now.", "approved"),
        (["sign-out", FOX], f"{FOX} (1004) is signed out everywhere.", "approved"),
        (["forget", "1003", "--pictures", "--yes"], "1003 is forgotten.", "forgotten"),
        (["forget", "1003", "--yes"], "1003 is forgotten.", "forgotten"),
    ],
)
async def test_decision_is_told_in_a_sentence_or_as_json(
    arguments: list[str], said: str, state: str, navigator: Beside
) -> None:
    assert await navigator.done("users", *arguments) == f"{said}\n"
    user = await navigator.told("users", *arguments) if arguments[1] != "1003" else None
    user = user or await navigator.told("users", "show", "1003")
    assert user["state"] == state


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["approve", "Nobody"], "There is no user with the id or name Nobody."),
        (["disable", "Bob"], "Several users are called Bob; name one by id: "),
        (["disable", "1004"], "This is the last user of the role APEX"),
        (["deny", "1002"], "This user is let in already"),
        (["forget", "demo_user", "--yes"], "This account is Navigator's own"),
        (["role", "1001", "apex"], "This user is not let in"),
    ],
)
async def test_refusal_is_a_sentence(
    arguments: list[str], sentence: str, navigator: Beside
) -> None:
    assert (await navigator.refused("users", *arguments)).startswith(sentence)


async def test_nobody_is_forgotten_without_a_yes(navigator: Beside) -> None:
    ended = await navigator.ended("users", "forget", "1002", "--json")
    assert (ended.code, ended.printed) == (1, "")
    assert "Forget Bob (1002); their pictures stay? [y/N]" in ended.errors
    assert (await navigator.told("users", "show", "1002"))["state"] == "approved"


async def test_way_back_in_is_a_link(navigator: Beside) -> None:
    ended = await navigator.ended("users", "link", FOX, "--hours=2", "--qr")
    assert "/?code=nav-" in ended.printed.splitlines()[0]
    assert "████" in ended.printed
    assert f"Lets {FOX} back in, once, until" in ended.printed
    assert "--lan" in ended.errors
    assert (await navigator.told("users", "link", "1004"))["user_id"] == "1004"


async def test_log_is_a_table(navigator: Beside) -> None:
    await navigator.done("users", "approve", "1001")
    await navigator.done("users", "role", "1002", "artificer")
    titles, newest = (await navigator.done("users", "log", "--limit=1")).splitlines()
    assert titles.split() == ["WHEN", "WHO", "FROM", "WHAT", "WHOM", "DETAILS"]
    assert newest.split()[2:] == [
        "superuser", "127.0.0.1", "set-role", "1002", "role=2,", "before=1",
    ]  # fmt: skip
    (entry,) = (await navigator.told("users", "log", "--of=Anna"))["entries"]
    assert (entry["action"], entry["subject"]) == ("approve", "1001")


async def test_running_server_hears_of_it_at_once(tmp_path: Path) -> None:
    with serve(tmp_path) as started:
        url = await started.listening()
        invited = await told(tmp_path, "invite", "--name=Friend of mine")
        async with aiohttp.ClientSession() as http:
            async with http.post(
                f"{url}/api/auth/login", json={"code": invited["code"]}
            ) as response:
                login = json.loads(await response.read())
            async with listening(url, login["token"]) as heard:
                user = await told(tmp_path, "users", "disable", "Friend of mine")
                assert user["state"] == "disabled"
                await until(lambda: not heard.client.connected, 1)
        key = json.loads((tmp_path / "server.json").read_text())["token"]
        written = started.errors + (tmp_path / "logs" / "navigator.log").read_text()
        assert not [secret for secret in (invited["code"], key) if secret in written]
