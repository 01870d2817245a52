"""Tests of `launcher/forge_install.py`: folders as people have them."""

from pathlib import Path

import pytest

from launcher.forge_install import NoForge, find, is_forge, read, usual_places
from tests.fakes.forge_install import FakeForge

ENVIRONMENT = """\
@echo off\r
set DIR=%~dp0system\r
set PATH=%DIR%\\git\\bin;%DIR%\\python;%PATH%\r
set SKIP_VENV=1\r
"""


def package(folder: Path) -> Path:
    """The one-click package for Windows."""
    webui = folder / "webui"
    (webui / "modules").mkdir(parents=True)
    for name in ("launch.py", "webui.py", "webui.bat"):
        (webui / name).touch()
    (folder / "system" / "python").mkdir(parents=True)
    (folder / "system" / "python" / "python.exe").touch()
    (folder / "environment.bat").write_text(ENVIRONMENT)
    (webui / "webui-user.bat").write_text("set COMMANDLINE_ARGS=--xformers\r\ncall webui.bat\r\n")
    return folder


def test_checkout_is_read(tmp_path: Path) -> None:
    forge = FakeForge(tmp_path / "My Forge ö", "--xformers --port 7865")
    install = read(forge.root, {}, is_windows=False)
    assert install.root == forge.root
    assert install.python == forge.root / "venv" / "bin" / "python"
    assert install.arguments == ("--xformers", "--port", "7865")


def test_one_click_package_is_read(tmp_path: Path) -> None:
    folder = package(tmp_path / "webui_forge_cu121_torch231")
    install = read(folder, {"Path": "C:\\Windows"}, is_windows=True)
    assert (install.root, install.venv) == (folder / "webui", None)
    assert install.python == folder / "system" / "python" / "python.exe"
    assert install.arguments == ("--xformers",)
    assert install.environ["PATH"].endswith(";C:\\Windows")
    assert str(folder) in install.environ["DIR"]


def test_git_checkout_on_windows_has_a_venv(tmp_path: Path) -> None:
    webui = package(tmp_path / "x") / "webui"
    (tmp_path / "x" / "environment.bat").unlink()
    assert read(webui, {}, is_windows=True).python is None  # never started
    (webui / "venv" / "Scripts").mkdir(parents=True)
    (webui / "venv" / "Scripts" / "python.exe").touch()
    assert read(webui, {}, is_windows=True).python == webui / "venv" / "Scripts" / "python.exe"


@pytest.mark.parametrize("name", ["venv_dir", "VENV_DIR"])
def test_venv_of_another_name_is_honoured(tmp_path: Path, name: str) -> None:
    forge = FakeForge(tmp_path / "forge", has_venv=False)
    with (forge.root / "webui-user.sh").open("a") as file:
        file.write(f'{name}="my env"\n')
    assert read(forge.root, {}, is_windows=False).python is None
    (forge.root / "my env" / "bin").mkdir(parents=True)
    (forge.root / "my env" / "bin" / "python").touch()
    assert read(forge.root, {}, is_windows=False).python == forge.root / "my env" / "bin" / "python"


def test_no_venv_takes_the_python_that_is_named(tmp_path: Path) -> None:
    forge = FakeForge(tmp_path / "forge")
    with (forge.root / "webui-user.sh").open("a") as file:
        file.write('venv_dir="-"\npython_cmd="/usr/bin/python3"\n')
    install = read(forge.root, {}, is_windows=False)
    assert (install.venv, install.python) == (None, Path("/usr/bin/python3"))
    with (forge.root / "webui-user.sh").open("a") as file:
        file.write("python_cmd=python3\n")  # only the shell knows which one
    assert read(forge.root, {}, is_windows=False).python is None


def test_environment_counts_unless_the_script_says_otherwise(tmp_path: Path) -> None:
    forge = FakeForge(tmp_path / "forge", "--a")
    outside = {"COMMANDLINE_ARGS": "--b"}
    assert read(forge.root, outside, is_windows=False).arguments == ("--a",)
    (forge.root / "webui-user.sh").write_text("#export COMMANDLINE_ARGS=\n")
    assert read(forge.root, outside, is_windows=False).arguments == ("--b",)


def test_open_quote_is_told(tmp_path: Path) -> None:
    forge = FakeForge(tmp_path / "forge", "--ckpt-dir 'x")
    with pytest.raises(NoForge, match=r"webui-user.sh has a quote that is never closed") as error:
        _ = read(forge.root, {}, is_windows=False).arguments
    assert "--ckpt" not in error.value.message  # it may be a password


def test_folder_without_forge_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoForge, match="holds no Forge"):
        read(tmp_path, {})
    with pytest.raises(NoForge, match="is no folder"):
        read(tmp_path / "nowhere", {})


def test_usual_places_are_looked_at(tmp_path: Path) -> None:
    assert find(usual_places(tmp_path, tmp_path / "here")) is None
    FakeForge(tmp_path / "stable-diffusion-webui-forge")
    assert find(usual_places(tmp_path, tmp_path / "here")) == (
        tmp_path / "stable-diffusion-webui-forge"
    )
    found = package(tmp_path / "here")
    assert find(usual_places(tmp_path, tmp_path / "here")) == found
    assert not is_forge(tmp_path)


def test_folder_that_cannot_be_looked_at_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoForge, match="cannot be read"):
        read(tmp_path / ("x" * 300), {})
