"""Container images for tests: layers from a list of entries, manifests, lists of versions.

Written from the OCI image specification, with nothing of what is tested.
"""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Stored:
    """Bytes that a registry keeps, and what they are."""

    content: bytes
    media_type: str

    @property
    def digest(self) -> str:
        """As registries name them."""
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"

    @property
    def descriptor(self) -> JsonObject:
        """How other documents refer to it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content)}


@dataclass(frozen=True)
class Image:
    """An image for one kind of machine."""

    manifest: Stored
    blobs: tuple[Stored, ...]


@dataclass(frozen=True)
class Entry:
    """One entry of a layer: a file, unless `kind` says otherwise."""

    name: str
    content: bytes = b""
    kind: bytes = tarfile.REGTYPE
    link: str = ""


@dataclass
class Layer:
    """Entries in the order in which they stand in the archive."""

    entries: list[Entry] = field(default_factory=list)

    @property
    def tar(self) -> bytes:
        """The archive, not compressed."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for entry in self.entries:
                info = tarfile.TarInfo(entry.name)
                info.type, info.linkname, info.size = entry.kind, entry.link, len(entry.content)
                info.mode = 0o755
                archive.addfile(info, io.BytesIO(entry.content))
        return buffer.getvalue()


def files(contents: Mapping[str, bytes | str]) -> Layer:
    """A layer of files; a name that ends with `/` is a folder."""
    layer = Layer()
    for name, content in contents.items():
        if name.endswith("/"):
            layer.entries.append(Entry(name.rstrip("/"), kind=tarfile.DIRTYPE))
        else:
            raw = content if isinstance(content, bytes) else content.encode()
            layer.entries.append(Entry(name, raw))
    return layer


def image(layers: Iterable[Layer | bytes], *, docker: bool = False) -> Image:
    """An image of these layers, the lowest first; bytes are taken as they are."""
    stored = [
        Stored(
            gzip.compress(layer.tar, mtime=0) if isinstance(layer, Layer) else layer,
            DOCKER_LAYER if docker else OCI_LAYER,
        )
        for layer in layers
    ]
    config = Stored(
        b'{"architecture":"amd64","os":"linux"}', DOCKER_CONFIG if docker else OCI_CONFIG
    )
    media_type = DOCKER_MANIFEST if docker else OCI_MANIFEST
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": config.descriptor,
        "layers": [layer.descriptor for layer in stored],
    }
    return Image(Stored(json.dumps(manifest).encode(), media_type), (config, *stored))


def index(versions: Iterable[tuple[str, Image]], *, docker: bool = False) -> Stored:
    """The list of an image's versions, each for a platform such as `linux/arm64`."""
    media_type = DOCKER_LIST if docker else OCI_INDEX
    manifests = []
    for platform, version in versions:
        system, _, architecture = platform.partition("/")
        named = {"os": system, "architecture": architecture}
        manifests.append(version.manifest.descriptor | {"platform": named})
    listed = {"schemaVersion": 2, "mediaType": media_type, "manifests": manifests}
    return Stored(json.dumps(listed).encode(), media_type)
