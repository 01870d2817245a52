"""Request validation: coercion and the shape of 422 answers."""

import pytest

from app.simulator.errors import ValidationFailed
from app.simulator.schema import Generation, Img2Img, PngInfo, Txt2Img, parse_body, validate


@pytest.mark.parametrize(
    ("given", "expected"), [("2", 2), (2.0, 2), (2, 2), (None, None), (2**70, 2**70)]
)
def test_integers_are_coerced(given: object, expected: int | None) -> None:
    assert validate(Txt2Img, {"steps": given}).steps == expected


@pytest.mark.parametrize(
    ("kind", "body", "where", "code"),
    [
        (Txt2Img, {"steps": 2.5}, ["body", "steps"], "int_from_float"),
        (Txt2Img, {"steps": []}, ["body", "steps"], "int_type"),
        (Txt2Img, {"cfg_scale": "much"}, ["body", "cfg_scale"], "float_parsing"),
        (Txt2Img, {"alwayson_scripts": None}, ["body", "alwayson_scripts"], "dict_type"),
        (Txt2Img, [1], ["body"], "model_attributes_type"),
        (Txt2Img, None, ["body"], "missing"),
        (Img2Img, {"denoising_strength": None}, ["body", "denoising_strength"], "float_type"),
        (PngInfo, {}, ["body", "image"], "missing"),
    ],
)
def test_mistakes_are_named(
    kind: type[Generation] | type[PngInfo], body: object, where: list[str], code: str
) -> None:
    with pytest.raises(ValidationFailed) as caught:
        validate(kind, body)
    assert caught.value.status == 422
    assert isinstance(caught.value.body, dict)
    (entry,) = caught.value.body["detail"]
    assert (entry["loc"], entry["type"]) == (where, code)
    assert entry["url"] == f"https://errors.pydantic.dev/2.8/v/{code}"
    assert set(entry) == {"type", "loc", "msg", "input", "url"}


@pytest.mark.parametrize("kind", ["", "application/json", "application/vnd.x+json; charset=utf-8"])
def test_json_is_read_without_or_with_its_content_type(kind: str) -> None:
    assert parse_body(b'{"a": 1}', kind) == {"a": 1}
    assert parse_body(b"", kind) is None


def test_other_content_types_stay_text() -> None:
    assert parse_body(b'{"a": 1}', "text/plain") == '{"a": 1}'
