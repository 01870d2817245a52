"""Tests of `app/cli/serve.py`, as a real process."""

import contextlib
import hashlib
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import aiohttp
import psutil
import pytest

from app.setting_types import DatabaseLocation
from tests.databases import url_of
from tests.processes import NO_FORGE, START_LIMIT_S, Child, child, environment, serve
from tests.waiting import until

# Starts what it is told, holding its input, and prints its process id.
PARENT = """
import subprocess, sys, time
started = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
print(started.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    ("options", "environ", "named"),
    [
        (["--http-port=70000"], {}, "HTTP_API_PORT"),
        ([], {"RT_API_PORT": "radio"}, "RT_API_PORT"),
        ([], {"JOB_ATTEMPTS": "0"}, "JOB_ATTEMPTS"),
        ([], {"SD_API_HOST": "localhost:7860"}, "SD_API_HOST"),
        ([], {"TOKEN_EXPIRATION_TIME": "a fortnight"}, "TOKEN_EXPIRATION_TIME"),
        ([], {"DB_URL": "postgres://localhost/navigator"}, "DB_URL"),
        ([], {"DB_URL": "sqlite://:memory:"}, "DB_URL"),
        ([], {"DB_URL": "sqlite:///proc/nowhere/navigator.sqlite3"}, "DB_URL"),
        ([], {"ENABLE_DEMO_USER": "perhaps"}, "ENABLE_DEMO_USER"),
        ([], {"SECRET_KEY": "short"}, "SECRET_KEY"),
    ],
)
async def test_impossible_value_is_refused_by_name(
    options: list[str], environ: dict[str, str], named: str, tmp_path: Path
) -> None:
    with serve(tmp_path, *options, **environ) as started:
        ended = await started.ended()
    assert ended.code == 78
    assert ended.errors.splitlines()[-1].startswith(f"navigator: {named}: ")
    assert "Traceback" not in ended.errors


async def test_unknown_name_in_our_own_settings_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("HTTP_API_PROT=3333\n")
    with serve(tmp_path) as started:
        ended = await started.ended()
    assert (ended.code, "HTTP_API_PROT" in ended.errors) == (78, True)


async def test_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with serve(tmp_path / "data") as started:
        ended = await started.ended()
    assert ended.code == 78
    assert ended.errors.startswith("navigator: NAVIGATOR_DATA_DIR: ")


@pytest.mark.parametrize("setting", ["HTTP_API_PORT", "RT_API_PORT"])
async def test_taken_port_ends_with_a_sentence(setting: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serve(tmp_path, **{setting: str(port)}) as started:
            ended = await started.ended()
    assert ended.code == 1
    assert f"navigator: {setting}: port {port}" in ended.errors
    assert "Traceback" not in ended.errors


async def test_database_of_the_earlier_navigator_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            CREATE TABLE users (discord_id TEXT PRIMARY KEY, role INTEGER);
            CREATE TABLE images (id TEXT PRIMARY KEY, owner_id TEXT);
            CREATE TABLE migrations (migration_id TEXT PRIMARY KEY);
            INSERT INTO users VALUES ('1', 4);
            """
        )
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with serve(tmp_path / "data", DB_URL=f"sqlite://{path}") as started:
        ended = await started.ended()
    assert ended.code == 78
    assert "belongs to the earlier Navigator" in ended.errors
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


@pytest.mark.slow
async def test_database_that_stays_away_ends_with_a_sentence(
    tmp_path: Path, unused_port: int
) -> None:
    with serve(tmp_path, DB_URL=f"mysql://root@127.0.0.1:{unused_port}/navigator") as started:
        ended = await started.ended(timeout_s=60)
    assert ended.code == 1
    assert f"127.0.0.1:{unused_port}/navigator cannot be reached" in ended.errors
    assert "Traceback" not in ended.errors


async def test_second_server_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with serve(tmp_path) as first:
        await first.listening()
        with serve(tmp_path) as second:
            ended = await second.ended()
        assert ended.code == 1
        assert ended.errors.startswith(f"navigator: Another Navigator runs with the data folder"
                                       f" {tmp_path}")  # fmt: skip
        assert not first.has_ended
        first.kill()
    with serve(tmp_path) as third:
        await third.listening()


async def test_secrets_are_made_once_and_are_for_their_owner_only(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    kept: list[str] = []
    for _ in range(2):
        with child("serve", f"--data-dir={tmp_path}", "--http-port=0", "--rt-port=0") as started:
            await started.listening()
            kept.append(file.read_text())
            assert file.stat().st_mode & 0o777 == 0o600
    names = [line.partition("=")[0] for line in kept[0].splitlines()]
    assert names == ["SECRET_KEY", "SUPERUSER_ADMIN_TOKEN"]
    assert kept[0] == kept[1]


async def test_of_two_servers_on_a_fresh_database_one_serves(
    new_database_location: DatabaseLocation, tmp_path: Path
) -> None:
    url = url_of(new_database_location)
    with serve(tmp_path / "a", DB_URL=url) as one, serve(tmp_path / "b", DB_URL=url) as other:
        await until(lambda: one.has_ended or other.has_ended, START_LIMIT_S)
        serving, refused = (other, one) if one.has_ended else (one, other)
        ended = await refused.ended()
        assert ended.code == 1
        sentence = f"navigator: Another Navigator works with the database {new_database_location};"
        assert ended.errors.splitlines()[-1].startswith(sentence)
        assert "Traceback" not in ended.errors + serving.errors
        assert await status(await serving.listening()) == 200
        serving.kill()
    with serve(tmp_path / "c", DB_URL=url) as third:
        assert await status(await third.listening()) == 200


async def test_second_port_serves_socketio_only(tmp_path: Path, unused_port: int) -> None:
    with serve(tmp_path, f"--rt-port={unused_port}") as started:
        url = await started.listening()
        polling = "/socket.io/?EIO=4&transport=polling"
        assert await status(f"{url}/") == 200
        assert await status(f"{url}{polling}") == 200
        assert await status(f"http://127.0.0.1:{unused_port}{polling}") == 200
        assert await status(f"http://127.0.0.1:{unused_port}/") == 404


@pytest.mark.parametrize(
    ("options", "address"),
    [([], "127.0.0.1"), (["--lan"], "::"), (["--host=::"], "::"), (["--host=::1"], "::1"),
     (["--host=0.0.0.0"], "0.0.0.0")],
)  # fmt: skip
async def test_it_listens_where_it_is_told(
    options: list[str], address: str, tmp_path: Path
) -> None:
    with serve(tmp_path, *options) as started:
        url = await started.listening()
        assert {one.ip for one in listening_addresses(started)} == {address}
        assert await status(url) == 200


async def test_lan_is_reached_over_ipv4_and_ipv6_on_both_ports(
    tmp_path: Path, unused_port: int
) -> None:
    with serve(tmp_path, "--lan", f"--rt-port={unused_port}") as started:
        await started.listening()
        ports = {one.port for one in listening_addresses(started)}
        assert len(ports) == 2
        for port in ports:
            for host in ("127.0.0.1", "[::1]"):
                url = f"http://{host}:{port}/socket.io/?EIO=4&transport=polling"
                assert await status(url) == 200


@pytest.mark.parametrize(
    ("options", "enabled", "is_warned"),
    [
        (["--lan"], "true", True),
        (["--lan"], "false", False),
        (["--lan"], None, False),
        (["--host=0.0.0.0"], "true", True),
        ([], "true", False),
    ],
)
async def test_owner_is_warned_of_a_demo_user_whom_others_can_reach(
    options: list[str], enabled: str | None, is_warned: bool, tmp_path: Path
) -> None:
    environ = {"ENABLE_DEMO_USER": enabled} if enabled else {}
    with serve(tmp_path, *options, **environ) as started:
        url = await started.listening()
        async with aiohttp.ClientSession() as http:
            body = {"code": "DEMO_USER"}
            async with http.post(f"{url}/api/auth/login", json=body) as answer:
                assert answer.status == (200 if enabled == "true" else 403)
    log = (tmp_path / "logs" / "navigator.log").read_text()
    assert ("ENABLE_DEMO_USER" in log) is is_warned


async def test_settings_come_from_the_data_folder_before_the_current_one(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (tmp_path / ".env").write_text("HTTP_API_HOST=127.0.0.2\nRT_API_PORT=0\n")
    (data_dir / ".env").write_text("HTTP_API_HOST=127.0.0.3\n")
    with child("serve", "--data-dir=data", "--http-port=0", cwd=tmp_path) as started:
        url = await started.listening()
        assert url.startswith("http://127.0.0.3:")
        assert await status(url) == 200


async def test_folder_of_the_environment_is_used(tmp_path: Path) -> None:
    environ = {"NAVIGATOR_DATA_DIR": str(tmp_path / "data")}
    with child("serve", "--http-port=0", "--rt-port=0", environ=environ) as started:
        await started.listening()
    assert (tmp_path / "data" / "navigator.sqlite3").is_file()


async def test_it_starts_without_a_forge_and_says_so(tmp_path: Path) -> None:
    with serve(tmp_path) as started:
        url = await started.listening()
        await until(lambda: "Forge is not ready" in started.errors)
        assert await status(f"{url}/") == 200


async def status(url: str) -> int:
    """The HTTP status of a GET."""
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return response.status


def listening_addresses(started: Child) -> "set[psutil._ntuples.addr]":
    """The local addresses of its listening sockets."""
    connections = psutil.Process(started.process.pid).net_connections(kind="inet")
    return {one.laddr for one in connections if one.status == psutil.CONN_LISTEN}


async def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    options = ["serve", f"--data-dir={tmp_path}", "--exit-with-parent"]
    environ = environment({"HTTP_API_PORT": "0", "RT_API_PORT": "0", "SD_API_HOST": NO_FORGE})
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, sys.executable, "-m", "app", *options],
        env=environ,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    with parent.stdout:
        child = psutil.Process(int(parent.stdout.readline()))
        try:
            await until((tmp_path / "server.json").exists)
            parent.kill()
            parent.wait()
            await until(lambda: not child.is_running())
            assert not (tmp_path / "server.json").exists()  # it ended in order
        finally:
            with contextlib.suppress(psutil.Error):
                child.kill()


async def test_input_that_is_closed_from_the_start_ends_it(tmp_path: Path) -> None:
    with serve(tmp_path, "--exit-with-parent") as server:  # whose input is empty
        ended = await server.ended()
    assert (ended.code, "Traceback" in ended.errors) == (0, False)
