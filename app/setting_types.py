"""What values of settings look like: switches, durations, addresses, databases. Reads nothing."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import quote, unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

_WINDOWS_DRIVE = re.compile(r"^/(?=[A-Za-z]:[/\\])")  # the slash in sqlite:///C:/folder
_TEXTS_FOR_OFF = {"", "0", "false", "no", "off"}
_TEXTS_FOR_ON = {"1", "true", "yes", "on"}
_SECONDS_PER_UNIT = {
    "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31557600,
}  # fmt: skip


def _switch(value: object) -> object:
    if isinstance(value, str):
        text = value.strip().lower()
        if text in _TEXTS_FOR_OFF:
            return False
        if text in _TEXTS_FOR_ON:
            return True
    return value


def _optional(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def duration_s(value: object) -> object:
    """Seconds of a duration in the format of the npm package `ms` ("14d", "72h", "500" = 500 ms).

    -1, also as text, means "never" and gives None.
    """
    text = str(value).strip().lower()
    if text == "-1":
        return None
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = text[len(digits) :].strip() or "ms"
    unit = {"sec": "s", "min": "m", "hr": "h", "hrs": "h", "hour": "h", "hours": "h",
            "day": "d", "days": "d", "week": "w", "weeks": "w"}.get(unit, unit)  # fmt: skip
    try:
        seconds = float(digits) * _SECONDS_PER_UNIT[unit]
    except (ValueError, KeyError) as error:
        raise ValueError('must be a duration such as "14d", "72h" or "-1" for never') from error
    if not 0 < seconds < 1e10:
        raise ValueError("must be longer than nothing")
    return seconds


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(
        ip_network(part.strip(), strict=False) for part in value.split(",") if part.strip()
    )


def http_url(value: str) -> str:
    parts = urlsplit(value.strip())
    is_whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    if not is_whole or any(character.isspace() for character in value.strip()):
        raise ValueError("must be an address such as http://localhost:7860")
    return value.strip().rstrip("/")


def _http_urls(value: object) -> object:
    """The addresses of APIs that a text names, with commas; each once, none with a password."""
    if not isinstance(value, str):
        return value
    urls = dict.fromkeys(http_url(part) for part in value.split(",") if part.strip())
    if not urls:
        raise ValueError("must name at least one address such as https://civitai.com/api/v1")
    if any(set("@?#") & set(url) for url in urls):
        raise ValueError("may hold neither a user, nor a query: only addresses with commas")
    return tuple(urls)


def _host_name(value: str) -> str:
    if re.fullmatch(r"[\w.:%-]+", value.strip()) is None:
        raise ValueError("must be an address or the name of a computer, such as 127.0.0.1")
    return value.strip()


def is_plain(value: str) -> bool:
    """Whether a text may be written into a script or a page: there it cannot end anything."""
    return re.fullmatch(r"[A-Za-z0-9.:/\[\]_-]*", value) is not None


def plain(value: str) -> str:
    """`value`, if it is plain. Raises ValueError when it is not."""
    if not is_plain(value):
        raise ValueError("may hold letters, digits and .:/[]_- only: it is written into pages")
    return value


def web_origin(url: str) -> str:
    """`scheme://host[:port]` of an http address: lower case, punycode, no default port.

    Raises ValueError when there is none.
    """
    parts = urlsplit(http_url(url).lower())
    host = parts.hostname or ""
    try:
        host = f"[{host}]" if ":" in host else host.encode("idna").decode()
    except UnicodeError as error:
        raise ValueError("must be an address such as https://navigator.example.org") from error
    default_port = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in {None, default_port} else f":{parts.port}"
    return plain(f"{parts.scheme}://{host}{port}")


Switch = Annotated[bool, BeforeValidator(_switch)]
OptionalText = Annotated[str | None, BeforeValidator(_optional)]
HostName = Annotated[str, AfterValidator(_host_name)]
Port = Annotated[int, Field(ge=0, le=65535)]
Duration = Annotated[float | None, BeforeValidator(duration_s)]
HttpUrls = Annotated[tuple[str, ...], BeforeValidator(_http_urls)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)]


@dataclass(frozen=True)
class DatabaseLocation:
    """Where the database is: a SQLite file, or a MySQL/MariaDB server."""

    dialect: Literal["sqlite", "mysql"]
    path: Path | None = None
    host: str = ""
    port: int = 3306
    user: str = ""
    password: str = ""
    name: str = ""

    def __str__(self) -> str:
        """Names it for people, without the password."""
        if self.dialect == "sqlite":
            return f"sqlite://{self.path}"
        return f"mysql://{quote(self.user)}@{self.host}:{self.port}/{self.name}"

    @classmethod
    def of_url(cls, url: str) -> Self:
        """Reads `sqlite:///absolute/or/./relative/path` or `mysql://user:password@host:port/name`.

        Raises ValueError when it is neither.
        """
        parts = urlsplit(url)
        if parts.scheme == "sqlite" and (parts.netloc or parts.path):
            path = unquote(parts.netloc + parts.path)
            if path.strip("/") == ":memory:":
                raise ValueError("must name a file: in memory, nothing would outlive Navigator")
            return cls("sqlite", path=Path(_WINDOWS_DRIVE.sub("", path)))
        name = unquote(parts.path.strip("/"))
        if parts.scheme not in {"mysql", "mariadb"} or not parts.hostname or not name:
            raise ValueError("must be sqlite://path or mysql://user:password@host:port/name")
        return cls(
            "mysql",
            host=parts.hostname,
            port=parts.port or 3306,
            user=unquote(parts.username or "root"),
            password=unquote(parts.password or ""),
            name=name,
        )
