"""Tests of `launcher/folders.py`."""

from pathlib import Path

from launcher.folders import folders_of
from launcher.settings import LauncherSettings
from tests.fakes.forge_install import FakeForge


def test_folders_that_are_there_are_found(tmp_path: Path) -> None:
    forge = FakeForge(tmp_path / "forge")
    data_dir = tmp_path / "data"
    (data_dir / "logs").mkdir(parents=True)
    environ = {"FORGE_DIR": str(forge.root)}

    def found(**more: str) -> dict[str, Path]:
        settings = LauncherSettings.load(environ | more, data_dir=data_dir, working_dir=tmp_path)
        return folders_of(settings, environ)

    assert found() == {"Data": data_dir, "Logs": data_dir / "logs", "Forge": forge.root}
    (forge.root / "models").mkdir()
    (data_dir / "images").mkdir()
    assert found()["Models"] == forge.root / "models"
    assert found()["Pictures"] == data_dir / "images"
    (tmp_path / "elsewhere").mkdir()
    assert found(MODEL_DIR=str(tmp_path / "elsewhere"))["Models"] == tmp_path / "elsewhere"
    assert "Forge" not in found(FORGE_DIR="simulator")
