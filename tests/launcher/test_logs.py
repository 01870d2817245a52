"""Tests of `launcher/logs.py`."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher import logs
from launcher.instance import FolderRefused


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Logging of the tests' own."""
    root = logging.getLogger()
    handlers, level, raises = list(root.handlers), root.level, logging.raiseExceptions
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raises


def test_lines_go_to_the_terminal_and_to_a_file_without_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(tmp_path / "logs", secrets=["topsecret"])
    logging.getLogger("launcher.x").warning("it is %s", "topsecret")
    logs.echo("forge", "Startup time")
    assert capsys.readouterr().err == "[launcher] it is ***\n[forge] Startup time\n"
    assert (tmp_path / "logs" / "launcher.log").read_text().endswith("WARNING it is ***\n")


def test_terminal_that_has_gone_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = (tmp_path / "terminal").open("w")
    gone.close()
    monkeypatch.setattr("sys.stderr", gone)
    logs.configure(tmp_path / "logs")
    logs.echo("forge", "x")
    logging.getLogger("launcher.x").warning("y")
    assert "y" in (tmp_path / "logs" / "launcher.log").read_text()


def test_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    with pytest.raises(FolderRefused, match="logs cannot be used"):
        logs.configure(tmp_path / "logs")
