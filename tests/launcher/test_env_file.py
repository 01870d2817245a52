"""Tests of `launcher/env_file.py`: what it writes, the server reads."""

from pathlib import Path

import pytest

from app.env_files import read_env_file
from launcher.env_file import EnvFileUnclear, update

ODD = "a b 'c' \"d\" $HOME \\n #e ü ="


def test_values_come_back_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "data" / ".env"
    update(path, {"FORGE_DIR": "C:\\Users\\me\\My Forge", "X": ODD, "GONE": None})
    path.write_text("# my own remark\nSECRET_KEY=abc\nexport OLD=1\n" + path.read_text("utf-8"))
    update(path, {"X": "plain", "OLD": None, "NEW": ""})
    assert read_env_file(path) == {
        "SECRET_KEY": "abc", "FORGE_DIR": "C:\\Users\\me\\My Forge", "X": "plain", "NEW": "",
    }  # fmt: skip
    assert "# my own remark" in path.read_text("utf-8")
    update(path, {"X": ODD})
    assert read_env_file(path)["X"] == ODD
    assert [one.name for one in path.parent.iterdir()] == [".env"]


@pytest.mark.posix
def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    update(tmp_path / ".env", {"X": "secret"})
    (tmp_path / ".env").chmod(0o644)
    update(tmp_path / ".env", {"Y": "secret"})
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("values", [{"x": "y"}, {"X": "a\nB=c"}, {"X Y": "z"}, {"": "z"}])
def test_what_would_be_two_settings_is_refused(tmp_path: Path, values: dict[str, str]) -> None:
    (tmp_path / ".env").write_text("A=1\n")
    with pytest.raises(ValueError, match="cannot be written"):
        update(tmp_path / ".env", values)
    assert (tmp_path / ".env").read_text() == "A=1\n"
    assert [one.name for one in tmp_path.iterdir()] == [".env"]


@pytest.mark.parametrize("text", ["X=1\nA='it\nB=2\n", "just words\n", "A=1\n='x\n"])
def test_file_with_a_line_that_cannot_be_read_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / ".env").write_text(text)
    with pytest.raises(EnvFileUnclear, match=r"line \d cannot be read"):
        update(tmp_path / ".env", {"Z": "a b"})
    assert (tmp_path / ".env").read_text() == text
    assert [one.name for one in tmp_path.iterdir()] == [".env"]


def test_file_in_another_encoding_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"X=\xe4\n")
    with pytest.raises(EnvFileUnclear, match="UTF-8"):
        update(tmp_path / ".env", {"Z": "a"})


def test_mark_at_the_beginning_is_no_part_of_a_name(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("\ufeffX=1\n".encode())
    update(tmp_path / ".env", {"X": "2"})
    assert (tmp_path / ".env").read_bytes() == b"X=2\n"


@pytest.mark.parametrize("value", ["D:\\", "\\\\nas\\models x", "it's \\' \"odd\"", "a#b", " a "])
def test_odd_values_come_back(tmp_path: Path, value: str) -> None:
    (tmp_path / ".env").write_text("A=1\n")
    update(tmp_path / ".env", {"X": value, "Y": "after"})
    assert read_env_file(tmp_path / ".env") == {"A": "1", "X": value, "Y": "after"}


@pytest.mark.posix
def test_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / ".env").symlink_to(tmp_path / "real" / "file")
    update(tmp_path / ".env", {"X": "1"})
    assert (tmp_path / ".env").is_symlink()
    assert (tmp_path / "real" / "file").read_text() == "X=1\n"
