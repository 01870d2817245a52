"""Tests of `app/library/download_plan.py`."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.library.download_plan import DownloadPlan, UnsafeFile, UnsupportedModel, planned
from app.library.model_folder import ModelKind
from tests.fakes.civitai import version


def plan(told: dict[str, Any], *, flux: bool = False, pickle: bool = False) -> DownloadPlan:
    """The plan for what CivitAI told."""
    return planned(told, supports_flux=flux, allow_pickle=pickle, version_id=701)


def told(kind: str = "LORA", *, file: dict[str, Any] | None = None, **changes: Any) -> Any:
    """A version whose only file is changed like that."""
    made = version(701, "v1.0", model={"name": "Ink", "type": kind})
    made["files"][0] |= file or {}
    return made | changes


def test_plan_says_what_goes_where() -> None:
    assert plan(told()) == DownloadPlan(
        version_id=701,
        name="Ink v1.0",
        kind=ModelKind.LORA,
        file_name="model_701.safetensors",
        url="https://civitai.com/api/download/models/701",
        size_bytes=64 * 1024,
        sha256="ab" * 32,
    )


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("LORA", ModelKind.LORA),
        ("LoCon", ModelKind.LORA),
        ("DoRA", ModelKind.LORA),
        ("Checkpoint", ModelKind.CHECKPOINT),
        ("TextualInversion", ModelKind.EMBEDDING),
        ("Controlnet", ModelKind.CONTROLNET),
        ("Hypernetwork", ModelKind.HYPERNETWORK),
        ("VAE", ModelKind.VAE),
        ("Upscaler", ModelKind.UPSCALER),
    ],
)
def test_kind_follows_from_the_type(kind: str, expected: ModelKind) -> None:
    assert plan(told(kind)).kind == expected


@pytest.mark.parametrize("kind", ["Poses", "AestheticGradient", "Workflows", "", "Other"])
def test_other_types_are_refused(kind: str) -> None:
    with pytest.raises(UnsupportedModel, match="Unsupported model type"):
        plan(told(kind))


def test_flux_needs_a_setting() -> None:
    flux = told(baseModel="Flux.1 D")
    with pytest.raises(UnsupportedModel, match="SUPPORTS_FLUX"):
        plan(flux)
    assert plan(flux, flux=True).kind == ModelKind.LORA


def test_primary_file_is_taken_else_that_with_the_model() -> None:
    files = [
        {"name": "train.zip", "type": "Training Data"},
        {"name": "a.safetensors", "type": "Model"},
        {"name": "b.safetensors", "type": "Model", "primary": True},
    ]
    assert plan(told(files=files)).file_name == "b.safetensors"
    assert plan(told(files=files[:2])).file_name == "a.safetensors"
    assert plan(told(files=[{"name": "c.safetensors"}])).file_name == "c.safetensors"


@pytest.mark.parametrize("nonsense", [[], {}, [["Model"]], None, 7])
def test_type_of_a_file_that_is_no_text_is_none(nonsense: Any) -> None:
    file = {"name": "a.safetensors", "type": nonsense}
    assert plan(told(files=[file])).file_name == "a.safetensors"


@pytest.mark.parametrize("name", ["x.exe", "x.safetensors.bat", "x.zip", "x", "", "../x.yaml"])
def test_other_suffixes_are_refused(name: str) -> None:
    with pytest.raises(UnsupportedModel, match="not one of a model"):
        plan(told(file={"name": name}))


@pytest.mark.parametrize(
    "file",
    [
        {"name": "x.ckpt"},
        {"name": "x.PT"},
        {"name": "x.bin"},
        {"name": "x.pth"},
        {"metadata": {"format": "PickleTensor"}},
    ],
)
def test_pickle_needs_a_setting(file: dict[str, Any]) -> None:
    with pytest.raises(UnsafeFile, match="ALLOW_PICKLE_MODELS"):
        plan(told(file=file))
    plan(told(file=file), pickle=True)


@pytest.mark.parametrize("scan", ["pickleScanResult", "virusScanResult"])
def test_file_that_a_scan_warns_of_is_refused(scan: str) -> None:
    with pytest.raises(UnsafeFile, match="dangerous"):
        plan(told(file={scan: "Danger"}), pickle=True)


def test_what_is_not_told_is_unknown() -> None:
    found = plan(told(file={"sizeKB": "many", "hashes": None}, name=None))
    assert (found.size_bytes, found.sha256, found.name) == (None, None, "Ink")


@pytest.mark.parametrize("size", [-1, 0, True, 1e30, float("nan"), None])
def test_size_that_is_none_is_unknown(size: Any) -> None:
    assert plan(told(file={"sizeKB": size})).size_bytes is None


def test_version_without_an_address_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="no file"):
        plan(told(file={"downloadUrl": None}, downloadUrl=""))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.sampled_from(["model", "files", "name", "baseModel", "downloadUrl"]), _JSON)
def test_nonsense_is_refused_or_planned(key: str, nonsense: Any) -> None:
    made = json.loads(json.dumps(told())) | {key: nonsense}
    with contextlib.suppress(InvalidInput):
        assert plan(made).file_name
