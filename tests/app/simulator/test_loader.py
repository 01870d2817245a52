"""The story of `switch/`, told again in order: overrides, modules, broken and deleted files."""

import json

from app.simulator import Simulator, SimulatorOptions
from app.simulator.catalogue import Checkpoint
from tests.app.simulator.recording import (
    FOLDER,
    Pictures,
    Recording,
    names,
    recorded_install,
    send,
    session_for,
)
from tests.app.simulator.test_replay import unexpected

INSTANT = SimulatorOptions(step_time_s=0, checkpoint_load_time_s=0)

BROKEN = Checkpoint("broken.safetensors", corrupt=True)
GHOST = Checkpoint("ghost.safetensors")

# What happened on the disk and by other calls before a step (a file with that number).
REFRESH = "POST /sdapi/v1/refresh-checkpoints"
BEFORE: dict[str, list[str]] = {
    "19": ["add broken", REFRESH],
    "25": ["add ghost", REFRESH, "remove ghost"],
    "27": [REFRESH],
    "29": ["POST /sdapi/v1/options sd_model_checkpoint=randomB"],
}

# Tags in options_after_each_step_2.json and the steps after which they were read.
OPTIONS_AFTER = {
    "22": "22 B",
    "23": "23 A",
    "25": "25 ghost",
    "26": "26 dangling",
    "27": "27",
    "28": "28 A",
}


async def test_switch_story_goes_as_recorded() -> None:
    pictures = Pictures()
    excerpts = json.loads(
        (FOLDER / "switch/options_after_each_step_2.json").read_text(encoding="utf-8")
    )
    options_by_tag = {entry.pop("tag"): entry for entry in excerpts["steps"]}
    install = recorded_install(hashed=False)
    install.checkpoints[0].hashed = True
    steps = [name for name in names("switch") if "/options_" not in name]
    assert len(steps) == 30
    async with Simulator(INSTANT, install).serving() as simulator, session_for(simulator) as http:
        await send(http, Recording.load("txt2img/success_second_warm"), pictures)
        for name in steps:
            number = name.removeprefix("switch/")[:2]
            for event in BEFORE.get(number, []):
                if event == "add broken":
                    simulator.checkpoints.append(BROKEN)
                elif event == "add ghost":
                    simulator.checkpoints.append(GHOST)
                elif event == "remove ghost":
                    simulator.checkpoints.remove(GHOST)
                elif event == REFRESH:
                    await http.post("/sdapi/v1/refresh-checkpoints")
                else:
                    await http.post("/sdapi/v1/options", json={"sd_model_checkpoint": "randomB"})
                    shown = await (await http.get("/sdapi/v1/options")).json()
                    expected = options_by_tag["post options B"]
                    assert {key: shown[key] for key in expected} == expected
            recording = Recording.load(name)
            answer = await send(http, recording, pictures)
            assert unexpected(recording, answer, pictures) == [], name
            if number in OPTIONS_AFTER:
                shown = await (await http.get("/sdapi/v1/options")).json()
                expected = options_by_tag[OPTIONS_AFTER[number]]
                assert {key: shown[key] for key in expected} == expected, name


async def test_corrupt_file_is_gone_after_the_next_refresh() -> None:
    install = recorded_install()
    install.checkpoints.append(Checkpoint("broken.safetensors", corrupt=True))
    async with Simulator(INSTANT, install).serving() as simulator, session_for(simulator) as http:
        body = {"override_settings": {"sd_model_checkpoint": "broken"}}
        assert (await http.post("/sdapi/v1/txt2img", json=body)).status == 500
        assert [file.stem for file in simulator.checkpoints] == ["randomA", "randomB", "randomC"]
        assert len(await (await http.get("/sdapi/v1/sd-models")).json()) == 4
        await http.post("/sdapi/v1/refresh-checkpoints")
        assert len(await (await http.get("/sdapi/v1/sd-models")).json()) == 3


async def test_loaded_checkpoint_and_modules_are_told() -> None:
    async with (
        Simulator(INSTANT, recorded_install()).serving() as simulator,
        session_for(simulator) as http,
    ):
        assert simulator.loaded_checkpoint is None
        settings = {
            "sd_model_checkpoint": "sub_randomC",
            "forge_additional_modules": ["random_vae.safetensors"],
        }
        body = {"width": 64, "height": 64, "override_settings": settings}
        assert (await http.post("/sdapi/v1/txt2img", json=body)).status == 200
        assert simulator.loaded_checkpoint == "sub_randomC"
        assert simulator.loaded_modules == ["/forge/models/VAE/random_vae.safetensors"]
