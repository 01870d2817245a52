"""Every setting as people see it, from `setting_texts.toml`, which the README repeats."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("setting_texts.toml")


@dataclass(frozen=True)
class SettingText:
    """What is said of a setting.

    `default` is empty for none, `meaning` is Markdown; `is_secret`: its value is shown to nobody.
    """

    section: str
    name: str
    unit: str
    default: str
    meaning: str
    is_secret: bool = False


def setting_texts() -> tuple[SettingText, ...]:
    """All of them, in the order of the README. Blocks for a moment."""
    told = tomllib.loads(_FILE.read_text("utf-8"))
    return tuple(
        SettingText(section["title"], **setting)
        for section in told["section"]
        for setting in section["setting"]
    )
