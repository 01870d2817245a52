"""A real container registry for tests, and how images get into it."""

import contextlib
import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp

from tests.databases import free_port
from tests.images import Image, Stored

PROGRAM = "docker-registry"
_START_LIMIT_S = 30.0


def missing_registry() -> str | None:
    """What is missing when there is no registry on this machine."""
    if shutil.which(PROGRAM) is not None:
        return None
    return f"{PROGRAM} not found: it is in Debian's package of that name (.ci/run fetches it)"


class PrivateRegistry:
    """Docker's registry with a folder and a port of its own, on the loopback address."""

    def __init__(self, port: int):
        self.host = f"127.0.0.1:{port}"
        self.url = f"http://{self.host}"

    @classmethod
    @contextlib.contextmanager
    def running(cls) -> Iterator["PrivateRegistry"]:
        """A registry that runs while the block does."""
        port = free_port()
        with tempfile.TemporaryDirectory(prefix="navigator-registry-") as name:
            folder = Path(name)
            settings = {
                "version": "0.1",
                "log": {"level": "warn", "accesslog": {"disabled": True}},
                "storage": {"filesystem": {"rootdirectory": str(folder / "storage")}},
                "http": {"addr": f"127.0.0.1:{port}"},
            }
            # JSON is YAML too.
            (folder / "config.yml").write_text(json.dumps(settings), "utf-8")
            log_file = folder / "log"
            with log_file.open("wb") as log:
                process = subprocess.Popen(
                    [*_ending_with_us(), PROGRAM, "serve", str(folder / "config.yml")],
                    stdout=log,
                    stderr=log,
                )
            try:
                deadline = time.monotonic() + _START_LIMIT_S
                while not _answers(port):
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise RuntimeError(log_file.read_text("utf-8")[-4000:])
                    time.sleep(0.02)
                yield cls(port)
            finally:
                process.kill()
                process.wait()

    async def push(self, repository: str, tag: str, pushed: Image) -> None:
        """Stores an image under the name."""
        async with aiohttp.ClientSession(f"{self.url}/v2/{repository}/") as http:
            for blob in pushed.blobs:
                await _push_blob(http, blob)
            await _push_manifest(http, tag, pushed.manifest)

    async def push_index(self, repository: str, tag: str, index: Stored) -> None:
        """Stores a list of versions; each of them is there already."""
        async with aiohttp.ClientSession(f"{self.url}/v2/{repository}/") as http:
            await _push_manifest(http, tag, index)


async def _push_blob(http: aiohttp.ClientSession, blob: Stored) -> None:
    async with http.post("blobs/uploads/") as response:
        assert response.status == 202, await response.text()
        place = response.headers["Location"]
    async with http.put(
        place,
        params={"digest": blob.digest},
        data=blob.content,
        headers={"Content-Type": "application/octet-stream"},
    ) as response:
        assert response.status == 201, await response.text()


async def _push_manifest(http: aiohttp.ClientSession, tag: str, manifest: Stored) -> None:
    async with http.put(
        f"manifests/{tag}", data=manifest.content, headers={"Content-Type": manifest.media_type}
    ) as response:
        assert response.status == 201, await response.text()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _ending_with_us() -> list[str]:
    # Our own ending is enough unless we are killed; this one is done by the kernel.
    setpriv = shutil.which("setpriv")
    return [] if setpriv is None else [setpriv, "--pdeathsig", "KILL", "--"]
