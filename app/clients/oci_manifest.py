"""What a registry says an image is made of. Reads documents and digests; asks nobody anything.

Source: OCI image specification 1.1 (`manifest.md`, `image-index.md`, `descriptor.md`), and
Docker's "Image Manifest Version 2, Schema 2", which differs in its media types only.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import orjson

from app.errors import UpstreamFailed

SERVICE = "registry"
MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_DIGEST = re.compile(r"(sha256):[0-9a-f]{64}|(sha512):[0-9a-f]{128}")
_ATTESTATION = "vnd.docker.reference.type"

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Descriptor:
    """A piece of an image: its digest (`sha256:…`), its size, and what it says it is."""

    digest: str
    size_bytes: int
    media_type: str = ""

    @classmethod
    def read(cls, value: object) -> Self:
        """The descriptor in a document. Raises `UpstreamFailed`."""
        if isinstance(value, dict):
            digest, size_bytes = value.get("digest"), value.get("size")
            if (
                isinstance(digest, str)
                and _DIGEST.fullmatch(digest)
                and isinstance(size_bytes, int)
                and size_bytes >= 0
            ):
                return cls(digest, size_bytes, str(value.get("mediaType", "")))
        raise UpstreamFailed("The image's manifest has an unexpected shape.", service=SERVICE)


class Digesting:
    """Counts and digests what comes in, to compare it with what was promised."""

    def __init__(self, digest: str):
        """`digest` is one that `is_digest` accepts."""
        self._expected = digest
        self._hash = hashlib.new(digest.partition(":")[0])
        self.size_bytes = 0

    def add(self, content: bytes) -> None:
        """Takes the next bytes."""
        self._hash.update(content)
        self.size_bytes += len(content)

    @property
    def fits(self) -> bool:
        """Whether the bytes so far are those that the digest was made of."""
        return self._expected.partition(":")[2] == self._hash.hexdigest()


def is_digest(text: str) -> bool:
    """Whether we can verify it: sha256 or sha512."""
    return _DIGEST.fullmatch(text) is not None


def fits(content: bytes, digest: str) -> bool:
    """Whether the digest was made of these bytes."""
    digesting = Digesting(digest)
    digesting.add(content)
    return digesting.fits


def document(content: bytes) -> JsonObject:
    """The manifest or the index in these bytes. Raises `UpstreamFailed`."""
    try:
        answer = orjson.loads(content)
    except orjson.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict):
        raise UpstreamFailed(
            "What came is not the manifest of an image; is there a proxy or a login page in"
            " between?",
            service=SERVICE,
        )
    # Something that is both could be read as one thing by us and as another by who signed it.
    if ("manifests" in answer) == ("layers" in answer):
        raise UpstreamFailed("The image has a format that we do not know.", service=SERVICE)
    return answer


def is_index(manifest: JsonObject) -> bool:
    """Whether it lists the image's versions for different machines."""
    return "manifests" in manifest


def layers_of(manifest: JsonObject) -> tuple[Descriptor, ...]:
    """The layers of a manifest, the lowest first. Raises `UpstreamFailed`."""
    layers = tuple(Descriptor.read(item) for item in _objects(manifest["layers"]))
    if not all("tar" in layer.media_type for layer in layers):
        raise UpstreamFailed(
            "That is no container image: its parts are no archives.", service=SERVICE
        )
    return layers


def chosen(index: JsonObject) -> Descriptor:
    """The version for linux/amd64, or else the first for Linux: Compass is the same in all.

    Raises `UpstreamFailed` when there is none.
    """
    usable = [
        (architecture, item)
        for item in _objects(index["manifests"])
        if (architecture := _linux_architecture(item)) is not None
    ]
    if not usable:
        raise UpstreamFailed("The image has no version for Linux.", service=SERVICE)
    best = next((item for architecture, item in usable if architecture == "amd64"), usable[0][1])
    return Descriptor.read(best)


def _linux_architecture(item: JsonObject) -> str | None:
    """None for what no machine runs, such as signatures and attestations, and for Windows."""
    annotations = item.get("annotations")
    if isinstance(annotations, dict) and _ATTESTATION in annotations:
        return None
    platform = item.get("platform")
    if not isinstance(platform, dict):  # it may be left out
        return ""
    return str(platform.get("architecture")) if platform.get("os") == "linux" else None


def _objects(value: object) -> Iterator[JsonObject]:
    for item in value if isinstance(value, list) else [None]:
        if not isinstance(item, dict):
            raise UpstreamFailed("The image's manifest has an unexpected shape.", service=SERVICE)
        yield item
