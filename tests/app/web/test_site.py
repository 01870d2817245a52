"""Tests of `app/web/site.py`: a placeholder build at every address of the machine, and without."""

import asyncio
import contextlib
import shutil
import socket
from pathlib import Path

import psutil
import pytest
from yarl import URL

from tests.compass_build import APP_JS, FILES, make_build
from tests.running import Answer, RunningNavigator, running_navigator

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
OWN_PAGE = b"<title>Navigator</title>"
COMPASS = b"<title>Compass</title>"


@pytest.fixture
def build(server: RunningNavigator) -> Path:
    """A Compass build, put in its place while the server runs."""
    return make_build(server.settings.compass_folder)


async def page(server: RunningNavigator, path: str = "/", **headers: str) -> Answer:
    """What a browser gets."""
    return await server.get(path, headers=PAGE | headers)


def filled_with(origin: str, *, client_id: str = "", redirect: str | None = None) -> bytes:
    """The script of the build as a browser at `origin` gets it."""
    text = APP_JS.replace("COMPASS_APP_DISCORD_CLIENT_ID", client_id)
    text = text.replace("COMPASS_APP_DISCORD_REDIRECT_URI", redirect or origin)
    for name in ("API_BASE", "RT_API_BASE", "BASE_URL"):
        text = text.replace(f"COMPASS_APP_{name}", origin)
    return text.encode()


def own_hosts() -> list[str]:
    """Every name and address of this machine, as they stand in a URL."""
    found = ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", socket.gethostname()]
    found.append(f"{socket.gethostname().partition('.')[0]}.local")
    for interface in psutil.net_if_addrs().values():
        for address in interface:
            if address.family == socket.AF_INET:
                found.append(address.address)
            elif address.family == socket.AF_INET6:
                found.append(f"[{address.address.partition('%')[0]}]")
    return found


async def test_root_is_json_for_scripts_with_and_without_compass(server: RunningNavigator) -> None:
    for present in (False, True):
        if present:
            make_build(server.settings.compass_folder)
        for accept in ("*/*", "application/json, text/plain, */*", "text/*", ""):
            answer = await server.get("/", headers={"Accept": accept})
            assert answer.json == {"message": "Hello World!", "status": "online"}
            assert answer.headers["Vary"] == "Accept"


async def test_root_is_compass_for_browsers(server: RunningNavigator, build: Path) -> None:
    answer = await page(server)
    assert (answer.status, COMPASS in answer.content) == (200, True)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Vary"] == "Accept"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path",
    ["/gallery", "/gallery/", "/generate/txt2img", "/generate/img2img", "/settings",
     "/model-browser", "/Gallery?page=2", "/?code=x", "/index.html", "/some/new/route"],
)  # fmt: skip
async def test_client_side_routes_are_compass(
    server: RunningNavigator, build: Path, path: str
) -> None:
    answer = await page(server, path)
    assert (answer.status, COMPASS in answer.content) == (200, True)


@pytest.mark.parametrize(
    "path",
    ["/api", "/api/nothing", "/API/nothing", "/3papi/nothing", "/embed/nothing", "/docs/nothing",
     "/openapi.json/nothing", "/metrics/nothing", "/navigator/nothing", "/api/images/nothing"],
)  # fmt: skip
async def test_what_the_api_does_not_have_is_json_for_browsers_too(
    server: RunningNavigator, build: Path, path: str
) -> None:
    answer = await page(server, path)
    assert answer.status == 404
    assert answer.json["error_code"]


async def test_missing_file_is_json_for_scripts(server: RunningNavigator, build: Path) -> None:
    for path in ("/gallery", "/assets/gone-DiwrgTda.js", "/gone.ico"):
        answer = await server.get(path)
        assert (answer.status, answer.json["error_code"]) == (404, "UNKNOWN_ROUTE")


async def test_routes_win_over_the_page(server: RunningNavigator, build: Path) -> None:
    assert (await page(server, "/api/models")).json["models"]
    assert (await page(server, "/socket.io/?EIO=4&transport=polling")).content.startswith(b"0{")
    assert (await server.post("/gallery", {}, headers=PAGE)).status == 404


@pytest.mark.parametrize("path", sorted(FILES))
async def test_every_file_is_served_with_its_type(
    server: RunningNavigator, build: Path, path: str
) -> None:
    answer = await server.get(path)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == FILES[path].media_type
    assert answer.headers["Cache-Control"] == FILES[path].lifetime
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert b"COMPASS_APP_" not in answer.content
    if not FILES[path].is_filled:
        assert answer.content == FILES[path].content
    head = await server.request("HEAD", path)
    assert (head.status, head.content) == (200, b"")
    for name in ("Content-Length", "ETag", "Content-Type"):
        assert head.headers[name] == answer.headers[name]
    known = await server.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (known.status, known.content) == (304, b"")
    assert known.headers["ETag"] == answer.headers["ETag"]
    assert known.headers["Cache-Control"] == answer.headers["Cache-Control"]
    weak = await server.get(path, headers={"If-None-Match": f'"x", W/{answer.headers["ETag"]}'})
    assert weak.status == 304
    assert (await server.get(path, headers={"If-None-Match": '"other"'})).status == 200


@pytest.mark.parametrize("host", own_hosts())
async def test_placeholders_are_the_address_that_the_browser_used(
    server: RunningNavigator, build: Path, host: str
) -> None:
    port = server.url.rpartition(":")[2]
    answer = await server.get("/assets/index-DiwrgTda.js", headers={"Host": f"{host}:{port}"})
    assert answer.content == filled_with(f"http://{host.lower()}:{port}")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:3333", "';alert(1)//", "127.0.0.1.evil.example", ""]
)
async def test_host_that_is_not_ours_is_not_reflected(
    server: RunningNavigator, build: Path, host: str
) -> None:
    expected = filled_with(server.url)
    for extra in ({}, {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}):
        answer = await server.get("/assets/index-DiwrgTda.js", headers={"Host": host, **extra})
        assert answer.content == expected


async def test_etag_belongs_to_the_filled_bytes(server: RunningNavigator, build: Path) -> None:
    port = server.url.rpartition(":")[2]
    tags = {
        (await server.get("/index.html", headers={"Host": f"{name}:{port}"})).headers["ETag"]
        for name in ("localhost", "127.0.0.1", "localhost")
    }
    assert len(tags) == 2


async def test_settings_are_filled_in(tmp_path: Path) -> None:
    async with running_navigator(
        tmp_path,
        PUBLIC_URL="https://pictures.example.org",
        DISCORD_CLIENT_ID="1234",
        DISCORD_REDIRECT_URI="https://pictures.example.org/in",
        COMPASS_DIR=str(tmp_path / "elsewhere"),
    ) as server:
        make_build(tmp_path / "elsewhere")
        for host in ("pictures.example.org", "evil.example"):
            answer = await server.get("/assets/index-DiwrgTda.js", headers={"Host": host})
            assert answer.content == filled_with(
                "https://pictures.example.org",
                client_id="1234",
                redirect="https://pictures.example.org/in",
            )


async def test_trusted_proxy_with_tls_names_the_address(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, TRUSTED_PROXIES="127.0.0.1") as server:
        make_build(server.settings.compass_folder)
        answer = await server.get(
            "/assets/index-DiwrgTda.js",
            headers={"X-Forwarded-Host": "a.example", "X-Forwarded-Proto": "https"},
        )
        assert answer.content == filled_with("https://a.example")


@pytest.mark.parametrize(
    "path",
    ["/../.env", "/..%2f.env", "/%2e%2e/.env", "/%2e%2e%2f.env", "/%252e%252e/.env",
     "/..%5c.env", "/assets/..%2f..%2f.env", "/.env", "//.env", "/./.env", "/%00", "/index.html%00",
     "/%2fetc%2fpasswd", "//etc/passwd", "/C:%5c.env", "/out.txt", "/up/.env", "/%ff%fe"],
)  # fmt: skip
async def test_no_path_leads_out_of_the_build(
    server: RunningNavigator, build: Path, path: str
) -> None:
    secret = server.settings.data_dir / ".env"
    secret.write_text("SECRET")
    with contextlib.suppress(OSError):  # not everybody may make links on Windows
        (build / "out.txt").symlink_to(secret)
        (build / "up").symlink_to(server.settings.data_dir)
    answer = await server.get(path)
    assert (answer.status, answer.json["error_code"]) == (404, "UNKNOWN_ROUTE")
    seen = await page(server, path)
    assert COMPASS in seen.content
    assert b"SECRET" not in seen.content


async def test_build_may_come_change_and_go(server: RunningNavigator) -> None:
    folder = server.settings.compass_folder
    assert OWN_PAGE in (await page(server)).content
    make_build(folder)
    first = await page(server)
    assert COMPASS in first.content
    make_build(folder.with_name("new"), title="Compass 2")
    folder.rename(folder.with_name("old"))
    folder.with_name("new").rename(folder)
    second = await page(server, **{"If-None-Match": first.headers["ETag"]})
    assert (second.status, b"<title>Compass 2</title>" in second.content) == (200, True)
    (folder / "index.html").unlink()
    assert OWN_PAGE in (await page(server)).content
    assert (await server.get("/assets/index-DiwrgTda.js")).status == 404
    shutil.rmtree(folder)
    assert OWN_PAGE in (await page(server)).content


async def test_without_compass_unknown_addresses_are_still_missing(
    server: RunningNavigator,
) -> None:
    answer = await page(server, "/gallery")
    assert (answer.status, OWN_PAGE in answer.content) == (404, True)
    assert (await server.get("/gallery")).json["error_code"] == "UNKNOWN_ROUTE"


async def test_own_page_stays_beside_compass(server: RunningNavigator, build: Path) -> None:
    for path in ("/navigator", "/navigator/", "/NAVIGATOR"):
        answer = await page(server, path)
        assert (answer.status, OWN_PAGE in answer.content) == (200, True)


async def test_head_of_the_page_has_no_body(server: RunningNavigator, build: Path) -> None:
    got = await page(server)
    head = await server.request("HEAD", "/", headers=PAGE)
    assert (head.status, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(got.content))


async def test_large_file_comes_whole(server: RunningNavigator, build: Path) -> None:
    content = bytes(range(256)) * 8000
    (build / "film.mp4").write_bytes(content)
    answer = await server.get("/film.mp4")
    assert (answer.content, answer.headers["Content-Type"]) == (content, "video/mp4")


async def test_realtime_port_serves_no_pages(server: RunningNavigator, build: Path) -> None:
    for path in ("/", "/navigator", "/index.html"):
        assert (await server.get(path, headers=PAGE, realtime=True)).status == 404


async def test_target_without_a_slash_is_no_error_of_ours(server: RunningNavigator) -> None:
    for target in ("foo", "?x"):
        reader, writer = await asyncio.open_connection("127.0.0.1", URL(server.url).port)
        writer.write(
            f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        )
        status = (await reader.read()).split(b" ", 2)[1]
        writer.close()
        await writer.wait_closed()
        assert status in {b"200", b"404"}
