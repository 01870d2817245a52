"""The three places that settings come from, for tests of them."""

from pathlib import Path
from typing import Any

from app.settings import Settings

OWN = "own"
NEAR = "near"


class Sources:
    """The three places that settings come from, in a folder of the test's."""

    def __init__(self, folder: Path):
        self.data_dir = folder / OWN
        self.working_dir = folder / NEAR
        self.environ: dict[str, str] = {}
        self.data_dir.mkdir()
        self.working_dir.mkdir()

    @property
    def own_file(self) -> Path:
        return self.data_dir / ".env"

    @property
    def near_file(self) -> Path:
        return self.working_dir / ".env"

    def load(self, **overrides: Any) -> Settings:
        """Reads them all."""
        return Settings.load(
            self.environ,
            data_dir=self.data_dir,
            working_dir=self.working_dir,
            overrides=overrides,
        )
