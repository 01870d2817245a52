"""Tests of looking names up in Forge's lists, on recorded ones."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from app.clients.forge_lists import PREFERRED_UPSCALER, ForgeLists, base_name
from tests.app.simulator.recording import SHA_A, SHA_B, Recording

LISTS = ForgeLists(
    checkpoints=Recording.load("get/sd-models_all_hashed").body,
    modules=Recording.load("get/sd-modules").body,
    samplers=Recording.load("get/samplers").body,
    schedulers=Recording.load("get/schedulers").body,
    upscalers=Recording.load("get/upscalers").body,
)
NOTHING = ForgeLists()


@pytest.mark.parametrize(
    ("name", "model_name"),
    [
        ("randomA", "randomA"),
        ("randomA.safetensors", "randomA"),
        ("randomA.safetensors [02dcc7a1b0]", "randomA"),
        ("02dcc7a1b0", "randomA"),
        (SHA_A, "randomA"),
        ("sub_randomC", "sub_randomC"),
        ("sub/randomC.safetensors", "sub_randomC"),
        (SHA_B, "randomB"),
    ],
)
def test_checkpoint_is_found_by_each_name_that_forge_takes(name: str, model_name: str) -> None:
    found = LISTS.checkpoint(name)
    assert found is not None
    assert found["model_name"] == model_name


@pytest.mark.parametrize("name", ["", "RandomA", "random", "None", "randomC.safetensors [x"])
def test_checkpoint_that_forge_would_replace_is_not_found(name: str) -> None:
    assert LISTS.checkpoint(name) is None


def test_checkpoints_named_after_each_other_do_not_lead_in_circles() -> None:
    lists = ForgeLists(checkpoints=[{"model_name": "c"}], friendly_names={"a": "b", "b": "a"})
    assert lists.checkpoint("a") is None


def test_name_of_one_checkpoint_goes_before_the_title_of_another() -> None:
    lists = ForgeLists(
        checkpoints=[{"model_name": "one", "title": "two"}, {"model_name": "two", "title": "x"}]
    )
    found = lists.checkpoint("two")
    assert found is not None
    assert found["model_name"] == "two"


def test_hashes_that_are_not_known_yet_match_nothing() -> None:
    lists = ForgeLists(checkpoints=Recording.load("get/sd-models_partly_hashed").body)
    assert lists.checkpoint(SHA_B) is None
    assert lists.checkpoint("None") is None


def test_exact_sampler_goes_before_one_in_another_case() -> None:
    lists = ForgeLists(samplers=[{"name": "EULER", "aliases": None}, {"name": "euler"}])
    assert lists.sampler("euler") == "euler"
    assert lists.sampler("EULER") == "EULER"
    assert lists.sampler("Euler") == "EULER"
    assert lists.sampler("DPM") is None


def test_every_recorded_sampler_is_found_by_its_name_and_its_aliases() -> None:
    for item in LISTS.samplers:
        for name in (item["name"], *item["aliases"]):
            assert LISTS.sampler(name) == item["name"]
            assert LISTS.sampler(name.upper()) is not None


def test_every_recorded_scheduler_is_found_by_its_name_and_its_label() -> None:
    for item in LISTS.schedulers:
        for name in (item["name"], item["label"], item["label"].upper()):
            assert LISTS.scheduler(name) == item["name"]
    assert LISTS.scheduler("Nope") is None


def test_module_is_found_with_its_ending_only() -> None:
    assert LISTS.module("random_vae.safetensors") == "random_vae.safetensors"
    assert LISTS.module("/other/place/random_vae.safetensors") == "random_vae.safetensors"
    assert LISTS.module("C:\\models\\random_vae.safetensors") == "random_vae.safetensors"
    assert LISTS.module("random_vae") is None
    assert LISTS.module("") is None


def test_default_upscaler_exists_on_the_disk() -> None:
    default = LISTS.upscaler(None)
    on_disk = [
        item["name"]
        for item in LISTS.upscalers
        if item["model_path"] and "://" not in item["model_path"]
    ]
    assert default in on_disk or (not on_disk and default == "Lanczos")


def test_named_upscaler_is_taken_if_it_is_known() -> None:
    for item in LISTS.upscalers:
        assert LISTS.upscaler(item["name"]) == item["name"]
    assert LISTS.upscaler("RealESRGAN_x4") == LISTS.upscaler(None)


def test_preferred_upscaler_is_the_default_where_it_is_installed() -> None:
    known = [*LISTS.upscalers, {"name": PREFERRED_UPSCALER, "model_path": "/x.pth", "scale": 4}]
    assert replace(LISTS, upscalers=known).upscaler(None) == PREFERRED_UPSCALER


def test_fourfold_upscaler_goes_before_others_and_downloads_come_last() -> None:
    remote = {"name": "remote", "model_path": "https://example.org/x.pth", "scale": 4}
    double = {"name": "double", "model_path": "/x2.pth", "scale": 2}
    fourfold = {"name": "fourfold", "model_path": "/x4.pth", "scale": 4}
    plain = {"name": "Lanczos", "model_path": None, "scale": 4}
    nothing = {"name": "None", "model_path": None, "scale": 4}

    def default(*items: Mapping[str, object]) -> str | None:
        return ForgeLists(upscalers=items).upscaler(None)

    assert default(nothing, plain, remote, double, fourfold) == "fourfold"
    assert default(nothing, plain, remote, double) == "double"
    assert default(nothing, remote, plain) == "Lanczos"
    assert default(nothing, remote) == "remote"
    assert default(nothing) is None


def test_nothing_is_found_in_empty_lists() -> None:
    assert NOTHING.checkpoint("randomA") is None
    assert NOTHING.sampler("Euler") is None
    assert NOTHING.scheduler("karras") is None
    assert NOTHING.module("a.safetensors") is None
    assert NOTHING.upscaler("Lanczos") is None


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/b.pt", "b.pt"),
        ("C:\\a\\b.pt", "b.pt"),
        ("b.pt", "b.pt"),
        ("a\\b/c.pt", "c.pt"),
        ("", ""),
    ],
)
def test_base_name_is_the_last_part_of_a_path_of_either_system(path: str, name: str) -> None:
    assert base_name(path) == name
