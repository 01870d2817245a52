"""Compass while Navigator is killed in the middle of a job, and at every address of a machine."""

from pathlib import Path

from app.simulator import Fault, Simulator
from app.web.machine import look
from tests.databases import free_port
from tests.e2e.browser import Browser
from tests.e2e.compass import build
from tests.e2e.conftest import FORGE, opened
from tests.e2e.rows import shows
from tests.e2e.test_compass_pictures import FORM
from tests.processes import serve
from tests.running import catalogue


@shows("Realtime", "Finished")
async def test_page_hears_of_its_job_after_navigator_was_killed(
    browser: Browser, tmp_path: Path
) -> None:
    settings = {
        "HTTP_API_PORT": str(free_port()),
        "COMPASS_DIR": str(build(tmp_path / "compass")),
        "ENABLE_DEMO_USER": "true",
        "JOB_PROGRESS_CHECK_INTERVAL": "50",
    }
    async with Simulator(FORGE, catalogue()).serving() as forge:
        forge.inject(Fault.hang(after_steps=5))
        with serve(tmp_path, forge_url=forge.url, **settings) as first:
            url = await first.listening()
            async with opened(browser, url) as compass:
                compass.page.expect("net::ERR_", "WebSocket connection to")
                await compass.log_in()
                await compass.page.call("transports", 2)
                job_id = await compass.generate(FORM)
                await compass.page.see("#progress", "5/20")
                first.kill()
                heard = await compass.events_so_far()
                with serve(tmp_path, forge_url=forge.url, **settings) as second:
                    assert await second.listening() == url
                    # As long as Forge stands still, the job cannot end before the page listens.
                    await compass.connected(2)
                    forge.clear_faults()
                    await compass.event("task-finished", job_id, since=heard)
                    picture = await compass.page.picture("#picture")
                    assert (picture["width"], picture["height"]) == (64, 96)
                    assert (await compass.get("/api/user/jobs"))["count"] == 1


@shows("Login", "Realtime")
async def test_page_works_at_every_address_of_the_machine(browser: Browser, tmp_path: Path) -> None:
    settings = {"COMPASS_DIR": str(build(tmp_path / "compass")), "ENABLE_DEMO_USER": "true"}
    async with Simulator(FORGE, catalogue()).serving() as forge:
        with serve(tmp_path, "--lan", forge_url=forge.url, **settings) as server:
            port = (await server.listening()).rpartition(":")[2]
            # Browsers cannot be told of a zone, which link-local addresses need.
            found = [one for one in look().addresses if not one.is_link_local]
            hosts = [f"[{one}]" if one.version == 6 else str(one) for one in found]
            assert "127.0.0.1" in hosts
            for host in ["localhost", *hosts]:
                url = f"http://{host}:{port}"
                async with opened(browser, url) as compass:
                    built = await compass.page.call("built")
                    assert {built["API_BASE"], built["RT_API_BASE"], built["BASE_URL"]} == {url}
                    await compass.log_in()
                    await compass.connected()
                    await compass.finished(FORM)
