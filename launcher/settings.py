"""The launcher's settings, from the same places as the server's, which reads its own.

Sources, first match wins: the environment, `<data-dir>/.env`, `./.env`. Entry points hand the
environment over; nothing here reads it.
"""

import ipaddress
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from dotenv import dotenv_values
from platformdirs import user_data_path

from launcher.errors import SettingsInvalid
from launcher.restart_policy import RestartPolicy

FORGE_PORT = 7860
SIMULATOR = "simulator"  # instead of a folder in FORGE_DIR
NAMES = frozenset({"FORGE_DIR", "FORGE_RAM_LIMIT", "FORGE_START_MINUTES", "RESTART_LIMIT"})
_GIGABYTE = 1_000_000_000
_SECRET_NAMES = ("SECRET", "TOKEN", "KEY", "PASSWORD", "AUTH", "WEBHOOK", "DB_URL")
_WITHIN_S = 60.0


@dataclass(frozen=True)
class ForgeAddress:
    """Where Forge's API is. `auth` is `user:password`, None for an open one.

    `is_bound`: its owner's flags bind Forge to this address of the machine's own.
    """

    host: str
    port: int
    auth: str | None = field(default=None, repr=False)
    scheme: str = "http"
    is_bound: bool = False

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine. Blocks for a moment."""
        return self.is_bound or _is_own(self.host) or _is_this_machine(self.host)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The login, and its password alone, which Forge writes in many ways."""
        return () if self.auth is None else (self.auth, self.auth.partition(":")[2])

    @property
    def url(self) -> str:
        """Its origin."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True)
class LauncherSettings:
    """All that the launcher is told.

    `is_simulated`: the owner wants a Forge that only pretends. `forge` is where `SD_API_HOST` says
    that Forge is, None if it says nothing; `forge_auth` is `SD_API_AUTH`. `is_shared`: others can
    reach Navigator by its own settings. `told` are all settings as texts, `secrets` those that
    must not get into a log.
    """

    data_dir: Path
    forge_dir: Path | None
    is_simulated: bool
    forge: ForgeAddress | None
    forge_auth: str | None = field(repr=False)
    is_shared: bool
    forge_ram_limit_bytes: int | None
    forge_silence_s: float
    policy: RestartPolicy
    secrets: tuple[str, ...] = field(repr=False)
    told: Mapping[str, str] = field(repr=False)

    @property
    def env_file(self) -> Path:
        """The owner's own settings."""
        return self.data_dir / ".env"

    @property
    def log_dir(self) -> Path:
        """Where the logs of all services are."""
        return self.data_dir / "logs"

    @classmethod
    def load(
        cls,
        environ: Mapping[str, str],
        *,
        data_dir: Path | None = None,
        forge_dir: Path | None = None,
        working_dir: Path | None = None,
        own_file: Path | None = None,
    ) -> "LauncherSettings":
        """Reads and checks them. What is given here wins. Raises `SettingsInvalid`.

        `own_file` is read instead of the `.env` in the data folder.
        """
        near = _read(working_dir or Path.cwd(), ".env")
        named = environ.get("NAVIGATOR_DATA_DIR") or near.get("NAVIGATOR_DATA_DIR", "")
        folder = data_dir or (
            Path(named.strip()) if named.strip() else user_data_path("navigator", appauthor=False)
        )
        folder = folder.absolute()
        own = own_file or folder / ".env"
        told = {**near, **_read(own.parent, own.name), **environ}
        forge_named = told.get("FORGE_DIR", "").strip()
        is_simulated = forge_dir is None and forge_named == SIMULATOR
        if forge_dir is None and forge_named and not is_simulated:
            forge_dir = Path(forge_named).expanduser()
        auth = told.get("SD_API_AUTH", "").strip() or None
        limit_gb = _number(told, "FORGE_RAM_LIMIT", 0, lowest=0)
        return cls(
            data_dir=folder,
            is_simulated=is_simulated,
            forge_dir=forge_dir and forge_dir.absolute(),
            forge_auth=auth,
            forge=_address(told.get("SD_API_HOST", "").strip(), auth),
            is_shared=not _is_own(told.get("HTTP_API_HOST", "").strip() or "127.0.0.1"),
            forge_ram_limit_bytes=int(limit_gb * _GIGABYTE) or None,
            forge_silence_s=60 * _number(told, "FORGE_START_MINUTES", 15, lowest=0.1),
            policy=RestartPolicy(
                limit=int(_number(told, "RESTART_LIMIT", 4, lowest=0)), within_s=_WITHIN_S
            ),
            secrets=_secrets(told),
            told=told,
        )


def bare(environ: Mapping[str, str], data_dir: Path | None) -> LauncherSettings:
    """What holds when nothing is said: for whoever has to mend settings that cannot be read."""
    named = {name: environ[name] for name in ("NAVIGATOR_DATA_DIR",) if name in environ}
    nowhere = Path(os.devnull)
    return LauncherSettings.load(
        named, data_dir=data_dir, working_dir=nowhere, own_file=nowhere / ".env"
    )


def _is_own(host: str) -> bool:
    """Whether it is the loopback address, which nobody else reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_this_machine(host: str) -> bool:
    """Whether it is another of its addresses, or its name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower() in {socket.gethostname().lower(), socket.getfqdn().lower()}
    found = {one.address for told in psutil.net_if_addrs().values() for one in told}
    return address.is_unspecified or host in found


def _read(folder: Path, name: str) -> dict[str, str]:
    path = folder / name
    if not path.is_file():
        return {}
    try:
        values = dotenv_values(path, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{path} cannot be read as UTF-8 text: {error}.") from error
    return {name: value or "" for name, value in values.items()}


def _number(told: Mapping[str, str], name: str, default: float, *, lowest: float) -> float:
    text = told.get(name, "").strip()
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not lowest <= number < 1e9:  # also false for what is no number
        raise SettingsInvalid(f"{name}: must be a number from {lowest:g} on, not {text}.")
    return number


def _address(text: str, auth: str | None) -> ForgeAddress | None:
    """That of `SD_API_HOST`, which the server checks in full."""
    if not text:
        return None
    try:
        parts = urlsplit(text)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in {"http", "https"} or host is None:
        raise SettingsInvalid(f"SD_API_HOST: {text} is not a web address.")
    return ForgeAddress(host, port or (443 if scheme == "https" else 80), auth, scheme)


def _secrets(told: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        value.strip()
        for name, value in told.items()
        if value.strip() and any(word in name.upper() for word in _SECRET_NAMES)
    )
