"""Where Forge fails: which requests, and with which kind of error."""

from typing import Any

import pytest
from PIL import Image

from app.simulator.checks import (
    check_first_pass,
    check_hires_start,
    check_initial_images,
    check_numbers,
    check_scripts,
    check_second_pass,
)
from app.simulator.errors import DetailError, PythonError
from app.simulator.loader import Catalogue
from app.simulator.schema import Img2Img, Txt2Img


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"prompt": None}, "AssertionError"),
        ({"n_iter": None}, "TypeError"),
        ({"batch_size": 0}, "IndexError"),
        ({"width": None}, "TypeError"),
        ({"cfg_scale": None}, "TypeError"),
        ({"steps": None}, "TypeError"),
        ({"steps": 0}, "ZeroDivisionError"),
        ({"steps": -1}, "RuntimeError"),
        ({"height": -64}, "RuntimeError"),
        ({"height": 7}, "RuntimeError"),
    ],
)
def test_impossible_number_fails_in_its_own_way(changes: dict[str, Any], kind: str) -> None:
    check_numbers(Txt2Img())
    with pytest.raises(PythonError) as failed:
        check_numbers(Txt2Img(**changes))
    assert (failed.value.status, failed.value.kind) == (500, kind)


def test_unknown_script_is_named() -> None:
    check_scripts(Txt2Img(), "txt2img")
    for request in (Txt2Img(script_name="No Such"), Txt2Img(alwayson_scripts={"No Such": {}})):
        with pytest.raises(DetailError) as failed:
            check_scripts(request, "txt2img")
        assert (failed.value.status, failed.value.body) == (
            422,
            {"detail": "Script 'No Such' not found"},
        )


def test_unknown_upscaler_is_named() -> None:
    for known in (None, "Latent", str(Catalogue().upscalers[0]["name"])):
        check_hires_start(Txt2Img(hr_upscaler=known), Catalogue())
    with pytest.raises(PythonError, match="could not find upscaler named nonsense"):
        check_hires_start(Txt2Img(hr_upscaler="nonsense"), Catalogue())


def test_first_pass_picture_needs_the_patch_and_three_channels() -> None:
    colour, clear, grey = (Image.new(mode, (8, 8)) for mode in ("RGB", "RGBA", "L"))
    request = Txt2Img(firstpass_image="abc", hr_upscaler="Latent")
    check_first_pass(Txt2Img(), None, patched=False)
    check_first_pass(request, colour, patched=True)
    for picture, patched, kind in (
        (colour, False, "ValueError"),
        (grey, True, "AxisError"),
        (clear, True, "RuntimeError"),
    ):
        with pytest.raises(PythonError) as failed:
            check_first_pass(request, picture, patched=patched)
        assert failed.value.kind == kind
    check_first_pass(Txt2Img(firstpass_image="abc", hr_upscaler="None"), clear, patched=True)


@pytest.mark.parametrize("field", ["hr_additional_modules", "denoising_strength"])
def test_second_pass_needs_two_fields(field: str) -> None:
    check_second_pass(Txt2Img(hr_additional_modules=[], denoising_strength=0.5))
    with pytest.raises(PythonError, match="TypeError"):
        check_second_pass(
            Txt2Img(**{"hr_additional_modules": [], "denoising_strength": 0.5, field: None})
        )


@pytest.mark.parametrize(
    ("changes", "count", "kind"),
    [
        ({"mask": ""}, 1, "AttributeError"),
        ({}, 0, "IndexError"),
        ({}, 2, "RuntimeError"),
    ],
)
def test_initial_pictures_must_fit(changes: dict[str, Any], count: int, kind: str) -> None:
    check_initial_images(Img2Img(batch_size=2), 2)
    with pytest.raises(PythonError) as failed:
        check_initial_images(Img2Img(**changes), count)
    assert failed.value.kind == kind
