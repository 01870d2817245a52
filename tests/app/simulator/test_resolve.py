"""From names in a request to what is used: the silent fallbacks."""

import pytest

from app.simulator.infotext import lora_hashes, used_embeddings
from app.simulator.loader import Catalogue
from app.simulator.resolve import sampler_and_scheduler
from app.simulator.schema import Txt2Img
from tests.app.simulator.recording import recorded_install


@pytest.mark.parametrize(
    ("sampler", "scheduler", "expected"),
    [
        ("Euler a", "karras", ("Euler a", "Karras")),
        ("Euler a", "KARRAS", ("Euler a", "Automatic")),
        (None, None, ("Euler", "Automatic")),
        ("DPM++ SDE", "automatic", ("DPM++ SDE", "Karras")),
        ("DPM++ 2M SDE Karras", None, ("DPM++ 2M SDE", "Karras")),
        ("Euler SGMUniform", None, ("Euler", "SGM Uniform")),
        ("nonsense", "simple", ("DPM++ 2M", "Simple")),
    ],
)
def test_names_fall_back(
    sampler: str | None, scheduler: str | None, expected: tuple[str, str]
) -> None:
    request = Txt2Img(sampler_name=sampler, scheduler=scheduler)
    assert sampler_and_scheduler(request, Catalogue()) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a <lora:meta_lora:0.7> fox", "meta_lora: 2d711642b726"),
        ("a <lora:meta_lora_alias:1:0.5>", "meta_lora_alias: 2d711642b726"),
        ("<lora:meta_lora:0.7> <lora:unknown:1>", None),
        ("<lora:meta_lora:abc>", None),
        ("no tag", None),
    ],
)
def test_lora_hashes_need_every_tag_to_work(prompt: str, expected: str | None) -> None:
    assert lora_hashes(prompt, recorded_install().loras) == expected


def test_embeddings_are_found_as_whole_words() -> None:
    embeddings = recorded_install().embeddings
    assert used_embeddings("a fox, tiny_emb, (xl_emb:1.2)", embeddings) == "tiny_emb, xl_emb"
    assert used_embeddings("tiny_embers", embeddings) is None
