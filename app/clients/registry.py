"""One container registry: what an image is made of, and its parts.

The only file that knows the paths of the OCI distribution protocol (specification 1.1, "Pull").
Nothing leaves here whose digest was not verified.
"""

import asyncio
from collections.abc import Callable
from typing import BinaryIO

import aiohttp

from app.clients.oci_manifest import (
    MEDIA_TYPES,
    SERVICE,
    Descriptor,
    Digesting,
    JsonObject,
    chosen,
    document,
    fits,
    is_digest,
    is_index,
    layers_of,
)
from app.clients.registry_http import BrokenOff, RegistryHttp
from app.clients.web_http import read_limited
from app.errors import UpstreamFailed, UpstreamUnavailable

_MAX_MANIFEST_BYTES = 4 * 1024 * 1024  # what a registry has to accept, by the specification
_ATTEMPTS = 5


class Registry:
    """Reads one repository of one registry.

    Raises `NotFound` for an image that is not there or not public, `UpstreamUnavailable` when
    nothing answers, and `UpstreamFailed` when an answer is an error, broken, or not what its
    digest promised.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        repository: str,
        *,
        retry_pause_s: float = 1.0,
    ):
        """`url` is the registry's address without `/v2`. Raises `InvalidInput` for an odd one."""
        self._http = RegistryHttp(session, url, repository)
        self._retry_pause_s = retry_pause_s

    async def layers(self, wanted: str) -> tuple[Descriptor, ...]:
        """The layers of the image with this tag or digest, the lowest first."""
        manifest = await self._manifest(wanted, wanted if is_digest(wanted) else None)
        if is_index(manifest):
            best = chosen(manifest)
            manifest = await self._manifest(best.digest, best.digest)
            if is_index(manifest):
                raise UpstreamFailed("The image has a format that we do not know.", service=SERVICE)
        return layers_of(manifest)

    async def download(
        self, blob: Descriptor, file: BinaryIO, *, received: Callable[[int], object]
    ) -> None:
        """Writes the blob to the empty `file`; tells `received` how many more bytes are there.

        A transfer that broke off goes on where it stopped. If the registry cannot do that, it
        begins again, and `received` is told a negative number. Raises OSError when `file` does.
        """
        transfer = _Transfer(blob, file, received)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await self._continue(transfer)
                break
            except (BrokenOff, UpstreamUnavailable):
                if transfer.size_bytes == blob.size_bytes:
                    break
                if attempt == _ATTEMPTS:
                    raise
                await asyncio.sleep(self._retry_pause_s * attempt)
        transfer.verify()

    async def _continue(self, transfer: "_Transfer") -> None:
        at = transfer.size_bytes
        headers = {"Range": f"bytes={at}-"} if at else {}
        async with self._http.get(f"blobs/{transfer.blob.digest}", headers) as response:
            told = response.headers.get("Content-Range", "")
            goes_on = at > 0 and response.status == 206 and told.startswith(f"bytes {at}-")
            if not goes_on:
                transfer.restart()
                if response.status != 200:
                    missing = f"{self._http.host} lacks a part of the image."
                    raise self._http.refusal(response, missing)
            async for chunk in response.content.iter_any():
                transfer.add(chunk)
        if transfer.size_bytes < transfer.blob.size_bytes:
            raise BrokenOff(f"{self._http.host} sent too little.", service=SERVICE)

    async def _manifest(self, wanted: str, digest: str | None) -> JsonObject:
        accepted = {"Accept": ", ".join(MEDIA_TYPES)}
        async with self._http.get(f"manifests/{wanted}", accepted) as response:
            if response.status != 200:
                missing = f"{self._http.host} has no such public image."
                raise self._http.refusal(response, missing)
            content = await read_limited(
                response, _MAX_MANIFEST_BYTES, host=self._http.host, service=SERVICE
            )
            told = response.headers.get("Docker-Content-Digest", "")
        promised = [one for one in (digest, told) if one is not None and is_digest(one)]
        if not all(fits(content, one) for one in promised):
            raise UpstreamFailed(
                "The image's manifest is not what its digest promised.", service=SERVICE
            )
        return document(content)


class _Transfer:
    """What has come of a blob so far."""

    def __init__(self, blob: Descriptor, file: BinaryIO, received: Callable[[int], object]):
        self.blob = blob
        self._file = file
        self._received = received
        self._digesting = Digesting(blob.digest)

    @property
    def size_bytes(self) -> int:
        return self._digesting.size_bytes

    def add(self, chunk: bytes) -> None:
        if self.size_bytes + len(chunk) > self.blob.size_bytes:
            raise UpstreamFailed("A part of the image is larger than promised.", service=SERVICE)
        # Written at once: those who download wait for nothing else.
        self._file.write(chunk)
        self._digesting.add(chunk)
        self._received(len(chunk))

    def restart(self) -> None:
        if self.size_bytes:
            self._received(-self.size_bytes)
            self._digesting = Digesting(self.blob.digest)
            self._file.seek(0)
            self._file.truncate()

    def verify(self) -> None:
        if not self._digesting.fits:
            raise UpstreamFailed(
                "A part of the image is not what its digest promised.", service=SERVICE
            )
