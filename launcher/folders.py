"""The folders that an owner may want to look into. Blocks for a moment."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

from launcher.forge_install import NoForge, folder_of
from launcher.settings import LauncherSettings


def folders_of(settings: LauncherSettings, environ: Mapping[str, str]) -> dict[str, Path]:
    """Those that are there, by what people call them."""
    found = {
        "Data": settings.data_dir,
        "Pictures": settings.data_dir / "images",
        "Logs": settings.log_dir,
    }
    if not settings.is_simulated:
        with contextlib.suppress(NoForge):
            found["Forge"] = folder_of(settings.forge_dir, environ)
            found["Models"] = found["Forge"] / "models"
    if named := settings.told.get("MODEL_DIR", "").strip():
        found["Models"] = Path(named)
    return {name: folder for name, folder in found.items() if folder.is_dir()}
