"""Every setting: its name, unit, default and check. Read once at start, then frozen.

Sources, first match wins: the environment, `<data-dir>/.env`, `./.env`. Entry points hand the
environment over; nothing here reads it.
"""

import socket
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import (
    AliasChoices,
    Field,
    ValidationError,
    field_validator,
)

from app.env_files import GENERATED_SECRETS, generate_secrets, read_env_file
from app.errors import SettingsInvalid
from app.library_settings import LibrarySettings
from app.setting_names import LAUNCHER_NAMES, LAUNCHER_TOKEN, problems_of, sentence
from app.setting_sources import merged
from app.setting_types import (
    DatabaseLocation,
    Duration,
    HostName,
    Networks,
    OptionalText,
    Port,
    Switch,
    http_url,
    plain,
    web_origin,
)


class Settings(LibrarySettings):
    """All settings of the server. The upper-case aliases are the names in `.env`."""

    data_dir: Path = Field(exclude=True)
    lan: bool = Field(default=False, exclude=True)

    db_url: OptionalText = Field(None, alias="DB_URL")
    db_host: OptionalText = Field(None, alias="DB_HOST")
    db_port: Port = Field(3306, alias="DB_PORT")
    db_user: str = Field("root", alias="DB_USER")
    db_password: str = Field("", alias="DB_PASSWORD")
    db_name: str = Field("navigator", alias="DB_NAME", min_length=1)

    http_api_host: HostName = Field("127.0.0.1", alias="HTTP_API_HOST")
    http_api_port: Port = Field(3333, alias="HTTP_API_PORT")
    rt_api_port: Port = Field(3334, alias="RT_API_PORT")
    public_url: OptionalText = Field(None, alias="PUBLIC_URL")
    trusted_proxies: Networks = Field((), alias="TRUSTED_PROXIES")
    compass_dir: OptionalText = Field(None, alias="COMPASS_DIR")

    sd_api_host: str = Field("http://localhost:7860/sdapi/v1", alias="SD_API_HOST")
    sd_api_base: OptionalText = Field(None, alias="SD_API_BASE")
    sd_api_auth: OptionalText = Field(None, alias="SD_API_AUTH")
    job_progress_check_interval_ms: int = Field(
        2500, alias="JOB_PROGRESS_CHECK_INTERVAL", ge=50, le=60_000
    )
    job_stall_minutes: float = Field(10, alias="JOB_STALL_MINUTES", gt=0, le=525_600)
    checkpoint_load_minutes: float = Field(30, alias="CHECKPOINT_LOAD_MINUTES", gt=0, le=525_600)
    checkpoint_unload_interval_minutes: int = Field(
        -1, alias="CHECKPOINT_UNLOAD_INTERVAL", ge=-1, le=525_600
    )
    job_attempts: int = Field(3, alias="JOB_ATTEMPTS", ge=1, le=100)

    secret_key: str = Field(alias="SECRET_KEY", min_length=16)
    superuser_admin_token: OptionalText = Field(None, alias="SUPERUSER_ADMIN_TOKEN", min_length=8)
    launcher_token: OptionalText = Field(None, exclude=True)
    token_expiration_time_s: Duration = Field(14 * 86400.0, alias="TOKEN_EXPIRATION_TIME")
    local_token_expiration_time_s: Duration = Field(None, alias="LOCAL_TOKEN_EXPIRATION_TIME")
    enable_demo_user: Switch = Field(False, alias="ENABLE_DEMO_USER")
    public_image_links: Switch = Field(True, alias="PUBLIC_IMAGE_LINKS")
    notify_webhook_url: OptionalText = Field(None, alias="NOTIFY_WEBHOOK_URL")

    image_pixel_limit: int = Field(3_686_400, alias="IMAGE_PIXEL_LIMIT", ge=4096, le=268_435_456)
    max_queued_jobs_per_user: int = Field(100, alias="MAX_QUEUED_JOBS_PER_USER", ge=1)
    max_queued_bytes_per_user: int = Field(500_000_000, alias="MAX_QUEUED_BYTES_PER_USER", ge=1)
    thumbnail_cache_mb: int = Field(512, alias="THUMBNAIL_CACHE_MB", ge=0, le=1_000_000)
    allow_legacy_bot_endpoints: Switch = Field(False, alias="ALLOW_LEGACY_BOT_ENDPOINTS")
    legacy_bot_allowed_addresses: Networks = Field((), alias="LEGACY_BOT_ALLOWED_ADDRESSES")

    discord_api_base: str = Field("https://discord.com/api/v10", alias="DISCORD_API_BASE")
    discord_client_id: OptionalText = Field(None, alias="DISCORD_CLIENT_ID")
    discord_client_secret: OptionalText = Field(None, alias="DISCORD_CLIENT_SECRET")
    discord_redirect_uri: OptionalText = Field(None, alias="DISCORD_REDIRECT_URI")
    discord_bot_token: OptionalText = Field(
        None, validation_alias=AliasChoices("DISCORD_BOT_TOKEN", "BOT_TOKEN")
    )
    branch: OptionalText = Field(None, alias="BRANCH")
    commit_sha: OptionalText = Field(None, alias="COMMIT_SHA")

    @field_validator("sd_api_host", "discord_api_base")
    @classmethod
    def _check_api_url(cls, value: str) -> str:
        return http_url(value)

    @field_validator("sd_api_base", "public_url", "notify_webhook_url")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        return None if value is None else http_url(value)

    @field_validator("public_url")
    @classmethod
    def _check_origin(cls, value: str | None) -> str | None:
        if value is not None:
            web_origin(value)
        return value

    @field_validator("discord_client_id", "discord_redirect_uri")
    @classmethod
    def _check_plain(cls, value: str | None) -> str | None:
        return None if value is None else plain(value.strip())

    @field_validator("sd_api_auth")
    @classmethod
    def _check_auth(cls, value: str | None) -> str | None:
        if value is not None and ":" not in value:
            raise ValueError("must be user:password")
        return value

    @field_validator("db_url")
    @classmethod
    def _check_db_url(cls, value: str | None) -> str | None:
        if value is not None:
            DatabaseLocation.of_url(value)
        return value

    @property
    def forge_url(self) -> str:
        """Forge's origin, without `/sdapi/v1`."""
        if self.sd_api_base is not None:
            return self.sd_api_base
        parts = urlsplit(self.sd_api_host)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def checkpoint_unload_interval(self) -> timedelta | None:
        """How long nobody must have drawn. None: never, as 0 always was [contract, section 5]."""
        minutes = self.checkpoint_unload_interval_minutes
        return timedelta(minutes=minutes) if minutes > 0 else None

    @property
    def compass_folder(self) -> Path:
        """The folder with Compass as it was built; it may not be there."""
        return Path(self.compass_dir) if self.compass_dir is not None else self.data_dir / "compass"

    @property
    def database(self) -> DatabaseLocation:
        """The database that `DB_URL`, or `DB_HOST` and its kin, or neither of them names."""
        if self.db_url is not None:
            return DatabaseLocation.of_url(self.db_url)
        if self.db_host is not None:
            return DatabaseLocation(
                "mysql",
                host=self.db_host,
                port=self.db_port,
                user=self.db_user,
                password=self.db_password,
                name=self.db_name,
            )
        return DatabaseLocation("sqlite", path=self.data_dir / "navigator.sqlite3")

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must never be seen, for instance in a log."""
        values = (
            self.secret_key,
            self.superuser_admin_token,
            self.launcher_token,
            self.notify_webhook_url,
            self.db_password,
            self.database.password,
            self.sd_api_auth,
            self.discord_client_secret,
            self.discord_bot_token,
            self.civitai_api_key,
        )
        return tuple(value for value in values if value)

    @property
    def bind_host(self) -> str:
        """The address to listen on; `::` is every interface, over IPv4 too."""
        if not self.lan:
            return self.http_api_host
        return "::" if socket.has_dualstack_ipv6() else "0.0.0.0"  # noqa: S104 - asked for by --lan

    @property
    def is_shared(self) -> bool:
        """Whether other machines can reach us."""
        try:
            return not ip_address(self.bind_host).is_loopback
        except ValueError:  # a name
            return self.bind_host != "localhost"

    @classmethod
    def load(
        cls,
        environ: Mapping[str, str],
        *,
        data_dir: Path | None = None,
        working_dir: Path | None = None,
        overrides: Mapping[str, Any] | None = None,
    ) -> Self:
        """Reads, checks and freezes all settings; makes the data folder and missing secrets.

        `overrides` (by upper-case name, or `lan`) come from the command line and win. Raises
        `SettingsInvalid`, naming the setting and what is wrong.
        """
        folder = data_dir or data_dir_of(environ, working_dir)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsInvalid(
                f"NAVIGATOR_DATA_DIR: the folder {folder} cannot be made ({error.strerror})."
            ) from error
        own_file = folder / ".env"
        values = _merged(own_file, environ, working_dir)
        try:
            values |= generate_secrets(own_file, values)
        except OSError as error:
            raise SettingsInvalid(
                f"NAVIGATOR_DATA_DIR: {own_file} cannot be written ({error.strerror})."
            ) from error
        token = environ.get(LAUNCHER_TOKEN)
        return cls._checked(
            {**values, **(overrides or {}), "data_dir": folder, "launcher_token": token}
        )

    @classmethod
    def check(
        cls,
        environ: Mapping[str, str],
        *,
        own_file: Path,
        data_dir: Path,
        working_dir: Path | None = None,
    ) -> None:
        """Checks what would hold with `own_file` as the owner's; makes and writes nothing.

        Raises as `load`.
        """
        values = _merged(own_file, environ, working_dir)
        for name in GENERATED_SECRETS:
            if not values.get(name, "").strip():
                values[name] = "made at the next start"
        cls._checked({**values, "data_dir": data_dir})

    @classmethod
    def _checked(cls, values: Mapping[str, Any]) -> Self:
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = problems_of(error)
            raise SettingsInvalid(sentence(problems), by_name=problems) from error


# An empty text can mean something, and an empty switch is off; an empty number is none at all.
_NUMBERS = frozenset(
    str(field.alias)
    for field in Settings.model_fields.values()
    if field.annotation in {int, float, float | None}
)


def _merged(own_file: Path, environ: Mapping[str, str], working_dir: Path | None) -> dict[str, str]:
    near_file = (working_dir or Path.cwd()) / ".env"
    return merged(own_file, near_file, environ, names=setting_names(), numbers=_NUMBERS)


def setting_names() -> frozenset[str]:
    """Every name that may stand in a `.env` file."""
    names = {"NAVIGATOR_DATA_DIR", *LAUNCHER_NAMES}
    for field in Settings.model_fields.values():
        if field.alias is not None:
            names.add(field.alias)
        elif isinstance(field.validation_alias, AliasChoices):
            names.update(str(choice) for choice in field.validation_alias.choices)
    return frozenset(names)


def unset_when_empty() -> frozenset[str]:
    """Settings for which nothing is no value."""
    return _NUMBERS | {"SECRET_KEY"}


def data_dir_of(environ: Mapping[str, str], working_dir: Path | None = None) -> Path:
    """The data folder when the command line names none."""
    name = "NAVIGATOR_DATA_DIR"
    named = environ.get(name) or read_env_file((working_dir or Path.cwd()) / ".env").get(name, "")
    named = named.strip()
    return Path(named) if named else user_data_path("navigator", appauthor=False)
