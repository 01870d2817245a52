"""Tests of `launcher/forge_patch.py`: states, and that owners' files are theirs."""

import stat
import tempfile
from pathlib import Path

import pytest

from launcher.forge_patch import ForgePatchError, PatchState, apply, check, patches_in, revert
from tests.launcher.forges import (
    ADDED,
    FILE,
    OTHER,
    PATCH,
    PATCHED,
    UNPATCHED,
    commit,
    environ,
    git,
    make_forge,
    make_plain_forge,
    names_beside,
    read,
    state,
    status,
    write,
)

OWNERS_LINE = b"# a line of the owner's\n"


def apply_and_revert_leave(forge: Path, content: bytes) -> None:
    """Neither may write the file, not even with what stands in it."""
    before = (forge / FILE).stat()
    found = [
        *apply(forge, [PATCH], environ()),
        *revert(forge, [PATCH], environ()),
        *check(forge, [PATCH], environ()),
    ]
    after = (forge / FILE).stat()
    assert len({(one.state, one.sentence) for one in found}) == 1
    assert all(one.changed_files == () for one in found)
    assert read(forge) == content
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert names_beside(forge) == [Path(FILE).name]


def test_needed_patch_is_applied_and_reverted(tmp_path: Path) -> None:
    forge = make_forge(tmp_path / "forge")
    needed = status(forge)
    assert (needed.name, needed.state) == ("txt2img-first-pass-image", PatchState.NEEDED)
    assert "Apply it" in needed.sentence
    assert read(forge) == UNPATCHED

    (applied,) = apply(forge, [PATCH], environ())
    assert (applied.state, applied.changed_files) == (PatchState.APPLIED, (FILE,))
    assert FILE in applied.sentence
    assert "Restart Forge" in applied.sentence
    assert read(forge) == PATCHED
    assert git(forge, "status", "--porcelain") == f" M {FILE}\n"
    assert status(forge).state is PatchState.APPLIED
    assert status(forge).changed_files == ()

    (reverted,) = revert(forge, [PATCH], environ())
    assert (reverted.state, reverted.changed_files) == (PatchState.NEEDED, (FILE,))
    assert "Restart Forge" in reverted.sentence
    assert read(forge) == UNPATCHED
    assert git(forge, "status", "--porcelain") == ""
    assert status(forge) == needed


def test_applying_twice_and_reverting_twice_change_nothing_more(tmp_path: Path) -> None:
    forge = make_forge(tmp_path / "forge")
    apply(forge, [PATCH], environ())
    (again,) = apply(forge, [PATCH], environ())
    assert (again.state, again.changed_files, read(forge)) == (PatchState.APPLIED, (), PATCHED)
    revert(forge, [PATCH], environ())
    (again,) = revert(forge, [PATCH], environ())
    assert (again.state, again.changed_files, read(forge)) == (PatchState.NEEDED, (), UNPATCHED)


@pytest.mark.parametrize("own", [UNPATCHED, PATCHED, OTHER], ids=["without", "with", "other"])
def test_file_with_changes_of_the_owner_is_left_alone(tmp_path: Path, own: bytes) -> None:
    forge = make_forge(tmp_path / "forge")
    write(forge, own.replace(b"import json\n", OWNERS_LINE))
    dirty = status(forge)
    assert dirty.state is PatchState.DIRTY
    assert FILE in dirty.sentence
    assert "git stash" in dirty.sentence
    apply_and_revert_leave(forge, own.replace(b"import json\n", OWNERS_LINE))


def test_changes_that_are_only_staged_or_marked_as_unchanged_are_the_owners(tmp_path: Path) -> None:
    staged = make_forge(tmp_path / "staged")
    write(staged, OWNERS_LINE + UNPATCHED)
    git(staged, "add", FILE)
    write(staged, UNPATCHED)
    assert state(staged) is PatchState.DIRTY

    write(staged, OWNERS_LINE + UNPATCHED)
    assert state(staged) is PatchState.DIRTY

    hidden = make_forge(tmp_path / "hidden")
    git(hidden, "update-index", "--skip-worktree", FILE)
    write(hidden, OWNERS_LINE + UNPATCHED)
    assert git(hidden, "status", "--porcelain") == ""
    apply_and_revert_leave(hidden, OWNERS_LINE + UNPATCHED)
    assert state(hidden) is PatchState.DIRTY


def test_changes_of_other_files_do_not_matter(tmp_path: Path) -> None:
    forge = make_forge(tmp_path / "forge")
    (forge / "webui.py").write_text("old\n")
    commit(forge)
    (forge / "webui.py").write_text("new\n")
    assert state(forge) is PatchState.NEEDED


def test_patch_is_no_change_of_the_owner(tmp_path: Path) -> None:
    forge = make_forge(tmp_path / "forge")
    write(forge, PATCHED)
    assert state(forge) is PatchState.APPLIED
    git(forge, "add", FILE)
    assert state(forge) is PatchState.APPLIED
    commit(forge)
    assert state(forge) is PatchState.APPLIED
    write(forge, UNPATCHED)
    assert state(forge) is PatchState.NEEDED


def test_patch_that_does_not_fit_is_not_applied(tmp_path: Path) -> None:
    forge = make_forge(tmp_path / "forge", OTHER)
    found = status(forge)
    assert found.state is PatchState.DOES_NOT_FIT
    assert FILE in found.sentence
    assert "Navigator works without it" in found.sentence
    apply_and_revert_leave(forge, OTHER)


@pytest.mark.parametrize("is_committed", [True, False])
def test_forge_that_does_the_same_by_itself_is_left_alone(
    tmp_path: Path, is_committed: bool
) -> None:
    own = ADDED.replace(b"is not None:", b"and shared.opts.samples_save:")
    content = OTHER.replace(b"\n                try:", b"\n" + own + b"                try:")
    forge = make_forge(tmp_path / "forge", content if is_committed else UNPATCHED)
    write(forge, content)
    found = status(forge)
    assert found.state is PatchState.UPSTREAM
    assert "nothing to do" in found.sentence
    apply_and_revert_leave(forge, content)


def test_forge_without_git_is_patched(tmp_path: Path) -> None:
    forge = make_plain_forge(tmp_path / "webui")
    assert state(forge) is PatchState.NEEDED
    apply(forge, [PATCH], environ())
    assert (state(forge), read(forge)) == (PatchState.APPLIED, PATCHED)
    revert(forge, [PATCH], environ())
    assert (state(forge), read(forge)) == (PatchState.NEEDED, UNPATCHED)


def test_git_folder_that_is_no_repository_is_like_none(tmp_path: Path) -> None:
    forge = make_plain_forge(tmp_path / "webui")
    (forge / ".git").mkdir()
    apply(forge, [PATCH], environ())
    assert (state(forge), read(forge)) == (PatchState.APPLIED, PATCHED)


@pytest.mark.parametrize("variables", [{}, {"GIT_DIR": ".git"}], ids=["usual", "in-a-hook"])
def test_repository_around_forge_has_no_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    outer = tmp_path / "outer"
    (outer / "temporary").mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(outer / "temporary"))
    git(outer, "init", "-q")
    forge = make_plain_forge(outer / "webui")
    (outer / ".gitattributes").write_text("* -text eol=crlf\n")
    commit(outer)
    seen = {name: str(outer / value) for name, value in variables.items()}
    for patch_in, content in ((apply, PATCHED), (revert, UNPATCHED)):
        (done,) = patch_in(forge, [PATCH], environ(seen))
        assert done.changed_files == (FILE,)
        assert read(forge) == content


def test_forge_is_found_from_its_parent_and_as_worktree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_forge(tmp_path / "forge")
    git(tmp_path / "forge", "worktree", "add", "-q", str(tmp_path / "second"))
    monkeypatch.chdir(tmp_path)
    for forge in (Path("forge"), Path("second")):
        assert state(forge) is PatchState.NEEDED
        write(forge, OWNERS_LINE + UNPATCHED)
        assert state(forge) is PatchState.DIRTY


@pytest.mark.parametrize(
    "name", ["Süße Bilder 100 % 'Forge'", pytest.param('a:b "c"\n', marks=pytest.mark.posix)]
)
def test_path_may_have_spaces_umlauts_and_what_the_system_allows(tmp_path: Path, name: str) -> None:
    forge = make_forge(tmp_path / name / "web ui")
    assert state(forge) is PatchState.NEEDED
    apply(forge, [PATCH], environ())
    assert (state(forge), read(forge)) == (PatchState.APPLIED, PATCHED)
    write(forge, PATCHED + OWNERS_LINE)
    assert state(forge) is PatchState.DIRTY


@pytest.mark.posix
def test_rights_of_the_file_and_a_link_to_it_stay(tmp_path: Path) -> None:
    forge = make_plain_forge(tmp_path / "forge")
    (forge / FILE).rename(tmp_path / "elsewhere.py")
    (tmp_path / "elsewhere.py").chmod(0o640)
    (forge / FILE).symlink_to(tmp_path / "elsewhere.py")
    apply(forge, [PATCH], environ())
    assert (forge / FILE).is_symlink()
    assert (tmp_path / "elsewhere.py").read_bytes() == PATCHED
    assert stat.S_IMODE((tmp_path / "elsewhere.py").stat().st_mode) == 0o640


def test_read_only_file_is_left_alone(tmp_path: Path) -> None:
    forge = make_forge(tmp_path / "forge")
    (forge / FILE).chmod(0o444)
    assert state(forge) is PatchState.NEEDED
    with pytest.raises(ForgePatchError, match=r"api\.py is read-only\. Make it writable"):
        apply(forge, [PATCH], environ())
    assert read(forge) == UNPATCHED
    assert names_beside(forge) == [Path(FILE).name]


def test_what_is_no_forge_is_named(tmp_path: Path) -> None:
    for act in (check, apply, revert):
        with pytest.raises(ForgePatchError) as caught:
            act(tmp_path / "missing", [PATCH], environ())
        assert caught.value.message == f"{tmp_path / 'missing'} is not a folder."
        with pytest.raises(ForgePatchError) as caught:
            act(tmp_path, [PATCH], environ())
        assert caught.value.message == f"{tmp_path} is not a Forge install: it has no {FILE}."


def test_folder_of_the_one_click_package_is_explained(tmp_path: Path) -> None:
    forge = make_plain_forge(tmp_path / "webui")
    with pytest.raises(ForgePatchError) as caught:
        check(tmp_path, [PATCH], environ())
    assert caught.value.message.endswith(f" Name the folder {forge} instead.")


def test_patches_of_this_project_are_found() -> None:
    assert PATCH.name == "txt2img-first-pass-image.patch"
    assert patches_in() == sorted(PATCH.parent.glob("*.patch"))
