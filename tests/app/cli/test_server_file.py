"""Tests of `app/cli/server_file.py`."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli import server_file
from tests.databases import python


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:3333"),
        ("0.0.0.0", "http://127.0.0.1:3333"),
        ("::", "http://127.0.0.1:3333"),
        ("::1", "http://[::1]:3333"),
        ("192.0.2.7", "http://192.0.2.7:3333"),
        ("2001:db8::7", "http://[2001:db8::7]:3333"),
        ("gpu.example.org", "http://gpu.example.org:3333"),
    ],
)
def test_address_is_one_that_works_on_this_machine(host: str, url: str) -> None:
    assert server_file.own_url(host, 3333) == url


@pytest.mark.posix
def test_file_is_for_its_owner_only(tmp_path: Path) -> None:
    server_file.write(tmp_path, "http://127.0.0.1:3333", "secret")
    (file,) = tmp_path.iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == ("server.json", 0o600)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    server_file.write(tmp_path, "http://127.0.0.1:3333", "secret")
    found = server_file.read(tmp_path)
    assert found == server_file.ServerFile("http://127.0.0.1:3333", "secret", os.getpid())
    assert not found.is_stale


async def test_file_of_a_dead_process_is_stale() -> None:
    pid = int(await python("import os; print(os.getpid())"))
    known = server_file.ServerFile("http://127.0.0.1:3333", "secret", pid)
    assert known.is_stale
    assert not replace(known, pid=os.getpid()).is_stale


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe",
        json.dumps({"url": "http://127.0.0.1:1", "token": "t"}).encode(),
        json.dumps({"url": "http://127.0.0.1:1", "token": "t", "pid": "7"}).encode(),
        json.dumps({"url": "http://127.0.0.1:1", "token": "t", "pid": -1}).encode(),
        json.dumps({"url": 7, "token": "t", "pid": 7}).encode(),
        json.dumps({"url": "http://127.0.0.1:1", "token": "\u00fc", "pid": 7}).encode(),
    ],
)  # fmt: skip
def test_file_that_makes_no_sense_is_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "server.json").write_bytes(content)
    assert server_file.read(tmp_path) is None


def test_there_is_none_before_and_after(tmp_path: Path) -> None:
    assert server_file.read(tmp_path) is None
    server_file.write(tmp_path, "http://127.0.0.1:1", "of a server that was killed")
    with server_file.removed_around(tmp_path):
        assert server_file.read(tmp_path) is None
        server_file.write(tmp_path, "http://127.0.0.1:2", "new")
    assert list(tmp_path.iterdir()) == []


def test_no_two_tokens_are_alike() -> None:
    assert server_file.new_token() != server_file.new_token()
    assert len(server_file.new_token()) >= 43
