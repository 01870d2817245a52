"""Generated requests to every route of `/openapi.json`, sensible ones and nonsense.

Whatever comes, no answer is a 5xx, and each has a status, media type and shape that is documented.
The requests are the same in every run.
"""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.accounts.roles import Role
from tests.app.generation.test_picture_input import PLAIN
from tests.fakes.civitai import FakeCivitai
from tests.running import CHECKPOINT, SUPERUSER_TOKEN, running_navigator

# Of one caller, shared by all operations, so that the test takes about as long with more of them.
REQUESTS = 1500
FEWEST_PER_OPERATION = 6
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# What lets a generated body go through, where it has such a key. None: leave it out.
FITTING = {
    "code": "DEMO_USER",
    "model_name": CHECKPOINT,
    "sampler_name": "Euler a",
    "modules": ["ae.safetensors"],
    "width": 64,
    "height": 64,
    "job_id": None,
    "categoryId": None,
    "owner_id": "fuzzer",
    "init_image": base64.b64encode(PLAIN).decode(),
    "mask": None,
    "path": "Lora/ink.safetensors",
    "model_version_id": 101,
}
Operation = APIOperation[Any, Any, Any, Any]


@pytest.mark.slow
# Hypothesis cannot tell that it was not a strategy but the server, in the other thread.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.parametrize("caller", ["nobody", "user", "superuser"])
async def test_every_answer_to_generated_requests_is_documented(
    tmp_path: Path, caller: str
) -> None:
    lora = tmp_path / "models" / "Lora" / "ink.safetensors"
    lora.parent.mkdir(parents=True)
    lora.write_bytes(b"ink")
    async with (
        FakeCivitai().serving() as civitai,
        running_navigator(
            tmp_path,
            ALLOW_LEGACY_BOT_ENDPOINTS="true",
            CIVITAI_API_BASE=civitai.url,
            CIVITAI_API_KEY=civitai.api_key,
            MODEL_DIR=str(tmp_path / "models"),
        ) as server,
    ):
        civitai.offer(101, b"ink" * 1000)
        token = await server.add_user("fuzzer", Role.APPRENTICE)
        picture = await server.picture(token)
        headers = {
            "nobody": {},
            "user": {"Authorization": f"Bearer {token}"},
            "superuser": {"Authorization": SUPERUSER_TOKEN},
        }[caller]
        document = (await server.documentation()).document
        # Ids that exist; other parameters are only ever invented.
        known = {
            "image_id": picture,
            "job_id": picture,
            "category_id": "1",
            "name": "docs.js",
            "path": "models",
        }
        await asyncio.to_thread(send, document, server.url, headers, known)


def send(document: Any, url: str, headers: dict[str, str], known: dict[str, str]) -> None:
    """Sends requests to all operations; raises at the first answer that is not right."""
    schema = schemathesis.openapi.from_dict(document)
    operations: list[Operation] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    assert {operation.path for operation in operations} == document["paths"].keys()
    examples = max(REQUESTS // len(operations), FEWEST_PER_OPERATION)
    with requests.Session() as session:
        for operation in operations:
            send_to(operation, examples, known, base_url=url, headers=headers, session=session)


def send_to(operation: Operation, examples: int, known: dict[str, str], **options: Any) -> None:
    """Sends so many requests to one operation."""
    named = {
        parameter.name: known[parameter.name]
        for parameter in operation.path_parameters
        if parameter.name in known
    }
    kinds = [operation.as_strategy(mode) for mode in GenerationMode]
    if named:
        kinds.append(operation.as_strategy(path_parameters=named))
    if operation.body:
        kinds.append(operation.as_strategy(path_parameters=named).map(fitting))

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(kinds))
    def one(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, **options)

    one()


def fitting(case: Any) -> Any:
    """The case with a body that is more likely to be accepted."""
    if isinstance(case.body, dict):
        changed = case.body | {key: FITTING[key] for key in case.body.keys() & FITTING.keys()}
        case.body = {key: value for key, value in changed.items() if value is not None}
    return case
