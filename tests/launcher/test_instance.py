"""Tests of `launcher/instance.py`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.instance import (
    Contact,
    FolderRefused,
    RunsAlready,
    only_instance,
    read_contact,
    write_contact,
)
from tests.conventions.tree import PROJECT

HOLDS = """
import sys, time
from pathlib import Path
from launcher.instance import only_instance
with only_instance(Path(sys.argv[1])):
    print("holds", flush=True)
    time.sleep(600)
"""


def test_second_one_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    with only_instance(tmp_path / "launcher"):
        with pytest.raises(RunsAlready), only_instance(tmp_path / "launcher"):
            pass
        with only_instance(tmp_path / "another"):
            pass
    with only_instance(tmp_path / "launcher"):
        pass


def test_folder_of_one_that_was_killed_is_free(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, cwd=PROJECT
    )
    assert holder.stdout is not None
    with holder.stdout:
        assert holder.stdout.readline() == b"holds\n"
        with pytest.raises(RunsAlready), only_instance(tmp_path):
            pass
        holder.kill()
        holder.wait()
    with only_instance(tmp_path):
        pass


def test_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderRefused, match="cannot be used"), only_instance(tmp_path / "file"):
        pass


def test_contact_is_for_its_owner_alone_and_ends_with_the_launcher(tmp_path: Path) -> None:
    with only_instance(tmp_path):
        write_contact(tmp_path, 1234, "key")
        assert read_contact(tmp_path) == Contact(1234, "key", os.getpid())
        assert (tmp_path / "control.json").stat().st_mode & 0o077 == 0
        assert "key" not in repr(read_contact(tmp_path))
    assert read_contact(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"port": 0, "token": "x", "pid": 1}', "\xff"])
def test_what_is_no_contact_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "control.json").write_text(text, "latin-1")
    assert read_contact(tmp_path) is None
