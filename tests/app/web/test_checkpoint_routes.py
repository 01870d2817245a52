"""Tests of `app/web/checkpoint_routes.py`: administrators say what friends read of checkpoints."""

from typing import Any
from urllib.parse import quote

import pytest

from app.accounts.models import AuditEntry
from app.accounts.roles import Role
from app.library.models import KnownCheckpoint
from tests.running import CHECKPOINT, OTHER_CHECKPOINT, Answer, RunningNavigator

PATH = "/api/admin/checkpoints"


async def change(
    server: RunningNavigator, token: str, model_name: object = CHECKPOINT, **given: Any
) -> Answer:
    body = {"model_name": model_name, **given}
    return await server.request("PATCH", PATH, json=body, token=token)


@pytest.fixture
async def boss(server: RunningNavigator) -> str:
    """A token of an administrator's."""
    return await server.add_user("the-owner", Role.ARCHITECT)


async def test_change_is_told_listed_and_written_down(server: RunningNavigator, boss: str) -> None:
    async with server.listening() as heard:
        changed = await change(
            server, boss, friendly_name=" Dream ", is_restricted=True, tags=["a", " b ", "a", ""]
        )
        await heard.told("models-refreshed")
    assert (changed.status, changed.json) == (
        200,
        {
            "model_name": CHECKPOINT,
            "title": changed.json["title"],
            "is_missing": False,
            "is_known": True,
            "friendly_name": "Dream",
            "is_restricted": True,
            "required_role": None,
            "tags": ["a", "b"],
        },
    )
    listed = (await server.get(PATH, token=boss)).json["checkpoints"]
    assert [one["model_name"] for one in listed] == [CHECKPOINT, "fluxModel_dev", OTHER_CHECKPOINT]
    assert listed[0] == changed.json
    (seen, *_) = (await server.get("/api/models", token=boss)).json["models"]
    assert (seen["friendly_name"], seen["required_role"], seen["tags"]) == ("Dream", 3, ["a", "b"])
    entry = await AuditEntry.get(action="change-checkpoint")
    assert entry.details["model_name"] == CHECKPOINT
    assert entry.details["is_restricted"] is True


async def test_only_what_is_given_changes_and_null_clears_it(
    server: RunningNavigator, boss: str
) -> None:
    await change(server, boss, friendly_name="Dream", required_role="2", is_restricted="true")
    kept = (await change(server, boss)).json
    assert (kept["friendly_name"], kept["required_role"], kept["is_restricted"]) == (
        "Dream", 2, True,
    )  # fmt: skip
    given = {"friendly_name": "", "required_role": None, "is_restricted": None, "tags": None}
    cleared = (await change(server, boss, **given)).json
    assert (cleared["friendly_name"], cleared["required_role"]) == (None, None)
    assert (cleared["is_restricted"], cleared["tags"]) == (False, [])


@pytest.mark.parametrize(
    "given",
    [
        {"friendly_name": "x" * 256},
        {"friendly_name": "a\nb"},
        {"friendly_name": 5},
        {"is_restricted": "maybe"},
        {"required_role": 0},
        {"required_role": 5},
        {"required_role": True},
        {"tags": "photo"},
        {"tags": [f"tag {number}" for number in range(21)]},
        {"tags": ["x" * 41]},
        {"tags": ["a\0b"]},
        {"tags": [None]},
    ],
)
async def test_values_that_make_no_sense_are_refused_by_name(
    server: RunningNavigator, boss: str, given: dict[str, Any]
) -> None:
    answer = await change(server, boss, **given)
    assert (answer.status, answer.json["error"].partition(":")[0]) == (400, *given)
    assert not await KnownCheckpoint.exists()


async def test_checkpoint_must_be_named_and_be_there(server: RunningNavigator, boss: str) -> None:
    for name in (None, "", 5, "x" * 256):
        assert (await change(server, boss, name)).status == 400
    assert (await change(server, boss, "another")).status == 404
    await KnownCheckpoint.create(model_name="another")
    assert (await change(server, boss, "another")).json["is_missing"] is True


async def test_taken_name_and_higher_role_are_refused(server: RunningNavigator, boss: str) -> None:
    await change(server, boss, OTHER_CHECKPOINT, friendly_name="Paint")
    for name in ("Paint", "fluxModel_dev", OTHER_CHECKPOINT):
        answer = await change(server, boss, friendly_name=name)
        assert (answer.status, answer.json["error_code"]) == (409, "CONFLICT")
    assert (await change(server, boss, required_role=4)).status == 403
    apex = await server.add_user("apex", Role.APEX)
    assert (await change(server, apex, required_role=4, is_restricted=True)).status == 200
    assert (await change(server, boss, is_restricted=False)).status == 403


async def test_forgetting_takes_any_name(server: RunningNavigator, boss: str) -> None:
    name = "a/strange & näme?"
    await KnownCheckpoint.create(model_name=name)
    path = f"{PATH}?model_name={quote(name, safe='')}"
    for status in (204, 404):
        assert (await server.request("DELETE", path, token=boss)).status == status
    assert (await server.request("DELETE", PATH, token=boss)).status == 400
    assert (await AuditEntry.get(action="forget-checkpoint")).details == {"model_name": name}
