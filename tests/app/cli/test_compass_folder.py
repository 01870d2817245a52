"""Tests of `app/cli/compass_folder.py`: the old folder or the new one, whatever happens."""

import shutil
from pathlib import Path

import pytest

from app.cli.compass_folder import replacing
from app.errors import NavigatorError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an old build."""
    folder = tmp_path / "compass"
    folder.mkdir()
    (folder / "index.html").write_text("old")
    (folder / "old.js").write_text("old")
    return folder


def replace(folder: Path) -> None:
    with replacing(folder) as work:
        (work / "new" / "index.html").write_text("new")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_new_one_takes_the_place_and_nothing_is_left_beside_it(folder: Path) -> None:
    with replacing(folder) as work:
        assert work.parent == folder.parent
        assert names(work) == {"new"}
        (work / "download").write_text("a part")
        (work / "new" / "index.html").write_text("new")
        assert names(folder) == {"index.html", "old.js"}
    assert (folder / "index.html").read_text() == "new"
    assert names(folder) == {"index.html"}
    assert names(folder.parent) == {"compass", "compass.lock"}


def test_folder_that_is_not_there_is_made_with_those_above(tmp_path: Path) -> None:
    replace(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "index.html").read_text() == "new"


def test_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "compass").mkdir()
    replace(tmp_path / "compass")
    assert names(tmp_path / "compass") == {"index.html"}


@pytest.mark.posix
def test_link_to_the_folder_stays_one(folder: Path) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder)
    replace(link)
    assert link.is_symlink()
    assert (folder / "index.html").read_text() == "new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_old_one_stays_when_the_new_one_fails(error: type[BaseException], folder: Path) -> None:
    def fail_halfway() -> None:
        with replacing(folder) as work:
            (work / "new" / "index.html").write_text("half")
            raise error

    with pytest.raises(error):
        fail_halfway()
    assert names(folder) == {"index.html", "old.js"}
    assert names(folder.parent) == {"compass", "compass.lock"}


def test_old_one_is_put_back_when_the_swap_fails(folder: Path) -> None:
    with pytest.raises(NavigatorError, match="cannot be stored"), replacing(folder) as work:
        shutil.rmtree(work / "new")
    assert names(folder) == {"index.html", "old.js"}
    assert names(folder.parent) == {"compass", "compass.lock"}


def test_leftovers_of_a_crash_are_swept(folder: Path) -> None:
    work = folder.parent / ".compass.installing"
    (work / "new" / "deep").mkdir(parents=True)
    (work / "layer-3").write_text("half")
    replace(folder)
    assert names(folder.parent) == {"compass", "compass.lock"}


@pytest.mark.parametrize("succeeds", [True, False])
def test_crash_in_the_middle_of_the_swap_is_made_good(succeeds: bool, folder: Path) -> None:
    work = folder.parent / ".compass.installing"
    (work / "new").mkdir(parents=True)
    folder.rename(work / "old")
    if succeeds:
        replace(folder)
    else:
        with pytest.raises(RuntimeError), replacing(folder):
            raise RuntimeError
    assert names(folder) == ({"index.html"} if succeeds else {"index.html", "old.js"})
    assert names(folder.parent) == {"compass", "compass.lock"}


@pytest.mark.parametrize(
    "contents", [["notes.txt"], ["index.html", "package.json"], ["index.html", ".git"]]
)
def test_folder_with_something_else_is_never_replaced(contents: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in contents:
        (folder / name).write_text("precious")
    with pytest.raises(NavigatorError, match="something else than a build of Compass"):
        replace(folder)
    assert names(folder) == set(contents)


def test_file_in_its_place_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "compass").write_text("precious")
    with pytest.raises(NavigatorError, match="something else"):
        replace(tmp_path / "compass")


def test_root_of_the_disk_is_refused() -> None:
    with pytest.raises(NavigatorError, match="cannot be Compass's folder"):
        replace(Path(Path.cwd().anchor))


def test_two_at_once_are_refused(folder: Path) -> None:
    with replacing(folder) as work:
        with pytest.raises(NavigatorError, match="right now"):
            replace(folder)
        (work / "new" / "index.html").write_text("first")
    assert (folder / "index.html").read_text() == "first"


def test_place_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NavigatorError, match=r"^Compass cannot be stored in .*compass \("):
        replace(tmp_path / "file" / "compass")
