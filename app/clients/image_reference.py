"""Names of container images, such as `registry.example/group/name:tag`. Asks nobody anything."""

import re
from dataclasses import dataclass
from typing import Self

from app.errors import InvalidInput

_DEFAULT_TAG = "latest"
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}
# OCI distribution specification 1.1, "Pulling manifests": what names and tags may look like.
_WORD = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    r"(?:(?P<host>(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?)/)?"
    rf"(?P<repository>{_WORD}(?:/{_WORD})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}))?"
)
_MAX_CHARS = 512


@dataclass(frozen=True)
class ImageReference:
    """One image. `host` is None where the name begins with the repository."""

    host: str | None
    repository: str
    tag: str
    digest: str | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `host[:port]/path[:tag][@digest]`. Raises `InvalidInput`."""
        match = _REFERENCE.fullmatch(text) if len(text) <= _MAX_CHARS else None
        if match is None:
            raise InvalidInput(
                f"{text[:_MAX_CHARS]} is not the name of an image, such as"
                " registry.example/group/name:tag (in lower case)."
            )
        host, repository = match["host"], match["repository"]
        # As Docker tells them apart: the first word is a host if it can be nothing else.
        if host is not None and host != "localhost" and not set(".:[") & set(host):
            host, repository = None, f"{host}/{repository}"
        return cls(host, repository, match["tag"] or _DEFAULT_TAG, match["digest"])

    @property
    def registry_url(self) -> str:
        """Address of the registry that the name tells: TLS, unless it is this very machine.

        Raises `InvalidInput` when it tells none.
        """
        if self.host is None:
            raise InvalidInput(f"{self} names no registry; write it as host/{self}.")
        name = self.host if self.host.endswith("]") else self.host.rsplit(":", 1)[0]
        return f"{'http' if name in _LOOPBACK else 'https'}://{self.host}"

    @property
    def wanted(self) -> str:
        """What to ask the registry for: the digest if there is one, else the tag."""
        return self.digest or self.tag

    def __str__(self) -> str:
        host = "" if self.host is None else f"{self.host}/"
        return f"{host}{self.repository}{f'@{self.digest}' if self.digest else f':{self.tag}'}"
