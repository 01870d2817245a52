"""The texts that describe a picture: their order, and that they come apart again."""

import json
from typing import Any

from app.simulator.catalogue import Checkpoint, Embedding, Lora
from app.simulator.infotext import VERSION, Description, lora_hashes, used_embeddings
from app.simulator.infotext_parser import parse


def describe(**changes: Any) -> Description:
    """What a small run used."""
    values: dict[str, Any] = {
        "prompt": "a fox, red",
        "negative_prompt": "",
        "seed": 7,
        "subseed": 9,
        "subseed_strength": 0.0,
        "width": 64,
        "height": 32,
        "sampler": "Euler",
        "scheduler": "Simple",
        "cfg_scale": 7.0,
        "steps": 4,
        "batch_size": 1,
        "n_iter": 2,
        "denoising_strength": None,
        "checkpoint": Checkpoint("a.safetensors", sha256="0123456789abcdef"),
        "modules": ["clip"],
        "seed_resize": (-1, -1),
        "styles": [],
        "job_timestamp": "20260101000000",
    }
    return Description(**(values | changes))


def test_text_is_in_forges_order() -> None:
    assert describe(negative_prompt="bad").infotext(1) == (
        "a fox, red\nNegative prompt: bad\n"
        "Steps: 4, Sampler: Euler, Schedule type: Simple, CFG scale: 7.0, Seed: 8, Size: 64x32,"
        f" Model hash: 0123456789, Model: a, Version: {VERSION}, Module 1: clip"
    )


def test_text_comes_apart_again() -> None:
    description = describe(extra={"Note": "one, two: three"}, subseed_strength=0.5)
    parameters = parse(description.infotext(1))
    assert (parameters["Prompt"], parameters["Note"]) == ("a fox, red", "one, two: three")
    # With variations every picture has the same seed and a subseed of its own.
    assert (parameters["Seed"], parameters["Variation seed"]) == ("7", "10")


def test_info_tells_of_every_picture() -> None:
    info = json.loads(describe().info([]))
    assert info["all_seeds"] == [7, 8]
    assert info["all_subseeds"] == [9, 10]
    assert info["infotexts"] == [describe().infotext(0)]
    assert json.loads(describe().info(["x", "y"]))["infotexts"] == ["x", "y"]


def test_loras_and_embeddings_are_named_when_they_were_used() -> None:
    lora = Lora("a.safetensors", {"sshs_model_hash": "0123456789abcdef"})
    assert lora_hashes("<lora:a:1>", [lora]) == "a: 0123456789ab"
    assert lora_hashes("<lora:a:1> <lora:b:1>", [lora]) is None
    assert (
        used_embeddings("calm, <lora:quiet:1>", [Embedding("calm"), Embedding("quiet")]) == "calm"
    )
