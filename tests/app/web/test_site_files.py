"""Tests of `app/web/site_files.py`: what is in the folder is found, and nothing outside of it."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.web.site_files import find, is_immutable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small build, beside a secret."""
    site = tmp_path / "site"
    (site / "assets").mkdir(parents=True)
    (site / "index.html").write_text("<!doctype html>")
    (site / "assets" / "a b (1).js").write_text("1")
    (site / ".env").write_text("SECRET")
    (tmp_path / "secret.html").write_text("SECRET")
    return site


def test_files_of_the_folder_are_found(folder: Path) -> None:
    index = find(folder, "/index.html")
    assert index is not None
    assert (index.path.name, index.size_bytes) == ("index.html", 15)
    with index.open() as file:
        assert file.read() == b"<!doctype html>"
    assert find(folder, "/assets/a b (1).js") is not None


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "//", "/.", "/..", "/../secret.html", "/assets/../../secret.html", "/assets",
        "/assets/", "/assets/../index.html", "/./index.html", "//index.html", "/index.html/",
        "/..\\secret.html", "\\..\\secret.html", "/assets\\a b (1).js", "/%2e%2e/secret.html",
        "/.env", "/index.html\0", "/index.html\0.js", "/index.html\n", "/index.html.",
        "/index.html ", "/index.html::$DATA", "/C:/index.html", "/C:index.html", "/nul", "/CON.js",
        "/com1.html", "/" + "x" * 5000, "/" + "x/" * 5000, "/\udcff", "/index.html/x", "/*",
    ],
)  # fmt: skip
def test_no_path_escapes_or_surprises(folder: Path, path: str) -> None:
    assert find(folder, path) is None


def test_absolute_path_is_taken_as_a_relative_one(folder: Path, tmp_path: Path) -> None:
    assert find(folder, f"/{tmp_path}/secret.html") is None
    assert find(folder, str(tmp_path / "secret.html")) is None


@pytest.mark.posix
def test_links_are_followed_inside_of_the_folder_only(folder: Path, tmp_path: Path) -> None:
    (folder / "out.html").symlink_to(tmp_path / "secret.html")
    (folder / "up").symlink_to(tmp_path)
    (folder / "in.html").symlink_to("index.html")
    (folder / "round.html").symlink_to("round.html")
    assert find(folder, "/out.html") is None
    assert find(folder, "/up/secret.html") is None
    assert find(folder, "/round.html") is None
    assert find(folder, "/in.html") is not None
    (tmp_path / "linked").symlink_to(folder)
    assert find(tmp_path / "linked", "/index.html") is not None


@pytest.mark.posix
def test_pipes_are_no_files(folder: Path) -> None:
    os.mkfifo(folder / "pipe.html")
    assert find(folder, "/pipe.html") is None


def test_folder_may_be_missing(tmp_path: Path) -> None:
    assert find(tmp_path / "nothing", "/index.html") is None


def test_other_content_is_another_version_even_of_the_same_age(folder: Path) -> None:
    def version() -> str:
        found = find(folder, "/index.html")
        assert found is not None
        return found.version

    first = version()
    assert version() == first
    stamp = (folder / "index.html").stat().st_mtime_ns
    other = folder / "other"
    other.write_text("<!DOCTYPE html>")
    os.utime(other, ns=(stamp, stamp))
    other.replace(folder / "index.html")
    assert version() != first


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.MJS", "text/javascript; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.html", "text/html; charset=utf-8"),
        ("a.json", "application/json; charset=utf-8"),
        ("a.js.map", "application/json; charset=utf-8"),
        ("a.webmanifest", "application/manifest+json; charset=utf-8"),
        ("a.svg", "image/svg+xml; charset=utf-8"),
        ("a.woff2", "font/woff2"),
        ("a.png", "image/png"),
        ("a.unknown", "application/octet-stream"),
        ("a", "application/octet-stream"),
    ],
)
def test_media_types_do_not_depend_on_the_system(
    tmp_path: Path, name: str, media_type: str
) -> None:
    (tmp_path / name).write_text("")
    found = find(tmp_path, f"/{name}")
    assert found is not None
    assert found.media_type == media_type


@pytest.mark.parametrize(
    ("path", "immutable"),
    [
        ("/assets/index-DiwrgTda.js", True),
        ("/assets/index-Di-rg_da.css", True),
        ("/assets/index.3f2a91c0.js", True),
        ("/assets/vendor-deadbeef.js", True),
        ("/assets/index-DiwrgTda.js.map", True),
        ("/assets/roboto-latin-400-normal-abcD1234.woff2", True),
        ("/assets/icon-1024x768.png", False),
        ("/assets/shot-20241201.png", False),
        ("/assets/some-document.css", False),
        ("/assets/logo.svg", False),
        ("/workbox-3f2a91c0.js", False),
        ("/sw.js", False),
        ("/registerSW.js", False),
        ("/manifest.webmanifest", False),
        ("/index.html", False),
    ],
)
def test_only_hashed_assets_are_immutable(path: str, immutable: bool) -> None:
    assert is_immutable(path) == immutable


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.sampled_from("./\\%2eE:\0 ~secrtahmlindx-"), max_size=40))
def test_whatever_is_asked_for_stays_in_the_folder(folder: Path, path: str) -> None:
    found = find(folder, path)
    assert found is None or folder.resolve() in found.path.parents
