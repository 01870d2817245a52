"""Tests of `launcher/first_run.py`."""

from pathlib import Path

import pytest

from launcher.first_run import Answers, answers_of, defaults, form, problems
from tests.fakes.forge_install import FakeForge


def test_enter_alone_takes_the_forge_that_was_found_or_the_simulator() -> None:
    assert defaults(Path("/forge"), {}, is_shared=False) == Answers("/forge")
    assert defaults(None, {}, is_shared=False) == Answers("simulator")
    told = {"FORGE_DIR": "/mine", "CIVITAI_API_KEY": "key", "DISCORD_CLIENT_ID": "5"}
    again = defaults(Path("/forge"), told, is_shared=True)
    assert (again.forge, again.is_shared, again.discord_id) == ("/mine", True, "5")
    assert again.changes(told) == {}  # also of what the environment says nothing is written


def test_form_becomes_answers_and_settings() -> None:
    sent = {"forge": " /f ", "sharing": "lan", "civitai_key": "k", "compass": "on"}
    answers = answers_of(sent)
    assert answers == Answers("/f", is_shared=True, civitai_key="k")
    assert "'k'" not in repr(answers)
    assert answers.changes({}) == {"FORGE_DIR": "/f", "CIVITAI_API_KEY": "k"}
    told = {"FORGE_DIR": "/f", "DISCORD_CLIENT_ID": "5", "DISCORD_CLIENT_SECRET": "x"}
    assert answers.changes(told) == {"CIVITAI_API_KEY": "k", "DISCORD_CLIENT_ID": None}
    assert answers_of({}) == Answers("simulator", installs_compass=False)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"forge": "/nowhere"}, "forge"),
        ({"forge": "a\0b"}, "forge"),
        ({"civitai_key": "x" * 501}, "civitai_key"),
        ({"discord_id": "abc", "discord_secret": "x"}, "discord_id"),
        ({"discord_id": "5"}, "discord_secret"),
        ({"discord_secret": "x"}, "discord_secret"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, str], field: str) -> None:
    assert list(problems(answers_of(changes), {}, {})) == [field]


def test_good_answers_have_no_problems(tmp_path: Path) -> None:
    install = FakeForge(tmp_path / "forge")
    assert problems(Answers(str(install.root)), {}, {}) == {}
    assert problems(Answers("simulator", discord_id="5", discord_secret="x"), {}, {}) == {}
    told = {"DISCORD_CLIENT_SECRET": "x"}
    assert problems(Answers("simulator", discord_id="5"), {}, told) == {}
    assert problems(Answers("simulator"), {}, told) == {}  # Discord is not wanted any more


def test_page_shows_what_holds_and_what_is_wrong() -> None:
    answers = Answers('/a"><script>', is_shared=True, civitai_key="k", installs_compass=False)
    page = form(
        answers, {"forge": "It is <not> there."}, {"CIVITAI_API_KEY": "k"}, forge_was_found=False
    )
    assert "<script" not in page
    assert "It is &lt;not&gt; there." in page
    assert 'value="lan" checked' in page
    assert 'value="on" checked' not in page
    assert 'value="k"' not in page
    assert page.count("It is set; leave this empty to keep it.") == 1
    bare = form(Answers("simulator"), {}, {}, forge_was_found=False)
    assert "No Forge was found" in bare
    assert 'value="own" checked' in bare
    assert "<button autofocus>" in bare
