"""Tests of `app/web/home.py`: our own page, complete, and without anything from elsewhere."""

import re
from pathlib import Path

import pytest

from app.web.home import FOLDER, Home
from tests.running import RunningNavigator

NAMES = sorted(path.name for path in FOLDER.iterdir())
PAGE = {"Accept": "text/html"}


async def test_page_is_there_with_all_that_it_refers_to(server: RunningNavigator) -> None:
    answer = await server.get("/", headers=PAGE)
    references = re.findall(r'(?:src|href)="(/[^"]+)"', answer.content.decode())
    assert len(references) >= 3
    imports = [
        f"/navigator/{name}"
        for path in FOLDER.glob("*.js")
        for name in re.findall(r'from "\./([^"]+)"', path.read_text("utf-8"))
    ]
    for path in {*references, *imports}:
        assert (await server.get(path)).status == 200, path


@pytest.mark.parametrize("name", NAMES)
async def test_every_file_has_type_policy_and_etag(server: RunningNavigator, name: str) -> None:
    answer = await server.get(f"/navigator/{name}")
    assert answer.content == (FOLDER / name).read_bytes()
    types = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
    types[".svg"] = "image/svg+xml"
    assert answer.headers["Content-Type"] == f"{types[Path(name).suffix]}; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["Cache-Control"] == "no-cache"
    known = {"If-None-Match": answer.headers["ETag"]}
    assert (await server.get(f"/navigator/{name}", headers=known)).status == 304


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_loaded_from_another_host(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"https?://|[\"'(]//|@import|url\(", text) == []


def test_page_needs_no_inline_script_or_style() -> None:
    text = (FOLDER / "index.html").read_text("utf-8")
    assert re.findall(r"<style|<script(?![^>]* src=)|\sstyle=|\son[a-z]+=|javascript:", text) == []


@pytest.mark.parametrize("path", ["nothing.js", "..", "../home.py", "%2e%2e/home.py", "home.css/"])
async def test_nothing_else_is_there(server: RunningNavigator, path: str) -> None:
    answer = await server.get(f"/navigator/{path}")
    assert answer.status == (200 if path == "home.css/" else 404)


def test_files_are_read_when_navigator_starts(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("x")
    assert Home(tmp_path)
    (tmp_path / ".hidden").write_text("x")
    with pytest.raises(FileNotFoundError):
        Home(tmp_path)
