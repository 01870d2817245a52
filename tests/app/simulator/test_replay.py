"""Replays recorded exchanges of a real Forge against the simulator.

Status, headers, JSON keys, types and values must be those of the recording. What may differ is
listed in DELIBERATE, each with its reason; the picture itself is compared by size only.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from app.simulator import Simulator, SimulatorOptions
from app.simulator.catalogue import Checkpoint, Module
from app.simulator.loader import Catalogue
from tests.app.simulator.recording import (
    PLACEHOLDER,
    Answer,
    Pictures,
    Recording,
    differences,
    expand,
    names,
    recorded_install,
    send,
    session_for,
)

RANDOM, CLOCK, MACHINE = "drawn at random", "the time of the run", "memory of the machine"
TRIMMED = "cut out of the recording"

# Recording (a pattern), place in the answer (a pattern): why it differs.
DELIBERATE: list[tuple[str, str, str]] = [
    (r".*", r"\.info\.(all_)?subseeds?(\[\d+\])?", RANDOM),
    (r".*", r"(\.info|\.state)\.job_timestamp", CLOCK),
    (r".*", r"\.images\[\d+\]", "our pictures are landscapes, the recorded ones noise"),
    (r"txt2img/(success_seed_minus1|empty_object)", r"\.info\.(seed|all_seeds.*|infotexts.*)",
     RANDOM),
    (r"get/memory.*", r"\.ram\.(free|used|total)", MACHINE),
    (r"get/internal-pending-tasks_end", r"\.tasks\[[23]\]", RANDOM),
    (r"get/options", r"\.infotext_explanation", "a help text, shortened"),
    (r"(get|nowebui)/cmd-flags", r"\.body", TRIMMED),
    (r"txt2img/firstpass_UNPATCHED_lanczos", r"\.message", TRIMMED + "; see test_sampling"),
    (r"txt2img/malformed_json", r"\.detail\[0\]\.(loc\[1\]|ctx\.error)",
     "words and place of the JSON reader, which change with Python"),
]  # fmt: skip


INSTANT = SimulatorOptions(step_time_s=0, checkpoint_load_time_s=0)


@dataclass(frozen=True)
class State:
    """In which state a recording was made."""

    before: tuple[str, ...] = ()
    """Recordings to replay first."""
    options: SimulatorOptions = INSTANT
    install: Callable[[], Catalogue] = recorded_install
    arrange: Callable[[Simulator], None] = lambda _: None
    credentials: str = ""


def options(**changes: object) -> SimulatorOptions:
    return replace(INSTANT, **changes)  # type: ignore[arg-type]


def started(simulator: Simulator) -> None:
    """The startup window: `options` answers already, the rest does not."""
    simulator.set_uptime(60)


def broken() -> Checkpoint:
    return Checkpoint("broken.safetensors", corrupt=True)


def only_a_hashed() -> Catalogue:
    install = recorded_install(hashed=False)
    install.checkpoints[0].hashed = True
    return install


def install_with_broken() -> Catalogue:
    install = recorded_install()
    install.checkpoints.append(broken())
    return install


def without_modules() -> Catalogue:
    install = recorded_install()
    install.modules.clear()
    return install


def add_module_file(simulator: Simulator) -> None:
    simulator.modules.append(Module("random_vae.safetensors"))


FAILED, FINISHED = "txt2img/unknown_upscaler_hr", "txt2img/success_force_task_id"
WARM = "txt2img/success_second_warm"
BAD_FIRST_PASS, BAD_INITIAL = (
    "txt2img/firstpass_invalid_base64",
    "img2img/init_images_invalid_base64",
)
WINDOW = State(options=options(startup_time_s=100.0), arrange=started)
AUTH = options(api_auth="user:pass")
NO_MODELS = State(install=lambda: Catalogue([], [], [], []))
RESCAN = State(install=without_modules, arrange=add_module_file)

STATES: dict[str, State] = {
    r"auth/.*_wrong_password": State(options=AUTH, credentials="user:wrong"),
    r"auth/.*_ok": State(options=AUTH, credentials="user:pass"),
    r"auth/.*": State(options=AUTH),
    r"nowebui/.*": State(options=options(ui=False)),
    r"no-models/.*": NO_MODELS,
    r"startup/.*": WINDOW,
    r"txt2img/firstpass_UNPATCHED.*": State(options=options(patched=False)),
    r"get/options": State(
        options=options(preview_every_n_steps=10), install=lambda: recorded_install(hashed=False)
    ),
    r"get/sd-models_partly_hashed": State(install=only_a_hashed),
    r"get/cmd-flags_without_port": State(options=options(port_flag=False)),
    r"get/internal-pending-tasks_leaked": State((BAD_FIRST_PASS,)),
    r"get/internal-pending-tasks_end": State(
        (
            BAD_FIRST_PASS, BAD_INITIAL,
            "img2img/init_images_base64_not_image", "img2img/init_images_url",
            "img2img/init_images_missing", "img2img/mask_invalid", "txt2img/prompt_null",
        )
    ),
    r"get/memory_(model_loaded|after_unload)": State((WARM,)),
    r"get/progress_after_failed_task": State((WARM, FAILED)),
    r"get/progress_idle_after_run": State((FINISHED,)),
    r"get/progress_after_interrupt_idle": State(
        ("progress/10_interrupt_mid_run", "post/interrupt_idle")
    ),
    r"img2img/internal-progress_after_empty_init": State(("img2img/init_images_empty",)),
    r"img2img/internal-progress_after_invalid_init": State((BAD_FIRST_PASS, BAD_INITIAL)),
    r"img2img/internal-progress_after_invalid_mask": State(("img2img/mask_invalid",)),
    r"post/internal-progress_after_422_script": State(("txt2img/unknown_alwayson_script",)),
    r"post/internal-progress_after_broken": State(
        ("switch/19_broken_checkpoint",), install=install_with_broken
    ),
    r"post/internal-progress_after_failed_task": State((FAILED,)),
    r"post/internal-progress_failed_task_later": State((FAILED, WARM)),
    r"post/internal-progress_finished_task": State((FINISHED,)),
    r"post/internal-progress_after_firstpass_decode_error": State((BAD_FIRST_PASS,)),
    r"post/internal-progress_no_id_after_runs": State((WARM,)),
    r"post/reload-checkpoint|post/unload-checkpoint.*": State((WARM,)),
    r"post/sd-modules_after_file_added": RESCAN,
    r"post/sd-modules_after_refresh-(checkpoints|vae)": RESCAN,
    r"txt2img/success_after_unload": State((WARM, "post/unload-checkpoint_idle")),
}  # fmt: skip

REPLAYED = names(
    "auth", "get", "img2img", "no-models", "nowebui", "png-info", "post", "startup", "txt2img"
)


def state_of(name: str) -> State:
    for pattern, state in STATES.items():
        if re.fullmatch(pattern, name):
            return state
    return State()


def unexpected(recording: Recording, answer: Answer, pictures: Pictures) -> list[str]:
    """Gives the differences that nobody decided on."""
    found = []
    if answer.status != recording.status:
        found.append(f"status {recording.status} became {answer.status}")
    for key, value in recording.headers.items():
        if key != "content-length" and answer.headers.get(key) != value:
            found.append(f"header {key}: {value!r} became {answer.headers.get(key)!r}")
    expected = recording.body
    if isinstance(expected, dict) and "images" in expected:
        filled = {key: pictures.fill(value) for key, value in expected.items() if key != "images"}
        expected = {"images": expected["images"], **filled}
    else:
        expected = pictures.fill(expected)
    for line in differences(expand(expected), expand(answer.body)):
        place = line.partition(":")[0]
        decided = (
            re.fullmatch(name, recording.name) and re.fullmatch(where, place)
            for name, where, _ in DELIBERATE
        )
        if not any(decided):
            found.append(line)
    return found


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    return Pictures()


@pytest.mark.parametrize("name", REPLAYED)
async def test_answer_is_the_recorded_one(name: str, pictures: Pictures) -> None:
    state, recording = state_of(name), Recording.load(name)
    async with (
        Simulator(state.options, state.install()).serving() as simulator,
        session_for(simulator) as session,
    ):
        for earlier in state.before:
            await send(session, Recording.load(earlier), pictures, state.credentials)
        state.arrange(simulator)
        answer = await send(session, recording, pictures, state.credentials)
    assert unexpected(recording, answer, pictures) == []


async def test_equal_recorded_pictures_are_equal_here(pictures: Pictures) -> None:
    """Where Forge gave the same bytes to two requests, so does the simulator."""
    by_recorded: dict[str, set[str]] = {}
    chosen = [
        name
        for name in names("txt2img", "img2img")
        if Recording.load(name).status == 200 and "internal" not in name and "UNPATCHED" not in name
    ]
    for name in chosen:
        recording = Recording.load(name)
        async with (
            Simulator(INSTANT, recorded_install()).serving() as simulator,
            session_for(simulator) as session,
        ):
            answer = await send(session, recording, pictures)
        assert len(answer.body["images"]) == len(recording.body["images"]), name
        for text, image in zip(recording.body["images"], answer.body["images"], strict=True):
            data = base64.b64decode(image)
            placeholder = PLACEHOLDER.fullmatch(text)
            recorded = (
                placeholder[2]
                if placeholder
                else hashlib.sha256(base64.b64decode(text)).hexdigest()
            )
            by_recorded.setdefault(recorded, set()).add(hashlib.sha256(data).hexdigest())
    assert len(by_recorded) > 20
    assert {recorded: len(ours) for recorded, ours in by_recorded.items() if len(ours) > 1} == {}


def test_every_deliberate_difference_concerns_a_recording() -> None:
    for pattern, _, reason in DELIBERATE:
        assert any(re.fullmatch(pattern, name) for name in REPLAYED), reason


def test_every_state_belongs_to_a_recording() -> None:
    for pattern in STATES:
        assert any(re.fullmatch(pattern, name) for name in REPLAYED), pattern
