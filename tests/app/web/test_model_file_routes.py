"""Tests of `app/web/model_file_routes.py`: the model files on the owner's disk."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from app.accounts.models import AuditEntry
from app.accounts.roles import Role
from tests.running import CHECKPOINT, Answer, RunningNavigator, running_navigator

FILES = "/api/admin/models/files"
DREAM = f"Stable-diffusion/{CHECKPOINT}.safetensors"
INK = "Lora/ink & paper.safetensors"
SKY = "Lora/sky.safetensors"
CALM = "../embeddings/calm.pt"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningNavigator]:
    """A Navigator with a folder of models."""
    for age, (path, size_bytes) in enumerate({DREAM: 30, INK: 20, SKY: 10, CALM: 5}.items()):
        file = tmp_path / "models" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * size_bytes)
        os.utime(file, (1_700_000_000 - age, 1_700_000_000 - age))
    async with running_navigator(tmp_path, MODEL_DIR=str(tmp_path / "models")) as running:
        yield running


@pytest.fixture
async def boss(server: RunningNavigator) -> str:
    """A token of an administrator's."""
    return await server.add_user("the-owner", Role.ARCHITECT)


async def listed(server: RunningNavigator, token: str, query: str = "") -> list[str]:
    answer = await server.get(f"{FILES}{query}", token=token)
    assert answer.status == 200, answer.content
    return [file["path"] for file in answer.json["files"]]


async def delete(server: RunningNavigator, token: str, path: str, query: str = "") -> Answer:
    return await server.request("DELETE", f"{FILES}?path={quote(path)}{query}", token=token)


async def move(server: RunningNavigator, token: str, where: str, path: object) -> Answer:
    return await server.post(f"{FILES}/{where}", {"path": path}, token=token)


async def test_list_tells_files_kinds_and_the_disk(
    server: RunningNavigator, boss: str, tmp_path: Path
) -> None:
    told = (await server.get(FILES, token=boss)).json
    assert (told["folder"], told["count"], told["page"]) == (str(tmp_path / "models"), 4, 1)
    assert 0 < told["free_bytes"] <= told["total_bytes"]
    sizes = {kind["kind"]: (kind["size_bytes"], kind["count"]) for kind in told["kinds"]}
    assert (sizes["checkpoint"], sizes["lora"], sizes["vae"]) == ((30, 1), (30, 2), (0, 0))
    assert told["files"][0] == {
        "path": DREAM,
        "kind": "checkpoint",
        "name": CHECKPOINT,
        "size_bytes": 30,
        "modified_at": "2023-11-14T22:13:20.000+00:00",
        "last_used_at": None,
        "is_loaded": False,
        "is_waited_for": False,
        "is_removable": True,
        "why_not": None,
    }
    calm = told["files"][-1]
    assert (calm["path"], calm["is_removable"]) == (CALM, False)
    assert calm["why_not"] == "It lies outside of MODEL_DIR."


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("?sort=size", [DREAM, INK, SKY, CALM]),
        ("?sort=name", [CALM, DREAM, INK, SKY]),
        ("?sort=modified", [DREAM, INK, SKY, CALM]),
        ("?sort=last-used", [CALM, INK, SKY, DREAM]),
        ("?kind=lora", [INK, SKY]),
        ("?kind=vae", []),
        ("?limit=1&page=2", [INK]),
        ("?page=9", []),
        ("?archived=true", []),
    ],
)
async def test_list_is_sorted_filtered_and_in_pages(
    server: RunningNavigator, boss: str, query: str, paths: list[str]
) -> None:
    assert await listed(server, boss, query) == paths


@pytest.mark.parametrize(
    ("name", "value"), [("kind", "model"), ("sort", "colour"), ("page", "-1"), ("limit", "1000")]
)
async def test_queries_that_make_no_sense_are_refused(
    server: RunningNavigator, boss: str, name: str, value: str
) -> None:
    answer = await server.get(f"{FILES}?{name}={value}", token=boss)
    assert (answer.status, answer.json["error"].split()[0]) == (400, name)


async def test_used_checkpoint_says_so_and_stays(
    server: RunningNavigator, boss: str, tmp_path: Path
) -> None:
    await server.picture(boss)
    dream = (await server.get(FILES, token=boss)).json["files"][0]
    assert dream["last_used_at"] is not None
    assert (dream["is_loaded"], dream["is_removable"]) == (True, False)
    for answer in (await delete(server, boss, DREAM), await move(server, boss, "archive", DREAM)):
        assert (answer.status, answer.json["error_code"]) == (409, "MODEL_IN_USE")
        assert answer.json["error"] == "path: Forge has it loaded."
    assert (tmp_path / "models" / DREAM).exists()


async def test_file_is_archived_restored_deleted_and_all_is_written_down(
    server: RunningNavigator, boss: str
) -> None:
    async with server.listening() as heard:
        archived = await move(server, boss, "archive", INK)
        assert (archived.status, archived.json) == (200, {"path": INK, "is_archived": True})
        await heard.told("models-refreshed")
    assert INK not in await listed(server, boss)
    assert await listed(server, boss, "?archived=true") == [INK]
    assert (await move(server, boss, "restore", INK)).json == {"path": INK, "is_archived": False}
    assert INK in await listed(server, boss)
    await move(server, boss, "archive", INK)
    for status in (204, 404):
        assert (await delete(server, boss, INK, "&archived=true")).status == status
    assert (await delete(server, boss, SKY)).status == 204
    assert await listed(server, boss, "?kind=lora") == []
    actions = await AuditEntry.all().order_by("id").values_list("action", "details")
    assert [action for action, _ in actions] == [
        "archive-model", "restore-model", "archive-model", "delete-model", "delete-model",
    ]  # fmt: skip
    assert actions[-1][1] == {"path": SKY, "archived": False}


@pytest.mark.parametrize("path", ["../../x.safetensors", "Lora", "/etc/passwd", "a\0b", 5, ""])
async def test_paths_that_are_none_are_refused(
    server: RunningNavigator, boss: str, path: Any
) -> None:
    for where in ("archive", "restore"):
        answer = await move(server, boss, where, path)
        assert answer.status in {400, 404}
        assert "path" in answer.json["error"]
    assert (await delete(server, boss, str(path))).status == 400


async def test_file_outside_is_refused(server: RunningNavigator, boss: str) -> None:
    answer = await delete(server, boss, CALM)
    assert (answer.status, answer.json["error_code"]) == (409, "MODEL_FILE_REFUSED")


async def test_without_a_folder_everything_says_so(tmp_path: Path) -> None:
    async with running_navigator(tmp_path) as server:
        boss = await server.add_user("the-owner", Role.ARCHITECT)
        answers = [await server.get(FILES, token=boss), await delete(server, boss, INK)]
        answers += [await move(server, boss, where, INK) for where in ("archive", "restore")]
        assert {(one.status, one.json["error_code"]) for one in answers} == {
            (503, "MODEL_DIR_MISSING")
        }
