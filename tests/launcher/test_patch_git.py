"""Tests of `launcher/patch_git.py`: git as it is found, and whatever it is set to."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from launcher.forge_patch import PatchState, apply, check, revert
from launcher.patch_git import ForgePatchError, Git
from tests.launcher.forges import (
    PATCH,
    PATCHED,
    UNPATCHED,
    environ,
    git,
    make_forge,
    make_plain_forge,
    read,
    state,
    write,
)

NO_GIT = (
    "Git is not installed; install it (e.g. `apt install git`, or git-scm.com on Windows) and try"
    " again."
)
SURPRISES = """
[core]
    autocrlf = true
    attributesFile = {folder}/attributes
[apply]
    whitespace = error-all
    ignoreWhitespace = change
"""


def crlf(content: bytes) -> bytes:
    return content.replace(b"\n", b"\r\n")


@pytest.mark.parametrize("act", [check, apply, revert])
def test_missing_git_is_explained(tmp_path: Path, act: Callable[..., object]) -> None:
    forge = make_plain_forge(tmp_path / "forge")
    for path in ({"PATH": str(tmp_path)}, {"PATH": ""}):
        with pytest.raises(ForgePatchError) as caught:
            act(forge, [PATCH], environ(path))
        assert caught.value.message == NO_GIT
    assert read(forge) == UNPATCHED


@pytest.mark.posix
def test_program_that_only_offers_to_install_git_is_not_git(tmp_path: Path) -> None:
    (tmp_path / "git").write_text(f"#!{sys.executable}\nraise SystemExit(1)\n")
    (tmp_path / "git").chmod(0o755)
    with pytest.raises(ForgePatchError) as caught:
        Git(environ({"PATH": str(tmp_path)}))
    assert caught.value.message == NO_GIT


@pytest.mark.parametrize("ends", [bytes, crlf], ids=["LF", "CRLF"])
@pytest.mark.parametrize("make", [make_forge, make_plain_forge])
def test_line_ends_stay(
    tmp_path: Path, ends: Callable[[bytes], bytes], make: Callable[[Path, bytes], Path]
) -> None:
    forge = make(tmp_path / "forge", ends(UNPATCHED))
    assert state(forge) is PatchState.NEEDED
    apply(forge, [PATCH], environ())
    assert (state(forge), read(forge)) == (PatchState.APPLIED, ends(PATCHED))
    revert(forge, [PATCH], environ())
    assert (state(forge), read(forge)) == (PatchState.NEEDED, ends(UNPATCHED))


def test_line_ends_stay_where_a_file_has_both(tmp_path: Path) -> None:
    head, line, tail = UNPATCHED.partition(b"import json\n")
    forge = make_plain_forge(tmp_path / "forge", head + line + crlf(tail))
    apply(forge, [PATCH], environ())
    assert read(forge) == head + line + crlf(PATCHED.partition(line)[2])


@pytest.mark.parametrize("value", ["true", "false", "input"])
def test_windows_checkout_is_not_changed_by_its_line_ends(tmp_path: Path, value: str) -> None:
    """Git for Windows has `core.autocrlf` in its own settings, which other gits do not see."""
    forge = make_forge(tmp_path / "forge")
    write(forge, crlf(UNPATCHED))
    git(forge, "config", "core.autocrlf", value)
    assert state(forge) is PatchState.NEEDED
    apply(forge, [PATCH], environ())
    assert (state(forge), read(forge)) == (PatchState.APPLIED, crlf(PATCHED))
    write(forge, crlf(PATCHED + b"# of the owner\n"))
    assert state(forge) is PatchState.DIRTY


@pytest.mark.parametrize("ends", [bytes, crlf], ids=["LF", "CRLF"])
def test_settings_of_the_user_have_no_say(tmp_path: Path, ends: Callable[[bytes], bytes]) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(SURPRISES.format(folder=home.as_posix()))
    (home / "attributes").write_text("*.py text eol=crlf\n")
    user = environ({"HOME": str(home), "GIT_CONFIG_COUNT": "x"})
    forge = make_forge(tmp_path / "forge", ends(UNPATCHED))
    for _ in range(2):
        assert [one.state for one in check(forge, [PATCH], user)] == [PatchState.NEEDED]
        apply(forge, [PATCH], user)
        assert read(forge) == ends(PATCHED)
        revert(forge, [PATCH], user)
        assert read(forge) == ends(UNPATCHED)
    blanks = Git(user).patched(
        "blanks", b"--- a/a\n+++ b/a\n@@ -1 +1,2 @@\n+ b \t \n a\n", {"a": b"a\n"}
    )
    assert blanks == {"a": b" b \t \na\n"}
    indented = ends(UNPATCHED.replace(b"    p.outpath_grids", b"\tp.outpath_grids"))
    write(make_plain_forge(tmp_path / "other"), indented)
    (found,) = check(tmp_path / "other", [PATCH], user)
    assert found.state is PatchState.DOES_NOT_FIT


def test_file_is_left_alone_when_git_cannot_tell_what_is_committed(tmp_path: Path) -> None:
    forge = make_forge(tmp_path / "forge")
    (forge / ".git" / "config").write_text("[core")
    for act in (check, apply, revert):
        with pytest.raises(ForgePatchError, match=r"cannot read what is committed in .*config"):
            act(forge, [PATCH], environ())
    assert read(forge) == UNPATCHED


def test_nothing_is_committed_in_a_new_repository(tmp_path: Path) -> None:
    forge = make_plain_forge(tmp_path / "forge")
    git(forge, "init", "-q")
    assert state(forge) is PatchState.NEEDED
    assert Git(environ()).committed(forge, "modules/api/api.py") is None
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / ".git").write_text("gitdir: ../nowhere\n")
    assert Git(environ()).committed(tmp_path / "moved", "modules/api/api.py") is None


def test_incomplete_clone_is_not_completed_from_the_network(tmp_path: Path) -> None:
    origin = make_forge(tmp_path / "origin")
    git(origin, "config", "uploadpack.allowFilter", "true")
    clone = ["clone", "-q", "--filter=blob:none", "--no-checkout", origin.as_uri(), "clone"]
    git(tmp_path, *clone)
    with pytest.raises(ForgePatchError, match="not allowed"):
        Git(environ()).committed(tmp_path / "clone", "modules/api/api.py")
    git(tmp_path / "clone", "checkout", "-q", "HEAD")
    assert Git(environ()).committed(tmp_path / "clone", "modules/api/api.py") == UNPATCHED


def test_only_the_repository_of_the_folder_is_asked_what_is_committed(tmp_path: Path) -> None:
    outer = make_forge(tmp_path / "outer")
    (outer / "inner").mkdir()
    asked = Git(environ({"GIT_DIR": str(outer / ".git")}))
    assert asked.committed(outer, "modules/api/api.py") == UNPATCHED
    assert asked.committed(outer, "modules/api/other.py") is None
    assert asked.committed(outer / "inner", "modules/api/api.py") is None
    write(outer, PATCHED)
    git(outer, "add", "-A")
    assert asked.committed(outer, "modules/api/api.py") == UNPATCHED
    assert asked.committed(outer, "modules/api/api.py", "") == PATCHED
