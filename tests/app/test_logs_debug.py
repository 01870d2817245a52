"""Tests of `app/logs.py`: not even at debug level does a code, token or query get into a log."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import logs
from tests.listening import Refused
from tests.running import SECRET_KEY, SUPERUSER_TOKEN, RunningNavigator, running_navigator

CODE = "XCODEX-of-a-login"
GUESS = "XGUESSX at the superuser token"
QUERY = "XQUERYX"


@pytest.fixture(autouse=True)
def _untouched_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers = list(root.handlers)
    levels = {name: logging.getLogger(name).level for name in (None, *root.manager.loggerDict)}
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:] = handlers
    for name in (None, *root.manager.loggerDict):
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


async def visit(server: RunningNavigator, token: str) -> None:
    """Sends secrets in all the places where they can stand."""
    forwarded = {"X-Forwarded-For": f"198.51.100.1, {CODE}", "Referer": f"http://x/?code={CODE}"}
    for path in ("/", "/api/status", "/nothing", "/api/images/x", "/embed/x", "/api/models"):
        for accept in ("text/html", "*/*"):
            address = f"{path}?code={CODE}&token={token}&q={QUERY}"
            await server.get(address, headers=forwarded | {"Accept": accept})
    for code in (CODE, CODE * 1000):
        await server.post(f"/api/auth/login?code={CODE}", {"code": code})
    for _ in range(12):
        await server.get("/api/user/me", headers={"Authorization": GUESS})
        await server.post("/api/auth/login", {"code": CODE})
    await server.get("/api/user/me", token=f"{token}x")
    await server.get("/api/user/me", headers={"Authorization": SUPERUSER_TOKEN})
    await server.picture(token)
    await server.post("/api/auth/login", b"x" * 2_000_000 + CODE.encode())
    await server.get(f"/socket.io/?EIO=4&transport=polling&token={token}&q={QUERY}")
    for given in (f"{token}x", GUESS):
        with pytest.raises(Refused):
            async with server.listening(given):
                pass
    async with server.listening(token):
        pass


def secrets_in(text: str, token: str) -> list[str]:
    """Those that must not be there."""
    words = (CODE, GUESS, QUERY, token, SUPERUSER_TOKEN, SECRET_KEY)
    return [word for word in words if word in text]


async def test_no_secret_is_said_in_our_own_lines(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is masked here."""
    caplog.set_level(logging.DEBUG)
    async with running_navigator(tmp_path) as server:
        token = await server.login()
        await visit(server, token)
    ours = [record for record in caplog.records if record.name.partition(".")[0] == "app"]
    assert any("TRUSTED_PROXIES" in record.getMessage() for record in ours)
    said = [record.getMessage() + str(record.exc_info) for record in ours]
    assert secrets_in("\n".join(said), token) == []


async def test_no_secret_is_written_at_debug_level(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(tmp_path, secrets=[SECRET_KEY, SUPERUSER_TOKEN], level=logging.DEBUG)
    async with running_navigator(tmp_path) as server:
        token = await server.login()
        await visit(server, token)
    text = (tmp_path / "logs" / "navigator.log").read_text() + capsys.readouterr().err
    assert '"level":"debug"' in text
    assert secrets_in(text, token) == []
