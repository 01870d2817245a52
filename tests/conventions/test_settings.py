"""Every setting is in the README and in `.env.example`, with its default, in the same order."""

import re
from pathlib import Path

from app.env_files import GENERATED_SECRETS
from app.setting_names import LAUNCHER_NAMES
from app.setting_texts import setting_texts
from app.settings import Settings, setting_names
from tests.conventions.tree import PROJECT

# | `NAME` | unit | `default` or *empty* | meaning |
_ROW = re.compile(r"\| `([A-Z][A-Z0-9_]+)` \| ([^|]+) \| (?:`([^`]+)`|\*empty\*) \| ([^|]+) \|")
_LINE = re.compile(r"#([A-Z][A-Z0-9_]+)=(.*)")


def test_readme_has_every_setting_and_no_other() -> None:
    assert set(_in_readme()) ^ setting_names() == set()


def test_readme_says_of_them_what_the_programs_say() -> None:
    text = (PROJECT / "README.md").read_text("utf-8")
    said = re.findall(r"^(?:### (.+)|(\| `[A-Z][A-Z0-9_]+` .+))$", text, re.MULTILINE)
    rows, section = [], ""
    for title, row in said:
        section = title or section
        if match := _ROW.match(row):
            name, unit, default, meaning = match.groups(default="")
            rows.append((section, name, unit, default, meaning))
    assert rows == [
        (text.section, text.name, text.unit, text.default, text.meaning) for text in setting_texts()
    ]


def test_example_has_every_setting_and_no_other() -> None:
    assert set(_in_example()) ^ setting_names() == set()


def test_readme_and_example_agree_on_defaults_and_order() -> None:
    assert list(_in_readme().items()) == list(_in_example().items())


def test_example_holds_the_defaults(tmp_path: Path) -> None:
    others = {"NAVIGATOR_DATA_DIR", *LAUNCHER_NAMES}
    written = {name: value for name, value in _in_example().items() if name not in others}
    secrets = dict.fromkeys(GENERATED_SECRETS, "0123456789abcdef")
    # Of two names of one setting, pydantic takes the first and calls the second unknown.
    aliases = {"BOT_TOKEN", "ENABLE_LORA_SUPPORT"}
    main = {name: value for name, value in written.items() if name not in aliases}
    other = {name: value for name, value in written.items() if name in aliases}
    expected = Settings.model_validate({**secrets, "data_dir": tmp_path})
    for values in (main, other):
        assert Settings.model_validate({**values, **secrets, "data_dir": tmp_path}) == expected


def test_every_line_of_the_example_is_a_comment() -> None:
    lines = (PROJECT / ".env.example").read_text("utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []


def _in_readme() -> dict[str, str]:
    text = (PROJECT / "README.md").read_text("utf-8")
    return {match[1]: match[3] or "" for match in _ROW.finditer(text)}


def _in_example() -> dict[str, str]:
    lines = (PROJECT / ".env.example").read_text("utf-8").splitlines()
    return {match[1]: match[2] for line in lines if (match := _LINE.fullmatch(line))}
