"""Tests of `app/clients/oci_manifest.py`."""

import json

import pytest

from app.clients.oci_manifest import (
    Descriptor,
    JsonObject,
    chosen,
    document,
    fits,
    is_digest,
    is_index,
    layers_of,
)
from app.errors import UpstreamFailed
from tests.images import Layer, image, index

A, B, C = (image([Layer(), name.encode()]) for name in "abc")


@pytest.mark.parametrize("docker", [False, True])
def test_layers_are_given_from_the_lowest(docker: bool) -> None:
    built = image([b"one", b"two"], docker=docker)
    manifest = document(built.manifest.content)
    assert not is_index(manifest)
    expected = [(blob.digest, len(blob.content)) for blob in built.blobs[1:]]
    assert [(layer.digest, layer.size_bytes) for layer in layers_of(manifest)] == expected


@pytest.mark.parametrize(
    "platforms",
    [
        ["linux/amd64", "linux/arm64", "unknown/unknown"],
        ["unknown/unknown", "linux/arm64", "linux/amd64"],
        ["windows/amd64", "linux/amd64", "linux/arm64"],
        ["windows/amd64", "unknown/unknown", "linux/riscv64"],
    ],
)
@pytest.mark.parametrize("docker", [False, True])
def test_amd64_is_preferred_and_any_linux_will_do(platforms: list[str], docker: bool) -> None:
    best = "linux/amd64" if "linux/amd64" in platforms else platforms[-1]
    listed = index(zip(platforms, (A, B, C), strict=True), docker=docker)
    expected = (A, B, C)[platforms.index(best)].manifest
    manifest = document(listed.content)
    assert is_index(manifest)
    assert chosen(manifest).digest == expected.digest


def test_attestation_is_no_version_whatever_its_platform() -> None:
    manifest = document(index([("linux/amd64", A), ("linux/arm64", B)]).content)
    manifest["manifests"][0]["annotations"] = {"vnd.docker.reference.type": "attestation-manifest"}
    assert chosen(manifest).digest == B.manifest.digest


def test_version_without_a_platform_will_do() -> None:
    manifest = document(index([("linux/amd64", A)]).content)
    del manifest["manifests"][0]["platform"]
    assert chosen(manifest).digest == A.manifest.digest


@pytest.mark.parametrize("platforms", [[], ["windows/amd64", "unknown/unknown"]])
def test_no_version_for_linux_is_said(platforms: list[str]) -> None:
    listed = index(zip(platforms, (A, B), strict=False))
    with pytest.raises(UpstreamFailed, match="no version for Linux"):
        chosen(document(listed.content))


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"[]", b"1", b"{}", b'{"fsLayers": []}', b'{"layers": [], "manifests": []}'],
)
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(UpstreamFailed, match=r"not the manifest|a format that we do not know"):
        document(content)


@pytest.mark.parametrize("layers", [None, {}, [1], [None], [{}]])
def test_manifest_of_an_odd_shape_is_refused(layers: object) -> None:
    with pytest.raises(UpstreamFailed):
        layers_of({"layers": layers})
    with pytest.raises(UpstreamFailed):
        chosen({"manifests": layers})


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "sha256:0a"},
        {"digest": "md5:" + "0a" * 16},
        {"digest": "sha256:" + "0A" * 32},
        {"digest": f"sha256:{'0a' * 32}/../x"},
        {"digest": 1},
        {"size": -1},
        {"size": "5"},
        {"size": 1.5},
        {"size": None},
    ],
)
def test_descriptor_that_cannot_be_verified_is_refused(change: JsonObject) -> None:
    with pytest.raises(UpstreamFailed):
        Descriptor.read(A.manifest.descriptor | change)


def test_artifact_is_no_container_image() -> None:
    descriptor = A.manifest.descriptor | {"mediaType": "application/vnd.example.chart+json"}
    with pytest.raises(UpstreamFailed, match="no container image"):
        layers_of({"layers": [descriptor]})


def test_digest_fits_what_it_was_made_of() -> None:
    content = json.dumps({"a": 1}).encode()
    sha512 = (
        "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
        "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
    )
    assert is_digest(sha512)
    assert fits(b"", sha512)
    assert not fits(content, sha512)
    assert fits(A.manifest.content, A.manifest.digest)
    assert not fits(A.manifest.content + b" ", A.manifest.digest)
