"""Recordings of CivitAI: whether downloads work, and looking things up there."""

from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from tests.contract import exchange
from tests.fakes.civitai import API_KEY, FakeCivitai
from tests.fakes.serving import Fault
from tests.parity.case import DEMO, OTHER, OWNER, Case, Stage
from tests.parity.replaying import check
from tests.parity.world import QUICK, World
from tests.parity.world import world as new_world
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

_CIVITAI = FakeCivitai()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A Navigator with a CivitAI and a folder for models."""
    folder = tmp_path_factory.mktemp("parity")
    (folder / "forge" / "models").mkdir(parents=True)
    async with _CIVITAI.serving():
        settings = {
            "CIVITAI_API_BASE": _CIVITAI.url,
            "CIVITAI_API_KEY": API_KEY,
            "MODEL_DIR": str(folder / "forge" / "models"),
        }
        async with new_world(folder, QUICK, **settings) as made:
            yield made


async def all_is_well(_: World) -> Mapping[str, str]:
    _CIVITAI.faults = {}
    return {}


async def civitai_is_broken(_: World) -> Mapping[str, str]:
    _CIVITAI.faults = {"*": [Fault(500, b'{"error": "injected"}')]}
    return {}


async def civitai_hangs_now(world: World) -> Mapping[str, str]:
    """It has answered this before."""
    _CIVITAI.faults = {}
    asked = "/3papi/civitai/api-proxy/models?limit=1"
    assert (await world.server.get(asked, headers=world.headers(OWNER))).status == 200
    _CIVITAI.faults = {"*": [Fault(hangs=True)]}
    return {}


async def of_no_use(_: World) -> Mapping[str, str]:
    _CIVITAI.faults = {}
    return {"101": "501"}


async def one_file(_: World) -> Mapping[str, str]:
    _CIVITAI.faults = {}
    _CIVITAI.offer(101, b"of 101" * 1000)
    return {}


def after(refreshes: int, stage: Stage) -> Stage:
    """The stage, once everybody has heard of what was downloaded before."""

    def heard(world: World) -> bool:
        names = [name for name, _ in world.heard.events]
        return names.count("models-refreshed") >= refreshes

    async def waited(world: World) -> Mapping[str, str]:
        await until(lambda: heard(world), timeout_s=20)
        return await stage(world)

    return waited


async def refused_file(_: World) -> Mapping[str, str]:
    _CIVITAI.faults = {}
    path = _CIVITAI.offer(201, b"of 201" * 1000)
    _CIVITAI.host.tricks[path] = [Fault(403)]
    return {"401": "201"}


async def file_again(_: World) -> Mapping[str, str]:
    _CIVITAI.faults = {}
    return {"401": "201"}


async def another_file(_: World) -> Mapping[str, str]:
    _CIVITAI.faults = {}
    _CIVITAI.offer(102, b"of 102" * 1000)
    return {"201": "102"}


async def no_primary_file(_: World) -> Mapping[str, str]:
    _CIVITAI.faults = {}
    _CIVITAI.offer(202, b"of 202" * 1000, primary=False)
    return {"501": "202"}


_TOLD_ALIKE = {"events.models-refreshed.message": "`models-refreshed`"}
CASES = [
    Case(265),
    Case(266, OTHER, dict.fromkeys(("status", "message"), "Role too low"), now=403),
    *(Case(number, OWNER, stage=all_is_well) for number in (267, 268)),
    Case(269, OWNER, stage=of_no_use),
    Case(270, OWNER, _TOLD_ALIKE, stage=one_file),
    Case(271, OWNER, stage=after(1, all_is_well)),
    Case(272, DEMO, _TOLD_ALIKE, stage=another_file),
    Case(
        273,
        OWNER,
        dict.fromkeys(("status", "message"), "A download that fails"),
        now=502,
        stage=after(2, refused_file),
    ),
    Case(274, OWNER, {"status": "A download that fails"}, now=200, stage=file_again),
    Case(275),
    Case(
        298,
        OWNER,
        {"status": "A version of a model without a `primary` file"},
        now=200,
        stage=no_primary_file,
    ),
    Case(259, stage=all_is_well),
    Case(260, stage=all_is_well),
    *(Case(number, OWNER, stage=all_is_well) for number in (261, 276, 277, 278)),
    Case(
        279,
        OWNER,
        {"status": "Addresses below `/3papi/civitai/api-proxy`"},
        now=400,
        stage=all_is_well,
    ),
    Case(
        280,
        OWNER,
        dict.fromkeys(("status", "error"), "CivitAI that is down or broken"),
        now=502,
        stage=civitai_is_broken,
    ),
    Case(
        286, OWNER, {"status": "CivitAI that is down or broken"}, now=200, stage=civitai_hangs_now
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number:03}")
async def test_answer_is_as_recorded(world: World, case: Case) -> None:
    await check(world, case)


async def test_downloads_are_said_to_be_enabled(world: World) -> None:
    await all_is_well(world)
    told = await world.server.get("/3papi/test_civitai")
    assert told.json == exchange(259).answer
    enabled = await world.server.get(
        "/3papi/civitai/downloads_enabled", headers=world.headers(OWNER)
    )
    assert enabled.json == exchange(261).answer
