"""Tests of `app/cli/admin_api.py`: whom our commands ask, and what they make of the answer."""

import os
from pathlib import Path
from typing import Any

import pytest

from app.cli import server_file
from app.cli.admin_api import Refused, opened
from app.cli.instance import only_instance
from app.errors import NavigatorError
from tests.app.cli.answering_api import Answers
from tests.app.cli.commanding import command, done, listed
from tests.databases import python
from tests.processes import serve
from tests.running import running_navigator

PATH = "/api/admin/users"


def page(number: int, ids: list[int], count: int, limit: int = 200) -> dict[str, Any]:
    """The prepared answer for one page of users."""
    users = [{"id": one} for one in ids]
    told = {"count": count, "page": number, "users": users}
    return {f"GET {PATH}?page={number}&limit={limit}": told}


async def test_body_is_sent_as_json() -> None:
    answers = Answers({"POST /api/admin/invitations": {"id": "1"}})
    told = await answers.api.call("POST", "/api/admin/invitations", {"name": "Zoë"})
    assert (told, answers.asked) == ({"id": "1"}, ['POST /api/admin/invitations {"name":"Zoë"}'])


async def test_refusal_has_the_sentence_and_the_code() -> None:
    with pytest.raises(Refused, match=r"There is no such user\.") as refused:
        await Answers({}).api.call("GET", PATH)
    assert refused.value.code == "USER_NOT_FOUND"


async def test_no_content_is_an_empty_object() -> None:
    answers = Answers({f"DELETE {PATH}/1?pictures=false": b""})
    assert await answers.api.call("DELETE", f"{PATH}/1", pictures="false") == {}


@pytest.mark.parametrize("content", [b"<html>", b"[]", b'"text"'])
async def test_answer_of_something_else_is_told(content: bytes) -> None:
    with pytest.raises(NavigatorError, match="no JSON"):
        await Answers({f"GET {PATH}": content}).api.call("GET", PATH)


async def test_pages_are_joined_and_nobody_is_listed_twice() -> None:
    first, second = list(range(200)), [199, 200, 201]
    answers = Answers(page(1, first, 203) | page(2, second, 203))
    told = await answers.api.pages(PATH, "users")
    assert [user["id"] for user in told["users"]] == list(range(202))
    assert told["count"] == 203


async def test_list_that_shrinks_meanwhile_ends() -> None:
    answers = Answers(page(1, list(range(200)), 450) | page(2, [], 450))
    assert len((await answers.api.pages(PATH, "users"))["users"]) == 200


async def test_limit_asks_for_no_more_than_it_needs() -> None:
    answers = Answers(page(1, [3, 2, 1], 50, limit=3))
    assert len((await answers.api.pages(PATH, "users", limit=3))["users"]) == 3


async def test_folder_whose_holder_cannot_be_asked_is_told(tmp_path: Path) -> None:
    with only_instance(tmp_path), pytest.raises(NavigatorError, match="cannot be asked"):
        async with opened(tmp_path, patience_s=0):
            pass


async def test_file_of_a_dead_server_is_not_believed(tmp_path: Path, unused_port: int) -> None:
    pid = int(await python("import os; print(os.getpid())"))
    with listed(tmp_path, f"http://127.0.0.1:{unused_port}"):
        file = tmp_path / "server.json"
        file.write_text(file.read_text().replace(str(os.getpid()), str(pid)))
        with pytest.raises(NavigatorError, match="cannot be asked"):
            async with opened(tmp_path, patience_s=0):
                pass


async def test_server_that_does_not_answer_is_told(tmp_path: Path, unused_port: int) -> None:
    with listed(tmp_path, f"http://127.0.0.1:{unused_port}"):
        async with opened(tmp_path) as api:
            with pytest.raises(NavigatorError, match=f"does not answer .*:{unused_port};"):
                await api.call("GET", PATH)


async def test_running_server_is_asked(tmp_path: Path) -> None:
    async with running_navigator(tmp_path) as server:
        await server.add_user("1001")
        folder = server.settings.data_dir
        with listed(folder, server.url):
            async with opened(folder) as api:
                assert (await api.pages(PATH, "users"))["users"][0]["id"] == "1001"
        with listed(folder, server.url, "of another start"):
            async with opened(folder) as api:
                with pytest.raises(NavigatorError, match="does not know this command"):
                    await api.call("GET", PATH)


async def test_file_that_a_killed_server_left_is_in_nobodys_way(tmp_path: Path) -> None:
    with serve(tmp_path) as started:
        await started.listening()
        started.kill()
    assert server_file.read(tmp_path) is not None
    assert "STATE" in await done(tmp_path, "users", "list")


async def test_database_of_another_navigator_is_left_to_it(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path / 'shared.sqlite3'}"
    with serve(tmp_path / "a", DB_URL=url) as started:
        await started.listening()
        ended = await command(tmp_path / "b", "users", "list", DB_URL=url)
    assert (ended.code, ended.printed) == (1, "")
    assert ended.errors.startswith("navigator: Another Navigator works with the database")
    assert len(ended.errors.splitlines()) == 1


async def test_impossible_setting_is_refused_by_name(tmp_path: Path) -> None:
    ended = await command(tmp_path, "users", "list", JOB_ATTEMPTS="0")
    assert (ended.code, ended.errors.startswith("navigator: JOB_ATTEMPTS: ")) == (78, True)
