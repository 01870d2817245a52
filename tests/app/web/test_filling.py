"""Tests of `app/web/filling.py`: placeholders become values, in memory and only safe ones."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.web.filling import Filled, Filler, values_of
from app.web.site_files import SiteFile, find

ORIGIN = "http://workstation:3333"
VALUES = values_of(ORIGIN, discord_client_id="123", discord_redirect_uri=f"{ORIGIN}/login")
ALL = (
    "api='COMPASS_APP_API_BASE';rt='COMPASS_APP_RT_API_BASE';base='COMPASS_APP_BASE_URL';"
    "id='COMPASS_APP_DISCORD_CLIENT_ID';to='COMPASS_APP_DISCORD_REDIRECT_URI'"
)
ALL_FILLED = (f"api='{ORIGIN}';rt='{ORIGIN}';base='{ORIGIN}';id='123';to='{ORIGIN}/login'").encode()


def written(folder: Path, name: str, content: str | bytes) -> SiteFile:
    """A file of the build with this content."""
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    found = find(folder, f"/{name}")
    assert found is not None
    return found


def filled(filler: Filler, file: SiteFile, values: Mapping[bytes, bytes] = VALUES) -> Filled:
    """What `filler` makes of a file that it fills."""
    result = filler.fill(file, values)
    assert result is not None
    return result


@pytest.mark.parametrize(
    "name", ["a.js", "a.css", "index.html", "a.json", "manifest.webmanifest", "a.js.map", "A.JS"]
)
def test_every_placeholder_is_filled_in_text(tmp_path: Path, name: str) -> None:
    result = filled(Filler(), written(tmp_path, name, ALL))
    assert (result.content, result.was_filled) == (ALL_FILLED, True)
    assert result.etag == f'"{hashlib.sha256(ALL_FILLED).hexdigest()[:32]}"'


@pytest.mark.parametrize("name", ["a.png", "a.woff2", "a", "a.bin"])
def test_other_files_are_not_touched(tmp_path: Path, name: str) -> None:
    assert Filler().fill(written(tmp_path, name, ALL), VALUES) is None


def test_bytes_that_are_no_text_survive(tmp_path: Path) -> None:
    odd = bytes(range(256))
    result = filled(Filler(), written(tmp_path, "a.js", odd + b"COMPASS_APP_API_BASE" + odd))
    assert result.content == odd + ORIGIN.encode() + odd


def test_file_without_a_placeholder_is_as_it_was(tmp_path: Path) -> None:
    result = filled(Filler(), written(tmp_path, "a.js", "COMPASS_APP_ELSE"))
    assert (result.content, result.was_filled) == (b"COMPASS_APP_ELSE", False)


def test_each_origin_gets_its_own(tmp_path: Path) -> None:
    filler, file = Filler(), written(tmp_path, "a.js", ALL)
    other = values_of("https://a.example", discord_client_id=None, discord_redirect_uri="")
    assert b"https://a.example" in filled(filler, file, other).content
    assert filled(filler, file).content == ALL_FILLED
    assert filled(filler, file, other).etag != filled(filler, file).etag


def test_changed_file_is_filled_anew(tmp_path: Path) -> None:
    filler = Filler()
    assert filled(filler, written(tmp_path, "a.js", ALL)).content == ALL_FILLED
    changed = filled(filler, written(tmp_path, "a.js", "x=COMPASS_APP_API_BASE"))
    assert changed.content == f"x={ORIGIN}".encode()


def test_results_are_kept_while_there_is_room(tmp_path: Path) -> None:
    filler = Filler(max_kept_bytes=250)
    files = [written(tmp_path, f"{name}.js", name * 100) for name in "abc"]
    first = filled(filler, files[0])
    assert filled(filler, files[0]) is first
    for file in files[1:]:
        filled(filler, file)
    assert filled(filler, files[2]) is filled(filler, files[2])
    assert filled(filler, files[0]) is not first
    assert filler.kept_bytes <= 250


def test_large_results_are_not_kept(tmp_path: Path) -> None:
    filler, file = Filler(max_kept_bytes=50), written(tmp_path, "a.js", "x" * 100)
    assert filled(filler, file) is not filled(filler, file)
    assert filler.kept_bytes == 0


def test_file_that_has_gone_is_told(tmp_path: Path) -> None:
    file = written(tmp_path, "a.js", ALL)
    file.path.unlink()
    with pytest.raises(FileNotFoundError):
        Filler().fill(file, VALUES)


@pytest.mark.parametrize("evil", ["';alert(1)//", '"', "</script>", "\\", "`", "a b", "${x}", "é"])
def test_what_could_end_a_string_becomes_nothing(evil: str) -> None:
    for values in (
        values_of(evil, discord_client_id="1", discord_redirect_uri="x"),
        values_of(ORIGIN, discord_client_id=evil, discord_redirect_uri="x"),
        values_of(ORIGIN, discord_client_id="1", discord_redirect_uri=evil),
    ):
        assert b"" in values.values()
        assert all(evil.encode() not in value for value in values.values())
