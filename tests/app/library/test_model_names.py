"""Tests of `app/library/model_names.py`."""

from typing import Any

import pytest

from app.clients.forge_lists import ForgeLists
from app.library.model_folder import ModelFile, ModelKind
from app.library.model_names import listed, name_of, names_of, used_by

CHECKPOINT, LORA, EMBEDDING = ModelKind.CHECKPOINT, ModelKind.LORA, ModelKind.EMBEDDING
VAE, TEXT_ENCODER, UPSCALER = ModelKind.VAE, ModelKind.TEXT_ENCODER, ModelKind.UPSCALER
LISTS = ForgeLists(
    checkpoints=[{"model_name": "xl_dream", "title": "xl/dream.safetensors [1234]"}],
    modules=[{"model_name": "ae.safetensors", "filename": "/forge/models/VAE/ae.safetensors"}],
    samplers=[{"name": "Euler"}],
    upscalers=[
        {"name": "None"},
        {"name": "R-ESRGAN 4x+", "model_path": "C:\\models\\RealESRGAN\\RealESRGAN_x4plus.pth"},
    ],
    loras=[{"name": "night sky", "alias": "night_sky"}, {"name": "ink", "alias": "night_sky"}],
    embeddings=["Bad-Hands", "calm (v2)", "ink"],
    friendly_names={"Dream": "xl_dream"},
)


@pytest.mark.parametrize(
    ("parameters", "used"),
    [
        ({}, set()),
        ({"model_name": "Dream"}, {(CHECKPOINT, "xl_dream")}),
        ({"model_name": "xl/dream.safetensors"}, {(CHECKPOINT, "xl_dream")}),
        ({"model_name": "gone"}, {(CHECKPOINT, "gone")}),
        (
            {"modules": ["/elsewhere/ae.safetensors"]},
            {(VAE, "ae.safetensors"), (TEXT_ENCODER, "ae.safetensors")},
        ),
        ({"prompt": "a fox <lora:ink:0.8>, <lora: ink >"}, {(LORA, "ink"), (EMBEDDING, "ink")}),
        ({"prompt": "<lyco:new>"}, {(LORA, "new")}),
        (
            {"prompt": "<lora:night_sky:1>"},
            {(LORA, "night_sky"), (LORA, "night sky"), (LORA, "ink")},
        ),
        ({"negative_prompt": "(bad-hands:1.2)"}, {(EMBEDDING, "Bad-Hands")}),
        ({"prompt": "Calm (V2), drinking, an inkwell"}, {(EMBEDDING, "calm (v2)")}),
        ({"upscaler_name": "R-ESRGAN 4x+"}, set()),
        (
            {"upscaler_name": "R-ESRGAN 4x+", "force_hr_fix": True},
            {(UPSCALER, "R-ESRGAN 4x+"), (UPSCALER, "RealESRGAN_x4plus")},
        ),
        (
            {"force_hr_fix": True},
            {(UPSCALER, "R-ESRGAN 4x+"), (UPSCALER, "RealESRGAN_x4plus")},
        ),
    ],
)
def test_models_of_a_job_are_those_that_it_names(
    parameters: dict[str, Any], used: set[tuple[ModelKind, str]]
) -> None:
    assert used_by(parameters, LISTS) == used


def test_without_lists_names_are_taken_as_they_are() -> None:
    parameters = {"model_name": "Dream", "prompt": "<lora:x:1>", "force_hr_fix": True}
    assert used_by(parameters, ForgeLists()) == {(CHECKPOINT, "Dream"), (LORA, "x")}


@pytest.mark.parametrize(
    ("kind", "path", "name", "names"),
    [
        (
            CHECKPOINT,
            "Stable-diffusion/xl/dream.v2.safetensors",
            "xl_dream.v2",
            {
                (CHECKPOINT, "xl_dream.v2"),
                (VAE, "dream.v2.safetensors"),
                (TEXT_ENCODER, "dream.v2.safetensors"),
            },
        ),
        (LORA, "Lora/styles/ink.safetensors", "ink", {(LORA, "ink")}),
        (
            TEXT_ENCODER,
            "text_encoder/clip.safetensors",
            "clip.safetensors",
            {(VAE, "clip.safetensors"), (TEXT_ENCODER, "clip.safetensors")},
        ),
        (
            UPSCALER,
            "RealESRGAN/RealESRGAN_x4plus.pth",
            "RealESRGAN_x4plus",
            {(UPSCALER, "RealESRGAN_x4plus")},
        ),
        (EMBEDDING, "../embeddings/calm.pt", "calm", {(EMBEDDING, "calm")}),
    ],
)
def test_file_goes_by_the_names_that_forge_gives(
    kind: ModelKind, path: str, name: str, names: set[tuple[ModelKind, str]]
) -> None:
    file = ModelFile(kind, path, 1, 1)
    assert (name_of(file), names_of(file)) == (name, names)


def test_listed_names_are_those_of_all_lists() -> None:
    assert {
        (CHECKPOINT, "xl_dream"),
        (LORA, "ink"),
        (EMBEDDING, "Bad-Hands"),
        (VAE, "ae.safetensors"),
        (UPSCALER, "RealESRGAN_x4plus"),
    } <= listed(LISTS)
    assert listed(ForgeLists()) == set()
