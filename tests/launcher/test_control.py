"""Tests of `launcher/control.py`, over a real connection."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from launcher.control import NotRunning, Refused, ask, listening
from launcher.errors import LauncherError
from launcher.instance import read_contact, write_contact


async def command(asked: dict[str, Any]) -> Any:
    """Gives back what it was asked, or refuses."""
    if asked["command"] == "refuse":
        raise LauncherError("I do not want to.")
    return [asked["command"], asked.get("service"), "ö" * 100_000]


async def raw(port: int, line: bytes) -> Any:
    """What comes back for a line."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(line)
    try:
        answer = await reader.read()
    except ConnectionResetError:
        answer = b""
    writer.close()
    return json.loads(answer) if answer else None


async def test_command_and_result_come_through(tmp_path: Path) -> None:
    async with listening(tmp_path, command):
        told = await ask(tmp_path, "restart", service="forge")
        assert told == ["restart", "forge", "ö" * 100_000]
        with pytest.raises(Refused, match="I do not want to"):
            await ask(tmp_path, "refuse")


async def test_stranger_without_the_key_gets_nothing(tmp_path: Path) -> None:
    async with listening(tmp_path, command):
        contact = read_contact(tmp_path)
        assert contact is not None
        told: Any
        for told in ({}, [], {"token": "x", "command": "stop"}, {"token": 1}, "x"):
            answer = await raw(contact.port, json.dumps(told).encode() + b"\n")
            assert answer == {"error": "The key is wrong."}
        for junk in (b"\n", b"GET / HTTP/1.1\r\n", b"x" * 2_000_000 + b"\n"):
            assert await raw(contact.port, junk) is None
        assert await ask(tmp_path, "still here")


async def test_nobody_there_is_told(tmp_path: Path, unused_port: int) -> None:
    with pytest.raises(NotRunning, match="does not run"):
        await ask(tmp_path, "status")
    write_contact(tmp_path, unused_port, "key")
    with pytest.raises(NotRunning, match="does not answer"):
        await ask(tmp_path, "status")


async def test_folder_that_is_full_costs_the_commands_only(tmp_path: Path) -> None:
    async with listening(tmp_path / "nowhere", command):
        with pytest.raises(NotRunning):
            await ask(tmp_path / "nowhere", "status")
