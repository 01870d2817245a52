"""Tests of `app/web/docs_routes.py`: the page `/docs` loads nothing from elsewhere."""

import re

import pytest

from app.web.docs_routes import _FILES
from tests.running import RunningNavigator


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", *(f"/docs/{name}" for name in _FILES)])
async def test_files_are_sent_again_only_when_they_changed(
    server: RunningNavigator, path: str
) -> None:
    first = await server.get(path)
    assert first.status == 200
    assert first.headers["Cache-Control"] == "no-cache"
    again = await server.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.content) == (304, b"")
    other = await server.get(path, headers={"If-None-Match": '"other"'})
    assert (other.status, other.content) == (200, first.content)
    head = await server.request("HEAD", path)
    assert (head.status, head.headers["ETag"]) == (200, first.headers["ETag"])


async def test_page_loads_our_files_only(server: RunningNavigator) -> None:
    page = await server.get("/docs")
    loaded = re.findall(r'(?:src|link[^>]* href)="([^"]*)"', page.content.decode())
    assert {"/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/docs.js"} <= set(loaded)
    for path in loaded:
        answer = await server.get(path)
        assert answer.status == 200, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_page_runs_no_script_but_files_of_ours(server: RunningNavigator) -> None:
    page = await server.get("/docs")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert re.findall(r"<script(?![^>]* src=)|<style| style=| on\w+=", page.content.decode()) == []


@pytest.mark.parametrize(
    "name", ["nothing", "index.html", "README.md", "..", "..%2fLICENSE", "%00"]
)
async def test_nothing_else_is_served(server: RunningNavigator, name: str) -> None:
    answer = await server.get(f"/docs/{name}")
    assert answer.status == 404
    assert answer.json["error_code"] == "UNKNOWN_ROUTE"


async def test_page_is_found_with_a_slash_and_in_any_case(server: RunningNavigator) -> None:
    for path in ("/docs/", "/Docs", "/OpenAPI.json"):
        assert (await server.get(path)).status == 200
