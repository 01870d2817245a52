"""The lists that Compass fills its forms with, and its client-side routes."""

from app.accounts.roles import Role
from tests.e2e.compass import Compass
from tests.e2e.rows import shows
from tests.running import CHECKPOINT, RunningNavigator

ROUTES = (
    "/gallery",
    "/generate/txt2img",
    "/generate/img2img",
    "/settings",
    "/model-browser",
)


@shows("Generate")
async def test_lists_hold_what_the_forms_need(compass: Compass, server: RunningNavigator) -> None:
    await compass.log_in()
    models = (await compass.get("/api/models"))["models"]
    assert CHECKPOINT in {model["model_name"] for model in models}
    samplers = await compass.get("/api/samplers?all=true")
    assert {"name"} <= samplers[0].keys()
    assert server.forge is not None
    assert len(samplers) == len(server.forge.samplers)
    schedulers = await compass.get("/api/schedulers")
    assert all({"label", "name"} <= scheduler.keys() for scheduler in schedulers)
    assert [module["model_name"] for module in await compass.get("/api/modules")]
    upscalers = [upscaler["name"] for upscaler in await compass.get("/api/upscalers")]
    assert upscalers
    assert "None" not in upscalers
    limits = await compass.get("/api/config/limits")
    assert isinstance(limits["max_pixels"], int)
    assert await compass.get("/api/user/categories") == []


@shows("Embeddings")
async def test_embeddings_are_names(compass: Compass, server: RunningNavigator) -> None:
    assert server.forge is not None
    names = await compass.get("/api/models/embeddings")
    assert sorted(names) == sorted(one.name for one in server.forge.embeddings)
    assert names


# Metadata of CivitAI comes with the model library.
@shows("LoRA browser")
async def test_loras_have_what_the_browser_shows(
    compass: Compass, server: RunningNavigator
) -> None:
    await compass.page.call("restore", await server.add_user("owner", Role.ARCHITECT))
    for path in ("/api/models/loras", "/api/models/loras?force_update_metadata=true"):
        loras = await compass.get(path)
        assert loras
        for lora in loras:
            assert isinstance(lora["forge"]["path"], str)
            assert isinstance(lora["forge"]["metadata"], dict)
            assert isinstance(lora["alias"], str)
            assert lora["nsfw"] is False
            local = lora["localOverride"]
            assert local.keys() >= {"name", "description", "baseModel", "trainedWords"}
            assert local["name"] == lora["name"]


@shows("Realtime")
async def test_every_page_hears_that_models_were_refreshed(compass: Compass) -> None:
    await compass.log_in()
    await compass.connected()
    await compass.get("/api/models?refresh=true")
    assert "message" in await compass.event("models-refreshed")


async def test_client_side_routes_can_be_reloaded(compass: Compass) -> None:
    for path in ROUTES:
        await compass.open(path)
        assert await compass.page.text("h1") == "Stand-in for Compass"
