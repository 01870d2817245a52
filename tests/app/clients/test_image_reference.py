"""Tests of `app/clients/image_reference.py`."""

import pytest

from app.clients.image_reference import ImageReference
from app.errors import InvalidInput

DIGEST = "sha256:" + "0a" * 32


@pytest.mark.parametrize(
    ("text", "url", "repository", "wanted"),
    [
        ("registry.example/group/name:main", "https://registry.example", "group/name", "main"),
        ("registry.example/name", "https://registry.example", "name", "latest"),
        ("registry.example:5000/a/b/c:1.2", "https://registry.example:5000", "a/b/c", "1.2"),
        (f"registry.example/name@{DIGEST}", "https://registry.example", "name", DIGEST),
        (f"registry.example/name:main@{DIGEST}", "https://registry.example", "name", DIGEST),
        ("localhost/name", "http://localhost", "name", "latest"),
        ("localhost:5000/name:main", "http://localhost:5000", "name", "main"),
        ("127.0.0.1:5000/name:main", "http://127.0.0.1:5000", "name", "main"),
        ("[::1]:5000/name:main", "http://[::1]:5000", "name", "main"),
        ("[::1]/name", "http://[::1]", "name", "latest"),
        ("[2001:db8::1]/name", "https://[2001:db8::1]", "name", "latest"),
    ],
)
def test_name_tells_registry_repository_and_version(
    text: str, url: str, repository: str, wanted: str
) -> None:
    reference = ImageReference.parse(text)
    assert (reference.registry_url, reference.repository, reference.wanted) == (
        url,
        repository,
        wanted,
    )


@pytest.mark.parametrize("text", ["group/name:main", "name", "name:main"])
def test_name_without_a_registry_needs_one_from_elsewhere(text: str) -> None:
    reference = ImageReference.parse(text)
    assert reference.repository == text.partition(":")[0]
    with pytest.raises(InvalidInput, match="names no registry"):
        _ = reference.registry_url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "registry.example/",
        "https://registry.example/name",
        "registry.example/Name",
        "registry.example/../name",
        "registry.example/a//b",
        "registry.example/name:",
        "registry.example/name:ta g",
        "registry.example/name:a/b",
        "registry.example/name@sha256:0a",
        "registry.example/name@md5:0a",
        "registry.example/name\n",
        "me:secret@registry.example/name",
        "a" * 600,
        "a-" * 200 + "!",
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not the name of an image"):
        ImageReference.parse(text)


def test_it_reads_as_it_was_written() -> None:
    for text in ("registry.example/a/b:main", f"registry.example/a/b@{DIGEST}", "a/b:latest"):
        assert str(ImageReference.parse(text)) == text
