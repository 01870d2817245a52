"""Tests of `app/web/queue_routes.py`: bad values are refused by name, and queue nothing."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.generation.parameters import Txt2ImgParameters
from app.jobs.models import Job
from tests.databases import free_port
from tests.running import CHECKPOINT, JOB_PATH, RunningNavigator, running_navigator

GOOD = {"model_name": CHECKPOINT, "prompt": "a fox", "width": 64, "height": 64}
_SIDES: Sequence[object] = (
    -64,
    63,
    16385,
    2**40,
    64.5,
    True,
    "wide",
    [],
    {},
    "NaN",
    "Infinity",
    "1_000",
)
BAD: Mapping[str, Sequence[object]] = {
    "width": _SIDES,
    "height": _SIDES,
    "steps": (-1, 151, 1.5, False, "many", [20]),
    "hrf_steps": (-1, 151, 0.5, "x", True),
    "seed": (-2, 2**53, 2**80, 1.5, True, "x"),
    "cfg_scale": (-0.1, 101, True, "x", "1e999", []),
    "distilled_cfg": (-1, 100.5, "x"),
    "denoising_strength": (-0.01, 1.01, True, "x", "nan"),
    "subseed": (-2, 2**53, "x", 0.5),
    "subseed_strength": (-0.1, 1.1, "x"),
    "force_hr_fix": ("yes please", 2, 0.5, [], {}),
    "image_enhancements": ("on and off", -1, [True]),
    "prompt": (5, True, [], {}, ["a"], "a\0b", "x" * 50_001),
    "negative_prompt": (5, [], "a\0b", "x" * 50_001),
    "model_name": (5, [], "Nope", "x" * 256, "dreammodel_v1", "a\0"),
    "sampler_name": (5, [], "Nope", "x" * 256),
    "scheduler_name": (5, [], {}, "x" * 256),
    "upscaler_name": (5, [], "x" * 256),
    "modules": ("ae.safetensors", {}, 5, [5], [None], [[]], ["nope.pt"], ["ae"] * 17, [""]),
    "categoryId": ("x", 1.5, True, [], {}),
    "job_id": (
        *("short", "x" * 65, "with space", "a/b/c/d/e", "äöüäöüäö", "abcdefgh\n"),
        *(12345678, ["abcdefgh"], '"><script>'),
    ),
}
FIELDS = sorted(Txt2ImgParameters.model_fields)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.sampled_from(
        ["", "0", "-1", "64", " 64 ", "1e3", "NaN", "inf", "1_000", "0x40", "²", "true", "None",
         "../../x", "x" * 300, "9" * 5000, "a\0b", CHECKPOINT, "Euler a", "karras", 2**53, 0.5]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)  # fmt: skip


@pytest.fixture
async def patient_server(tmp_path: Path) -> AsyncIterator[RunningNavigator]:
    """A Navigator that takes any number of jobs."""
    async with running_navigator(tmp_path, MAX_QUEUED_JOBS_PER_USER="100000") as running:
        yield running


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in BAD.items() for value in values]
)
async def test_bad_value_is_400_naming_its_field(
    server: RunningNavigator, token: str, field: str, value: object
) -> None:
    answer = await server.post(JOB_PATH, GOOD | {field: value}, token=token)
    assert answer.status == 400
    assert field in answer.json["error"]
    assert answer.json["error"] == answer.json["message"]
    assert len(answer.content) < 1000
    assert await Job.all().count() == 0


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.dictionaries(st.sampled_from([*FIELDS, "job_id", "other"]), JSON, max_size=4))
async def test_any_values_are_accepted_or_named(
    patient_server: RunningNavigator, values: dict[str, Any]
) -> None:
    token = await patient_server.login()
    before = await Job.all().count()
    answer = await patient_server.post(JOB_PATH, GOOD | values, token=token)
    accepted = answer.status == 200
    assert accepted or answer.status in {400, 403, 409}, answer.content
    if not accepted:
        named = "Width" if answer.json["error_code"] == "TOO_MANY_PIXELS" else "|".join(values)
        named = "Category" if answer.status == 403 else named
        assert re.search(named, answer.json["error"])
    assert await Job.all().count() == before + accepted


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.binary(max_size=60) | JSON.map(lambda value: str(value).encode()))
async def test_any_bytes_are_refused_politely(
    server: RunningNavigator, token: str, body: bytes
) -> None:
    answer = await server.post(JOB_PATH, body, token=token)
    assert answer.status == 400
    assert answer.json.keys() == {"error", "error_code", "message"}
    assert await Job.all().count() == 0


async def test_malformed_requests_are_refused_without_forge_too(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, forge=f"http://127.0.0.1:{free_port()}") as server:
        token = await server.login()
        for bad in ({"width": "x"}, {"prompt": ""}, {"width": 10_000, "height": 10_000}):
            assert (await server.post(JOB_PATH, GOOD | bad, token=token)).status == 400
        assert await Job.all().count() == 0
