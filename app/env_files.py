"""`.env` files: how they are read, and the secrets that are generated into the owner's."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from app.errors import SettingsInvalid
from app.files import write_flushed

GENERATED_SECRETS = ("SECRET_KEY", "SUPERUSER_ADMIN_TOKEN")


def read_env_file(path: Path) -> dict[str, str]:
    """What stands in the file; nothing when there is none.

    Raises `SettingsInvalid` when it cannot be read.
    """
    if not path.is_file():
        return {}
    try:
        values = dotenv_values(path, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{path} cannot be read as UTF-8 text: {error}.") from error
    return {name: value or "" for name, value in values.items()}


def generate_secrets(own_file: Path, present: Mapping[str, str]) -> dict[str, str]:
    """Makes the secrets that are not `present`, and writes them into the file; gives them.

    Raises OSError.
    """
    missing = {name: secrets.token_hex(32) for name in GENERATED_SECRETS if name not in present}
    if "SECRET_KEY" in present and not present["SECRET_KEY"].strip():
        missing["SECRET_KEY"] = secrets.token_hex(32)
    if missing:
        text = own_file.read_text("utf-8") if own_file.exists() else ""
        if text and not text.endswith("\n"):
            text += "\n"
        kept = [line for line in text.splitlines() if line.partition("=")[0].strip() not in missing]
        kept += [f"{name}={value}" for name, value in missing.items()]
        # Flushed: everybody would be logged out if a power cut took the secret back.
        write_flushed(own_file, ("\n".join(kept) + "\n").encode(), private=True)
    return missing
