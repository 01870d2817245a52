"""A normal installation, as a user makes it: built, installed, and run from another folder."""

import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from app import __version__
from tests.conventions.tree import PROJECT, relative

pytestmark = pytest.mark.slow

CONSTRAINTS = PROJECT / "packaging" / "constraints.txt"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    _done(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", str(folder), str(PROJECT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of a fresh environment that Navigator is installed in."""
    folder = tmp_path_factory.mktemp("installation") / "venv"
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if (folder / "Scripts").is_dir() else "bin")
    _done(str(programs / "python"), "-m", "pip", "install", "-c", str(CONSTRAINTS), str(wheel))
    return programs


def test_wheel_holds_what_runs_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    top = {name.partition("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {
        "app",
        "launcher",
        "migrations",
        "forge_patches",
    }
    assert _ours() - names == set()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_source_archive_holds_what_runs(programs: Path, tmp_path: Path) -> None:
    python = str(programs / "python")
    _done(python, "-m", "venv", str(tmp_path / "builder"))
    builder = str(tmp_path / "builder" / programs.name / "python")
    _done(builder, "-m", "pip", "install", "hatchling")
    _done(builder, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path), cwd=PROJECT)
    (built,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {path for path in _ours() if path.startswith("app/web/static/")}
    assert _ours() - names == set()


def test_constraints_pin_everything_that_is_installed(programs: Path) -> None:
    frozen = _done(str(programs / "python"), "-m", "pip", "freeze", "--exclude", "navigator")
    assert set(frozen.splitlines()) <= set(CONSTRAINTS.read_text("utf-8").splitlines())


def test_version_is_the_one_of_this_tree(programs: Path, tmp_path: Path) -> None:
    assert _done(str(programs / "navigator"), "--version", cwd=tmp_path).split()[-1] == __version__


def test_installed_launcher_finds_the_patches_for_forge(programs: Path, tmp_path: Path) -> None:
    script = "from launcher.forge_patch import patches_in; print(*(p.name for p in patches_in()))"
    found = _done(str(programs / "python"), "-c", script, cwd=tmp_path).split()
    assert found == sorted(path.name for path in (PROJECT / "forge_patches").glob("*.patch"))


@pytest.mark.parametrize(
    "environ",
    # The second is a system without time zones, as Windows is.
    [{}, {"PYTHONTZPATH": ""}],
    ids=["usual", "without-time-zones"],
)
def test_demo_draws_a_picture(programs: Path, tmp_path: Path, environ: dict[str, str]) -> None:
    output = _done(
        str(programs / "navigator"), "demo", "--once", "a cat", cwd=tmp_path, environ=environ
    )
    (picture,) = tmp_path.iterdir()
    assert re.fullmatch(r"navigator-[a-z0-9]{20}\.png", picture.name)
    assert picture.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert str(picture) in output


def _ours() -> set[str]:
    """Every file that is part of the program, pages and pictures too."""
    return {
        relative(path)
        for folder in ("app", "launcher", "migrations", "forge_patches")
        for path in (PROJECT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _done(*command: str, cwd: Path | None = None, environ: dict[str, str] | None = None) -> str:
    """What a program printed; its failure is ours. It does not see this tree."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=own | {"PYTHONIOENCODING": "utf-8"} | (environ or {}),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
