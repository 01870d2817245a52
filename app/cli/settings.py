"""`navigator settings`: what holds, where it comes from, and whether it is possible."""

import os
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from app.cli.options import common
from app.cli.printing import show, show_json, table
from app.cli.running import exits
from app.env_files import read_env_file
from app.errors import SettingsInvalid
from app.setting_texts import SettingText, setting_texts

_HIDDEN = "(hidden)"
_LOGIN = re.compile(r"(?<=:)//[^/@\s]+@")  # in a web address


@click.group()
def settings() -> None:
    """Show the settings, or check them without starting anything."""


@settings.command("list")
@common
def list_(*, data_dir: Path | None, as_json: bool) -> None:
    """List every setting, what holds now and who says so. Secrets are not shown."""
    from app.setting_names import SUCCESSORS
    from app.settings import data_dir_of, setting_names, unset_when_empty

    with exits():
        folder = data_dir or data_dir_of(os.environ)
        sources = {
            "environment": dict(os.environ),
            "data folder": read_env_file(folder / ".env"),
            "./.env": read_env_file(Path.cwd() / ".env"),
        }
        says_nothing = unset_when_empty()
        for said in sources.values():
            for name in [name for name in said if name in says_nothing and not said[name].strip()]:
                del said[name]
        rows = [_row(text, sources) for text in setting_texts()]
        if as_json:
            unknown = sorted(sources["data folder"].keys() - setting_names() - SUCCESSORS.keys())
            told = {"env_file": str(folder / ".env"), "settings": rows, "unknown": unknown}
            show_json(told)
            return
        show(f"The settings of the data folder are in {folder / '.env'}\n")
        show(table(("NAME", "VALUE", "SAID BY"), [_cells(row) for row in rows]))


@settings.command()
@common
@click.option(
    "--env-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Check this file instead of the one in the data folder.",
)
def check(*, data_dir: Path | None, as_json: bool, env_file: Path | None) -> None:
    """Say whether Navigator could start with the settings; exit code 78 if not."""
    from app.settings import Settings, data_dir_of

    with exits():
        folder = data_dir or data_dir_of(os.environ)
        own_file = env_file or folder / ".env"
        try:
            Settings.check(os.environ, own_file=own_file, data_dir=folder)
        except SettingsInvalid as error:
            if as_json:
                show_json({"valid": False, "problem": error.message, "problems": error.by_name})
            raise
        if as_json:
            show_json({"valid": True, "problem": None, "problems": {}})
        else:
            show("All settings are possible.")


def _row(text: SettingText, sources: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """A setting, with the first source that has it; `value` is None for a secret."""
    said_by = next((name for name, said in sources.items() if text.name in said), None)
    value = sources[said_by][text.name] if said_by is not None else text.default
    shown = None if text.is_secret else _LOGIN.sub("//…@", value)
    return {**asdict(text), "value": shown, "is_set": bool(value), "said_by": said_by}


def _cells(row: Mapping[str, Any]) -> tuple[str, str | None, str | None]:
    value = row["value"] if not row["is_secret"] else (_HIDDEN if row["is_set"] else None)
    return row["name"], value, row["said_by"]
