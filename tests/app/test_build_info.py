"""Tests of `app/build_info.py`."""

import subprocess
from pathlib import Path

import pytest

from app.build_info import BuildInfo, build_info


def test_settings_win_and_a_whole_hash_is_shortened(tmp_path: Path) -> None:
    assert build_info("main", "abcdef1", sources=tmp_path) == BuildInfo("main", "abcdef1")
    assert build_info("main", "0123456789" * 4, sources=tmp_path).commit == "0123456"


def test_installation_without_a_checkout_is_unknown(tmp_path: Path) -> None:
    assert build_info(None, None, sources=tmp_path) == BuildInfo("unknown", "unknown")


def test_checkout_tells_branch_and_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "somebody")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "somebody@example.org")
    for arguments in (["init", "-q", "-b", "trunk"], ["commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    found = build_info(None, None, sources=tmp_path)
    assert found.branch == "trunk"
    assert len(found.commit) == 7
    inside = tmp_path / "inside"
    inside.mkdir()
    assert build_info(None, None, sources=inside) == BuildInfo("unknown", "unknown")
