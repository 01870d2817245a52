"""Tests of `launcher/ports.py`, with real sockets."""

import os
import socket

import psutil
import pytest

from launcher.ports import Holder, holder, is_taken, next_free


def test_holder_of_a_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert is_taken(port)
        name = psutil.Process().name()
        assert holder(port) == Holder(name, os.getpid())
        assert str(holder(port)) == f"{name} (process {os.getpid()})"
        assert next_free(port) > port
    assert not is_taken(port)
    assert holder(port) is None


def test_system_that_tells_nothing_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", refuse)
    assert holder(1) is None
    assert str(Holder(None, None)) == "another program"


def test_beyond_the_last_port_any_free_one_is_taken() -> None:
    port = next_free(65535)
    assert 0 < port < 65536
    assert not is_taken(port)


def test_addresses_of_both_kinds_are_understood() -> None:
    assert not is_taken(0, "::1")
    assert not is_taken(0, "203.0.113.1")  # none of ours, so that nobody can take it from us
    assert not is_taken(0, "no.such.name.invalid")
