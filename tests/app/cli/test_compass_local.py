"""Tests of `app/cli/compass.py`, as a real process: builds of one's own, and folders in danger."""

from pathlib import Path

import pytest

from tests.app.cli.installing import contents, install


async def test_local_build_is_installed(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("mine")
    (dist / "assets" / "a.js").write_text("a")
    ended = await install(tmp_path / "data", f"--dir={dist}")
    assert (ended.code, ended.errors) == (0, "")
    assert contents(tmp_path / "data" / "compass") == {"index.html": b"mine", "assets/a.js": b"a"}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["page.html"], "is no build of Compass: it lacks index.html."),
        (["index.html", "package.json"], "is the source of Compass; build it"),
    ],
)
async def test_folder_that_is_no_build_is_refused(
    names: list[str], said: str, tmp_path: Path
) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    for name in names:
        (dist / name).write_text("{}")
    ended = await install(tmp_path / "data", f"--dir={dist}")
    assert (ended.code, said in ended.errors) == (1, True)


@pytest.mark.parametrize("below", ["data", "data/compass/part", "data/compass"])
async def test_build_that_holds_its_own_target_is_refused(below: str, tmp_path: Path) -> None:
    dist = tmp_path / "data" / "compass"
    dist.mkdir(parents=True)
    for folder in (tmp_path / "data", dist, dist / "part"):
        folder.mkdir(exist_ok=True)
        (folder / "index.html").write_text("mine")
    ended = await install(tmp_path / "data", f"--dir={tmp_path / below}")
    assert (ended.code, "lie in each other" in ended.errors) == (1, True)
    assert (dist / "part" / "index.html").read_text() == "mine"


async def test_folder_with_the_data_in_it_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("a page of somebody")
    ended = await install(tmp_path / "data", COMPASS_DIR=str(tmp_path))
    assert (ended.code, "cannot hold the data folder" in ended.errors) == (1, True)
    assert (tmp_path / "index.html").exists()
