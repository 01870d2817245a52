"""Recordings of LoRAs with what CivitAI and the owner say of them."""

from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from app.simulator.catalogue import Lora
from app.simulator.loader import Catalogue
from tests.contract import exchange
from tests.fakes.civitai import API_KEY, FakeCivitai, model
from tests.fakes.serving import Fault
from tests.parity.case import OTHER, OWNER, Case
from tests.parity.replaying import check
from tests.parity.world import QUICK, World
from tests.parity.world import world as new_world
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

REST = "4444555566667777888899990000aaaabbbbcccc"
_CIVITAI = FakeCivitai({number: model(number) for number in (7, 8)})
_LORAS = [
    Lora(
        "detail_slider.safetensors",
        {"sshs_model_hash": f"aaaabbbbcccc{REST}", "ss_base_model_version": "sdxl_base_v1-0"},
    ),
    Lora(
        "pixel_style.safetensors",
        {"sshs_model_hash": f"ddddeeeeffff{REST}", "ss_base_model_version": "sd_v1"},
    ),
    Lora("no_hash_lora.safetensors", {"ss_output_name": "no_hash_alias"}),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A Navigator whose CivitAI knows two of three LoRAs."""
    folder = tmp_path_factory.mktemp("parity")
    (folder / "forge" / "models").mkdir(parents=True)
    for number, digits in ((7, "AAAABBBBCCCC"), (8, "DDDDEEEEFFFF")):
        for version in _CIVITAI.models[number]["modelVersions"]:
            version["files"][0]["hashes"]["AutoV3"] = digits
    async with _CIVITAI.serving():
        settings = {
            "CIVITAI_API_BASE": _CIVITAI.url,
            "CIVITAI_API_KEY": API_KEY,
            "MODEL_DIR": str(folder / "forge" / "models"),
        }
        installed = Catalogue(loras=list(_LORAS))
        async with new_world(folder, QUICK, installed=installed, **settings) as made:
            yield made


async def known(world: World) -> Mapping[str, str]:
    """CivitAI has been asked about all."""
    _CIVITAI.faults = {}

    async def all_are() -> bool:
        told = await world.server.get("/api/models/loras", headers=world.headers(OWNER))
        return [one.get("metadata") for one in told.json[:2]] == [None, None]

    await until(all_are, timeout_s=20)
    await world.heard.told("models-refreshed")
    return {}


async def refused(world: World) -> Mapping[str, str]:
    """CivitAI takes the key no more."""
    await known(world)
    _CIVITAI.faults = {"*": [Fault(401, b"{}")]}
    return {}


_KNOWN_NO_MORE = {"[].localOverride": "LoRAs while CivitAI does not answer"}
_UNAUTHORISED = dict.fromkeys(("status", "message"), "Role too low")
CASES = [
    Case(89, OWNER, stage=known),
    Case(90, OWNER, stage=known),
    Case(91, OTHER, _UNAUTHORISED, now=403),
    Case(92),
    Case(93, OWNER),
    Case(94, OWNER, {"events.models-refreshed": "A changed override"}),
    Case(95, OWNER, {"status": "An override of which something is missing"}, now=400),
    Case(96, OWNER),
    Case(97, OWNER, stage=known),
    Case(98, OWNER, _KNOWN_NO_MORE, stage=refused),
    *(Case(number, OWNER, stage=known) for number in (99, 100, 101)),
    Case(102, OWNER, _KNOWN_NO_MORE, stage=refused),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number:03}")
async def test_answer_is_as_recorded(world: World, case: Case) -> None:
    await check(world, case)


async def test_override_is_listed_as_it_was_recorded(world: World) -> None:
    await world.server.replay(exchange(94), headers=world.headers(OWNER))
    await known(world)
    told = (await world.server.get("/api/models/loras", headers=world.headers(OWNER))).json
    assert [(one["name"], one["provider"], one["alias"]) for one in told] == [
        ("v2.0", 1, "detail_slider"),
        ("v2.0", 1, "pixel_style"),
        ("no_hash_lora", 0, "no_hash_alias"),
    ]
    assert [len(one["civitai"]["images"]) for one in told[:2]] == [1, 1]
    assert told[2]["localOverride"]["trainedWords"] == ["foo", "bar"]
