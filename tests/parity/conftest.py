"""One Navigator for each file of recordings, which may name its `SETTINGS` and `FORGE`."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.parity.world import QUICK, World
from tests.parity.world import world as new_world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """Shared by all recordings of a file, each of which leaves it idle."""
    settings: dict[str, str] = getattr(request.module, "SETTINGS", {})
    forge = getattr(request.module, "FORGE", QUICK)
    async with new_world(tmp_path_factory.mktemp("parity"), forge, **settings) as made:
        yield made
