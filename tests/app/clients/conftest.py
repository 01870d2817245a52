"""Fixtures for tests of clients of the public web."""

from pathlib import Path

import pytest


@pytest.fixture
def passwords_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `.netrc` with a password for every host there is."""
    (tmp_path / "netrc").write_text("default login me password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
