"""Model files: what names them, and how Forge shows them."""

from app.simulator.catalogue import (
    Checkpoint,
    Embedding,
    Lora,
    Module,
    default_checkpoints,
    default_embeddings,
    default_loras,
    default_modules,
)


def test_checkpoint_has_more_names_once_its_hash_is_known() -> None:
    checkpoint = Checkpoint("xl/wide_v1.safetensors", sha256="0123456789abcdef")
    names = {"xl_wide_v1", "xl/wide_v1.safetensors", "wide_v1"}
    assert checkpoint.aliases() == names
    assert checkpoint.shown()["sha256"] is None
    checkpoint.hashed = True
    title = "xl/wide_v1.safetensors [0123456789]"
    assert checkpoint.aliases() == names | {title, "0123456789", "0123456789abcdef"}
    assert checkpoint.shown() == {
        "title": title,
        "model_name": "xl_wide_v1",
        "hash": "0123456789",
        "sha256": "0123456789abcdef",
        "filename": "/forge/models/Stable-diffusion/xl/wide_v1.safetensors",
        "config": None,
    }


def test_checkpoints_without_a_hash_get_one_each() -> None:
    assert len({checkpoint.sha256 for checkpoint in default_checkpoints()}) == 3


def test_module_lies_in_its_folder() -> None:
    module = Module("clip.safetensors", "text_encoder")
    assert module.stem == "clip"
    assert module.shown() == {
        "model_name": "clip.safetensors",
        "filename": "/forge/models/text_encoder/clip.safetensors",
    }


def test_lora_is_named_by_its_file_and_its_metadata() -> None:
    plain = Lora("styles/night sky.safetensors")
    assert (plain.name, plain.alias, len(plain.short_hash)) == ("night sky", "night sky", 12)
    told = Lora("a.safetensors", {"ss_output_name": "b", "sshs_model_hash": "0123456789abcdef"})
    assert (told.name, told.alias, told.short_hash) == ("a", "b", "0123456789ab")
    assert told.shown()["path"] == "/forge/models/Lora/a.safetensors"


def test_embedding_shows_its_shape_but_not_its_name() -> None:
    assert Embedding("calm", shape=2048).shown() == {
        "step": None,
        "sd_checkpoint": None,
        "sd_checkpoint_name": None,
        "shape": 2048,
        "vectors": 2,
    }


def test_defaults_are_new_each_time() -> None:
    for make in (default_checkpoints, default_modules, default_loras, default_embeddings):
        first, second = make(), make()
        assert first == second
        assert first[0] is not second[0]
