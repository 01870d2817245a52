"""Tests of `app/library/checkpoint_attributes.py`, on both databases."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from app.accounts.roles import Role
from app.clients.forge import ForgeClient
from app.errors import Conflict, Forbidden, NotFound, UpstreamUnavailable
from app.events import EventBus, ModelsRefreshed
from app.library.catalogue import Catalogue
from app.library.checkpoint_attributes import CheckpointAttributes
from app.library.known_checkpoints import KnownCheckpoints
from app.library.models import ADMINISTRATORS, KnownCheckpoint
from app.simulator import Simulator, SimulatorOptions
from tests.building import CHECKPOINT, OTHER_CHECKPOINT, make_catalogue

pytestmark = pytest.mark.usefixtures("database")


class House:
    """The attributes, with what they are joined to."""

    def __init__(self, forge: ForgeClient) -> None:
        self.events = EventBus()
        self.known = KnownCheckpoints(fresh_s=3600)
        self.catalogue = Catalogue(forge, self.events, known_checkpoints=self.known)
        self.attributes = CheckpointAttributes(self.events, self.known, self.catalogue)

    async def change(self, name: str = CHECKPOINT, role: Role = Role.APEX, **given: Any) -> Any:
        return await self.attributes.change(name, given, highest_role=role)


@pytest.fixture
async def unseen() -> AsyncIterator[House]:
    """A Forge that has told no list yet."""
    async with (
        Simulator(SimulatorOptions(), make_catalogue()).serving() as simulator,
        aiohttp.ClientSession() as session,
    ):
        api_url = f"{simulator.url}/sdapi/v1"
        yield House(ForgeClient(session, api_url=api_url, root_url=simulator.url))


@pytest.fixture
async def house(unseen: House) -> House:
    """A Forge whose lists are known."""
    await unseen.catalogue.refresh()
    return unseen


async def test_change_is_seen_at_once_and_told(house: House) -> None:
    await house.known.rows()
    async with house.events.subscribed() as heard:
        await house.change(friendly_name="Dream", is_restricted=True, tags=["photo"])
        assert isinstance(heard.get_nowait(), ModelsRefreshed)
    row = (await house.known.rows())[CHECKPOINT]
    assert (row.friendly_name, row.needed_role, row.tags) == ("Dream", ADMINISTRATORS, ["photo"])
    found = house.catalogue.lists.checkpoint("Dream")
    assert found is not None
    assert found["model_name"] == CHECKPOINT


async def test_only_what_is_given_changes_and_none_clears_it(house: House) -> None:
    await house.change(friendly_name="Dream", required_role=2, is_restricted=True)
    changed = await house.change(friendly_name=None)
    assert (changed.friendly_name, changed.required_role) == (None, 2)
    assert changed.is_restricted
    assert (await KnownCheckpoint.get(model_name=CHECKPOINT)).needed_role == 2
    await house.change(is_restricted=False)
    assert (await KnownCheckpoint.get(model_name=CHECKPOINT)).needed_role == 0


async def test_list_has_forges_checkpoints_first_and_those_that_are_gone(house: House) -> None:
    await KnownCheckpoint.create(model_name="a-gone-one", friendly_name="Gone")
    await house.change(OTHER_CHECKPOINT, tags=["ink"])
    told = [(one.model_name, one.is_missing, one.is_known) for one in await house.attributes.all()]
    assert told == [
        (CHECKPOINT, False, False),
        (OTHER_CHECKPOINT, False, True),
        ("a-gone-one", True, True),
    ]


@pytest.mark.parametrize("name", ["Taken", OTHER_CHECKPOINT, f"{OTHER_CHECKPOINT}.safetensors"])
async def test_friendly_name_means_one_checkpoint_only(house: House, name: str) -> None:
    await house.change(OTHER_CHECKPOINT, friendly_name="Taken")
    with pytest.raises(Conflict, match="friendly_name"):
        await house.change(friendly_name=name)
    assert (await house.change(friendly_name=CHECKPOINT)).friendly_name == CHECKPOINT


async def test_of_two_who_give_one_name_at_once_one_is_refused(house: House) -> None:
    names = (CHECKPOINT, OTHER_CHECKPOINT)
    done = await asyncio.gather(
        *(house.change(name, friendly_name="Both") for name in names), return_exceptions=True
    )
    assert [type(one) for one in done if isinstance(one, Exception)] == [Conflict]


async def test_nobody_sets_or_changes_a_role_above_their_own(house: House) -> None:
    with pytest.raises(Forbidden, match="required_role"):
        await house.change(role=Role.ARCHITECT, required_role=4)
    assert not await KnownCheckpoint.exists()
    await house.change(required_role=4, is_restricted=True)
    for given in ({"required_role": 1}, {"is_restricted": False}, {"tags": None}):
        with pytest.raises(Forbidden):
            await house.change(role=Role.ARCHITECT, **given)
    with pytest.raises(Forbidden):
        await house.attributes.forget(CHECKPOINT, highest_role=Role.ARCHITECT)
    await house.change(required_role=3)
    await house.change(role=Role.ARCHITECT, is_restricted=False)


async def test_forgotten_checkpoint_is_for_everybody(house: House) -> None:
    await house.change(is_restricted=True, friendly_name="Dream")
    await house.attributes.forget(CHECKPOINT, highest_role=Role.ARCHITECT)
    assert await house.known.rows() == {}
    assert house.catalogue.lists.checkpoint("Dream") is None
    with pytest.raises(NotFound):
        await house.attributes.forget(CHECKPOINT, highest_role=Role.ARCHITECT)


async def test_unknown_checkpoint_is_not_found_once_lists_are_known(house: House) -> None:
    with pytest.raises(NotFound, match="model_name"):
        await house.change("another", tags=["x"])


async def test_while_forge_was_never_seen_only_what_is_known_can_be_changed(
    unseen: House,
) -> None:
    with pytest.raises(UpstreamUnavailable):
        await unseen.change(tags=["x"])
    await KnownCheckpoint.create(model_name=CHECKPOINT)
    assert (await unseen.change(tags=["x"])).is_missing is None
    assert (await unseen.attributes.all())[0].tags == ["x"]
