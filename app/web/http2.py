"""HTTP/2 without TLS, which Hypercorn speaks to whoever begins with its preface.

Hypercorn 0.18 forgets to time such a connection until its first request has ended, so that a few
bytes would hold one for ever. It offers no setting for that, and none against HTTP/2 either.
"""

import hypercorn.protocol
from hypercorn.events import Updated
from hypercorn.protocol.h2 import H2Protocol


class TimedHttp2(H2Protocol):
    """As Hypercorn's, but idle from its beginning: it ends after `keep_alive_timeout`."""

    async def initiate(
        self, headers: list[tuple[bytes, bytes]] | None = None, settings: bytes | None = None
    ) -> None:
        """Begins the connection; with `headers` it begins with a request."""
        await super().initiate(headers, settings)
        if headers is None:
            await self.send(Updated(idle=True))


def install() -> None:
    """Makes every Hypercorn of this process use it."""
    hypercorn.protocol.H2Protocol = TimedHttp2  # type: ignore[attr-defined]
