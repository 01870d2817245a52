"""Tests of `app/logs.py`: where lines go, how they look, and what never gets into one."""

import json
import logging
import logging.handlers
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from app import logs
from app.jobs.models import JobStatus
from app.simulator import Simulator
from tests.listening import Refused
from tests.running import (
    CHECKPOINT,
    INSTANT,
    JOB_PATH,
    SECRET_KEY,
    SUPERUSER_TOKEN,
    catalogue,
    running_navigator,
)

PROMPT = "XPROMPTX an unmistakable fox"
NEGATIVE_PROMPT = "XNEGATIVEX an unmistakable owl"
CODE = "XCODEX-of-a-login"
PASSWORD = "XPASSWORDX"
NOISY = ("hypercorn", "hypercorn.error", "engineio", "socketio", "asyncio", "tortoise", "aiosqlite")


@pytest.fixture(autouse=True)
def _untouched_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in NOISY}
    yield
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)
        if isinstance(handler, logging.FileHandler):
            handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)


def configured(folder: Path, **options: Any) -> logging.Logger:
    """A logger whose lines go where those of the server go."""
    logs.configure(folder, **options)
    return logging.getLogger("app.somewhere")


def lines(folder: Path) -> list[dict[str, Any]]:
    """What stands in the file."""
    text = (folder / "logs" / "navigator.log").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_line_is_structured_in_the_file_and_readable_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(tmp_path).warning("job %s: “%s”", "abc", "ä\nb")
    (line,) = lines(tmp_path)
    assert (line["event"], line["level"]) == ("job abc: “ä\nb”", "warning")
    assert line["logger"] == "app.somewhere"
    assert line["timestamp"].endswith("Z")
    shown = capsys.readouterr()
    assert "job abc: “ä\nb”" in shown.err
    assert "warning" in shown.err.lower()
    assert shown.out == ""


def test_traceback_is_in_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = configured(tmp_path)
    try:
        raise ZeroDivisionError("the cause")
    except ZeroDivisionError:
        log.exception("it failed")
    (line,) = lines(tmp_path)
    assert "ZeroDivisionError: the cause" in line["exception"]
    assert "ZeroDivisionError: the cause" in capsys.readouterr().err


def test_file_rotates_and_few_are_kept(tmp_path: Path) -> None:
    log = configured(tmp_path)
    (handler,) = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.handlers.RotatingFileHandler)
    ]
    assert 0 < handler.maxBytes <= 50_000_000
    assert 0 < handler.backupCount <= 10
    handler.maxBytes = 2_000
    for number in range(200):
        log.warning("line %d %s", number, "x" * 100)
    files = sorted((tmp_path / "logs").iterdir())
    assert len(files) == handler.backupCount + 1
    assert all(file.stat().st_size <= 2_000 for file in files)
    assert lines(tmp_path)[-1]["event"].startswith("line 199")


def test_configuring_again_doubles_no_line(tmp_path: Path) -> None:
    logs.configure(tmp_path)
    first = [h for h in logging.getLogger().handlers if isinstance(h, logging.FileHandler)]
    configured(tmp_path).warning("once")
    for handler in first:
        handler.close()
    assert len(lines(tmp_path)) == 1


def test_details_of_libraries_are_left_out(tmp_path: Path) -> None:
    configured(tmp_path, level=logging.DEBUG)
    for name in (*NOISY, "engineio.server", "tortoise.db_client"):
        logging.getLogger(name).info("a detail")
        logging.getLogger(name).debug("a detail")
    assert not (tmp_path / "logs" / "navigator.log").exists()
    logging.getLogger("app").debug("ours")
    assert [line["event"] for line in lines(tmp_path)] == ["ours"]


@pytest.mark.parametrize(
    ("text", "hidden", "kept"),
    [
        ("token eyJhbGciOiJIUzI1NiJ9.eyJkaXNjb3JkX2lkIjoiMSJ9.c2lnbmF0dXJl!", "c2lnbmF0", "token "),
        ("unsigned eyJhbGciOiJub25lIn0.eyJkaXNjb3JkX2lkIjoiMSJ9.", "eyJkaXNj", "unsigned "),
        ("Authorization: Bearer abc.def", "abc.def", "Authorization: "),
        ("authorization: bearer abc.def", "abc.def", "authorization: "),
        ("GET /?code=SeCrEt&state=1", "SeCrEt", "state=1"),
        ("GET /x?a=b&token=SeCrEt", "SeCrEt", "a=b"),
        ("'https://civitai.com/x?api_key=SeCrEt'", "SeCrEt", "civitai.com"),
        ("mysql://root:SeCrEt@db.lan:3306/navigator", "SeCrEt", "db.lan:3306"),
        ("http://user:SeCrEt@gpu:7860 does not answer", "SeCrEt", "gpu:7860"),
    ],
)
def test_what_looks_like_a_secret_is_masked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, hidden: str, kept: str
) -> None:
    log = configured(tmp_path)
    log.warning("%s", text)
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("it failed")
    for seen in (str(lines(tmp_path)), capsys.readouterr().err):
        assert hidden not in seen
        assert kept in seen
        assert logs.MASK in seen


def test_known_secrets_are_masked_wherever_they_turn_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = configured(tmp_path, secrets=["plain as day", "x"])
    log.warning("it is plain as day, x marks it")
    log.warning("%r", {"a": ["plain as day"]})
    assert "plain as day" not in str(lines(tmp_path)) + capsys.readouterr().err
    assert "x marks it" in lines(tmp_path)[0]["event"]


def test_ordinary_lines_are_left_alone(tmp_path: Path) -> None:
    text = "job abc-123 waits: http://localhost:7860 says a=b; 3 < 4, 50 % of “x” [é]"
    configured(tmp_path, secrets=["a secret"]).warning("%s", text)
    assert lines(tmp_path)[0]["event"] == text


async def test_whole_session_leaves_no_secret_and_no_prompt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refusing = _refusing_forge()
    async with refusing.serving() as forge:
        logs.configure(tmp_path, secrets=[SECRET_KEY, SUPERUSER_TOKEN, f"user:{PASSWORD}"])
        async with running_navigator(
            tmp_path, forge=forge.url, wait_for_forge=False, SD_API_AUTH=f"user:{PASSWORD}"
        ) as server:
            token = await server.login()
            await server.navigator.health.wait_ready()
            prompts = {"prompt": PROMPT, "negative_prompt": NEGATIVE_PROMPT}
            async with server.listening(token):
                failed = (await server.submit(token, **prompts))["job_id"]
                await server.reached(failed, JobStatus.FAILED)
                await server.finished((await server.submit(token, **prompts))["job_id"])
            for code in (CODE, {"code": CODE}):
                await server.post("/api/auth/login", {"code": code})
            await server.get(f"/?code={CODE}&token={token}")
            await server.post(JOB_PATH, {"prompt": PROMPT, "width": "x"}, token=token)
            await server.post(JOB_PATH, f'{{"prompt": "{PROMPT}'.encode(), token=token)
            await server.get("/api/user/me", headers={"Authorization": SUPERUSER_TOKEN})
            await server.get("/api/user/me", token=f"{token}x")
            with pytest.raises(Refused):
                async with server.listening(f"{token}x"):
                    pass
            _break_database(server.settings.data_dir / "navigator.sqlite3")
            job = {"model_name": CHECKPOINT, **prompts}
            broken = [
                await server.post(JOB_PATH, job, token=token),
                await server.get(f"/api/images/{failed}/info?code={CODE}", token=token),
            ]
            assert [answer.status for answer in broken] == [500, 500]
            assert "XPROMPTX" not in str(broken)
    text = (tmp_path / "logs" / "navigator.log").read_text() + capsys.readouterr().err
    assert "Traceback" in text
    assert "attempt 1 failed" in text
    found = [word for word in (PROMPT, NEGATIVE_PROMPT, CODE, PASSWORD, token, SECRET_KEY,
                               SUPERUSER_TOKEN, "XPROMPTX", "XCODEX") if word in text]  # fmt: skip
    assert found == []


def _refusing_forge() -> Simulator:
    """A Forge that refuses the first job, repeating in the answer what it was sent."""
    refusals = iter(range(3))

    @web.middleware
    async def refuse(request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path == "/sdapi/v1/txt2img" and next(refusals, None) is not None:
            problem = {"type": "missing", "loc": ["body", "x"], "input": await request.json()}
            return web.json_response({"detail": [problem]}, status=422)
        response: web.StreamResponse = await handler(request)
        return response

    forge = Simulator(INSTANT, catalogue())
    forge.app.middlewares.insert(0, refuse)
    return forge


def _break_database(path: Path) -> None:
    """Makes every statement about pictures fail, and every new job."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("ALTER TABLE generated_image RENAME TO gone")
    connection.execute(
        "CREATE TRIGGER no_job BEFORE INSERT ON job BEGIN SELECT RAISE(ABORT, 'no job'); END"
    )
    connection.close()
