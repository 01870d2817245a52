"""Tests of `app/cli/compass_build.py`."""

import io
from pathlib import Path

import pytest

from app.cli.compass_build import CompassBuild, is_safe
from app.errors import NavigatorError


def add(build: CompassBuild, name: str, content: bytes = b"x") -> None:
    build.add_file(tuple(name.split("/")), io.BytesIO(content))


def names(folder: Path) -> set[str]:
    """Of all files, and of the folders with a slash."""
    return {
        path.relative_to(folder).as_posix() + ("/" if path.is_dir() else "")
        for path in folder.rglob("*")
    }


def test_file_replaces_what_was_there_and_folders_come_as_needed(tmp_path: Path) -> None:
    build = CompassBuild(tmp_path)
    add(build, "a/b/c", b"old")
    add(build, "a/b/c", b"new")
    assert (tmp_path / "a/b/c").read_bytes() == b"new"
    add(build, "a/b", b"a file now")
    assert names(tmp_path) == {"a/", "a/b"}
    add(build, "a/b/d")
    assert names(tmp_path) == {"a/", "a/b/", "a/b/d"}


def test_it_is_complete_with_a_page_and_is_counted(tmp_path: Path) -> None:
    build = CompassBuild(tmp_path)
    add(build, "assets/a.js", bytes(10))
    assert not build.is_complete
    add(build, "index.html", bytes(5))
    add(build, "index.html", bytes(7))
    assert build.is_complete
    build.finish()
    assert (build.file_count, build.size_bytes) == (2, 17)


def test_too_much_is_refused_while_it_is_written(tmp_path: Path) -> None:
    build = CompassBuild(tmp_path, max_bytes=1_000_000)
    add(build, "a", bytes(600_000))
    with pytest.raises(NavigatorError, match="too large"):
        add(build, "b", bytes(5_000_000))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1_000_000


def test_too_many_files_and_folders_are_refused(tmp_path: Path) -> None:
    build = CompassBuild(tmp_path, max_files=5)
    add(build, "a/b/c")
    with pytest.raises(NavigatorError, match="too many"):
        build.add_folder(("d", "e", "f"))
    with pytest.raises(NavigatorError, match="too many"):
        add(build, "g")


def test_file_can_be_copied_once_it_is_there(tmp_path: Path) -> None:
    build = CompassBuild(tmp_path)
    add(build, "a/b", b"b")
    assert build.add_copy(("c", "d"), ("a", "b"))
    assert (tmp_path / "c/d").read_bytes() == b"b"
    assert not build.add_copy(("e",), ("gone",))
    assert not build.add_copy(("e",), ("a",))
    assert not build.add_copy(("a", "b"), ("a", "b"))
    assert names(tmp_path) == {"a/", "a/b", "c/", "c/d"}


def test_removing_leaves_what_is_excepted_and_the_way_to_it(tmp_path: Path) -> None:
    build = CompassBuild(tmp_path)
    for name in ("a/b/c", "a/b/d", "a/e", "f"):
        add(build, name)
    build.remove(("gone",))
    build.remove(("a",), but={("a", "b", "c")})
    assert names(tmp_path) == {"a/", "a/b/", "a/b/c", "f"}
    build.remove(())
    assert names(tmp_path) == set()
    assert tmp_path.is_dir()


@pytest.mark.parametrize("name", ["index.html", ".well-known", "a-B_1.js", "ä", "a b", "[id].js"])
def test_usual_names_are_safe(name: str) -> None:
    assert is_safe(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "...",
        "a\\b",
        "..\\a",
        "C:",
        "a:stream",
        "a\0",
        "a\n",
        "a.",
        "a ",
        "a?",
        "a\x7f",
    ],
)
def test_names_that_mean_more_than_a_name_are_not(name: str) -> None:
    assert not is_safe(name)
