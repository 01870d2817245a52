"""The latest preview of each recent job, in memory only, bounded."""

import base64
from collections import OrderedDict

# One transparent pixel as PNG. Clients load a preview with each progress event, and show a broken
# picture where there is none; Forge makes one every ten steps only.
BLANK = base64.b64decode(
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNgYAAAAAMAASsJTYQAAAAASUVORK5CYII="
)

_MAX_PREVIEWS = 64
_MAX_BYTES = 32 * 1024 * 1024


class Previews:
    """Keeps the newest preview per job; the ones not touched for longest go first."""

    def __init__(self, *, max_previews: int = _MAX_PREVIEWS, max_bytes: int = _MAX_BYTES):
        self._max_previews = max_previews
        self._max_bytes = max_bytes
        self._previews: OrderedDict[str, bytes] = OrderedDict()
        self._size_bytes = 0

    def put(self, job_id: str, image: bytes) -> None:
        """Replaces the job's preview."""
        self.discard(job_id)
        self._previews[job_id] = image
        self._size_bytes += len(image)
        while len(self._previews) > self._max_previews or self._size_bytes > self._max_bytes:
            _, oldest = self._previews.popitem(last=False)
            self._size_bytes -= len(oldest)

    def get(self, job_id: str) -> bytes | None:
        """The job's latest preview as Forge gave it, or None."""
        return self._previews.get(job_id)

    def discard(self, job_id: str) -> None:
        """Forgets the job's preview, if there is one."""
        self._size_bytes -= len(self._previews.pop(job_id, b""))
