"""Every setting: its name, unit, default and check. Read once at start, then frozen.

Sources, first match wins: the environment, `<data-dir>/.env`, `./.env`. Entry points hand the
environment over; nothing here reads it.
"""

import logging
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from app.env_files import generate_secrets, read_env_file
from app.errors import SettingsInvalid
from app.setting_types import (
    DatabaseLocation,
    Duration,
    Networks,
    OptionalText,
    Port,
    Switch,
    http_url,
    plain,
    web_origin,
)

log = logging.getLogger(__name__)

# Two names of one setting; the second is the one that counts if both have a value.
ALIASES = {"BOT_TOKEN": "DISCORD_BOT_TOKEN", "ENABLE_LORA_SUPPORT": "ENABLE_LORA_REQUESTS"}
SUCCESSORS = {
    "NAVIGATOR_IGNORE_MIGRATION_MISMATCH": "nothing (a database newer than Navigator is refused)",
}


class Settings(BaseModel):
    """All settings of the server. The upper-case aliases are the names in `.env`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data_dir: Path = Field(exclude=True)
    lan: bool = Field(default=False, exclude=True)

    db_url: OptionalText = Field(None, alias="DB_URL")
    db_host: OptionalText = Field(None, alias="DB_HOST")
    db_port: Port = Field(3306, alias="DB_PORT")
    db_user: str = Field("root", alias="DB_USER")
    db_password: str = Field("", alias="DB_PASSWORD")
    db_name: str = Field("navigator", alias="DB_NAME", min_length=1)

    http_api_host: str = Field("127.0.0.1", alias="HTTP_API_HOST", min_length=1)
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
    job_stall_minutes: float = Field(10, alias="JOB_STALL_MINUTES", gt=0)
    checkpoint_load_minutes: float = Field(30, alias="CHECKPOINT_LOAD_MINUTES", gt=0)
    checkpoint_unload_interval_minutes: int = Field(-1, alias="CHECKPOINT_UNLOAD_INTERVAL", ge=-1)
    job_attempts: int = Field(3, alias="JOB_ATTEMPTS", ge=1, le=100)

    secret_key: str = Field(alias="SECRET_KEY", min_length=16)
    superuser_admin_token: OptionalText = Field(None, alias="SUPERUSER_ADMIN_TOKEN", min_length=8)
    token_expiration_time_s: Duration = Field(14 * 86400.0, alias="TOKEN_EXPIRATION_TIME")
    enable_demo_user: Switch = Field(False, alias="ENABLE_DEMO_USER")

    image_pixel_limit: int = Field(3_686_400, alias="IMAGE_PIXEL_LIMIT", ge=4096, le=268_435_456)
    max_queued_jobs_per_user: int = Field(100, alias="MAX_QUEUED_JOBS_PER_USER", ge=1)
    max_queued_bytes_per_user: int = Field(500_000_000, alias="MAX_QUEUED_BYTES_PER_USER", ge=1)
    thumbnail_cache_mb: int = Field(512, alias="THUMBNAIL_CACHE_MB", ge=0, le=1_000_000)
    allow_legacy_bot_endpoints: Switch = Field(False, alias="ALLOW_LEGACY_BOT_ENDPOINTS")
    legacy_bot_allowed_addresses: Networks = Field((), alias="LEGACY_BOT_ALLOWED_ADDRESSES")

    discord_client_id: OptionalText = Field(None, alias="DISCORD_CLIENT_ID")
    discord_client_secret: OptionalText = Field(None, alias="DISCORD_CLIENT_SECRET")
    discord_redirect_uri: OptionalText = Field(None, alias="DISCORD_REDIRECT_URI")
    discord_bot_token: OptionalText = Field(
        None, validation_alias=AliasChoices("DISCORD_BOT_TOKEN", "BOT_TOKEN")
    )
    enable_lora_requests: Switch = Field(
        True, validation_alias=AliasChoices("ENABLE_LORA_REQUESTS", "ENABLE_LORA_SUPPORT")
    )
    civitai_api_key: OptionalText = Field(None, alias="CIVITAI_API_KEY")
    model_dir: OptionalText = Field(None, alias="MODEL_DIR")
    supports_flux: Switch = Field(False, alias="SUPPORTS_FLUX")
    branch: OptionalText = Field(None, alias="BRANCH")
    commit_sha: OptionalText = Field(None, alias="COMMIT_SHA")

    @field_validator("sd_api_host")
    @classmethod
    def _check_forge_url(cls, value: str) -> str:
        return http_url(value)

    @field_validator("sd_api_base", "public_url")
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
        own = read_env_file(own_file)
        near = read_env_file((working_dir or Path.cwd()) / ".env")
        names = setting_names()
        if unknown := sorted(own.keys() - names - SUCCESSORS.keys()):
            raise SettingsInvalid(f"{own_file}: {unknown[0]} is not a setting of Navigator.")
        for name in sorted(near.keys() - names - SUCCESSORS.keys()):
            log.warning("./.env: %s is not a setting of Navigator, ignored", name)
            del near[name]
        given = {k: v for k, v in environ.items() if k in names | SUCCESSORS.keys()}
        if not given.get("SECRET_KEY", "").strip():
            given.pop("SECRET_KEY", None)  # else the one that we generated would not be kept
        for source in (near, own, given):
            for name in [name for name in _NUMBERS & source.keys() if not source[name].strip()]:
                del source[name]
        merged = _by_first_names(near) | _by_first_names(own) | _by_first_names(given)
        for name in sorted(merged.keys() & SUCCESSORS.keys()):
            log.warning("%s has no effect any more; its successor: %s", name, SUCCESSORS[name])
            del merged[name]
        merged.pop("NAVIGATOR_DATA_DIR", None)
        try:
            merged |= generate_secrets(own_file, merged)
        except OSError as error:
            raise SettingsInvalid(
                f"NAVIGATOR_DATA_DIR: {own_file} cannot be written ({error.strerror})."
            ) from error
        try:
            return cls.model_validate({**merged, **(overrides or {}), "data_dir": folder})
        except ValidationError as error:
            raise SettingsInvalid(_sentence(error)) from error


# An empty text can mean something, and an empty switch is off; an empty number is none at all.
_NUMBERS = frozenset(
    str(field.alias)
    for field in Settings.model_fields.values()
    if field.annotation in {int, float, float | None}
)


def setting_names() -> frozenset[str]:
    """Every name that may stand in a `.env` file."""
    names = {"NAVIGATOR_DATA_DIR"}
    for field in Settings.model_fields.values():
        if field.alias is not None:
            names.add(field.alias)
        elif isinstance(field.validation_alias, AliasChoices):
            names.update(str(choice) for choice in field.validation_alias.choices)
    return frozenset(names)


def data_dir_of(environ: Mapping[str, str], working_dir: Path | None = None) -> Path:
    """The data folder when the command line names none."""
    name = "NAVIGATOR_DATA_DIR"
    named = environ.get(name) or read_env_file((working_dir or Path.cwd()) / ".env").get(name, "")
    named = named.strip()
    return Path(named) if named else user_data_path("navigator", appauthor=False)


def _by_first_names(values: Mapping[str, str]) -> dict[str, str]:
    """The values with one name for each setting."""
    named = {name: value for name, value in values.items() if name not in ALIASES}
    for name, first in ALIASES.items():
        if name in values and not named.get(first, "").strip():
            named[first] = values[name]
    return named


def _sentence(error: ValidationError) -> str:
    sentences = []
    for problem in error.errors(include_url=False, include_input=False):
        name = str(problem["loc"][0]) if problem["loc"] else "settings"
        reason = problem["msg"].removeprefix("Value error, ")
        sentences.append(f"{name}: {reason[0].lower()}{reason[1:]}")
    return "; ".join(sentences) + "."
