"""Compass at our own address, with pictures for nobody but those who logged in."""

from pathlib import Path

from tests.e2e.browser import Browser
from tests.e2e.compass import build
from tests.e2e.conftest import FORGE, opened
from tests.e2e.rows import shows
from tests.e2e.test_compass_pictures import FORM
from tests.running import running_navigator


@shows("Progress", "Finished", "Login")
async def test_login_shows_previews_and_pictures_at_our_own_address(
    browser: Browser, tmp_path: Path
) -> None:
    folder = str(build(tmp_path / "compass"))
    async with (
        running_navigator(
            tmp_path, forge=FORGE, COMPASS_DIR=folder, PUBLIC_IMAGE_LINKS="false"
        ) as server,
        opened(browser, server.url) as compass,
    ):
        await compass.open("/?code=DEMO_USER")
        await compass.connected()
        job_id = await compass.finished(FORM)
        picture = await compass.page.picture("#picture")
        assert picture["src"].endswith(f"/api/images/{job_id}")
        assert (picture["width"], picture["height"]) == (64, 96)
        assert (await server.get(f"/api/images/{job_id}")).status == 401
