"""Where log lines go and how they look. Tokens, login codes and prompts never get into one."""

import logging
import logging.handlers
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_MAX_FILE_BYTES = 5_000_000
_KEPT_FILES = 5
# What a text must hold to be looked at, and what is masked in it. The one group of each pattern is
# what stands before the secret and stays.
_SECRETS = (
    ("eyJ", re.compile(r"()eyJ[\w-]{8,}\.[\w-]+\.[\w-]*")),  # a JSON Web Token
    ("earer ", re.compile(r"([Bb]earer )\S+")),
    ("=", re.compile(r"(?i)([?&](?:code|token|api_key)=)[^&\s\"']+")),
    ("://", re.compile(r"(://)[^/\s:@]+:[^/\s@]+(?=@)")),
)
_HOLD_NO_SECRETS = {"level", "logger", "timestamp"}
MASK = "***"


def configure(data_dir: Path, *, secrets: Sequence[str] = (), level: int = logging.INFO) -> None:
    """Logs to stderr for people and to `<data_dir>/logs/navigator.log` as JSON, rotating.

    `secrets` are texts that are masked wherever they turn up.
    """
    folder = data_dir / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    file = logging.handlers.RotatingFileHandler(
        folder / "navigator.log",
        maxBytes=_MAX_FILE_BYTES,
        backupCount=_KEPT_FILES,
        encoding="utf-8",
        delay=True,
    )
    screen = logging.StreamHandler(sys.stderr)
    masked = _masking(secrets)
    file.setFormatter(_formatter(masked, structlog.processors.JSONRenderer(serializer=_json)))
    screen.setFormatter(_formatter(masked, _line))
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(file)
    root.addHandler(screen)
    root.setLevel(level)
    for noisy in (
        "hypercorn",
        "hypercorn.error",
        "engineio",
        "engineio",
        "socketio",
        "asyncio",
        "tortoise",
        "aiosqlite",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # Its errors are what clients do: go away in the middle, send junk.
    logging.getLogger("engineio.server").setLevel(logging.CRITICAL)


def _line(_logger: WrappedLogger, _name: str, event: EventDict) -> str:
    """One record for people: time, level, sentence, where it comes from."""
    line = f"{event['timestamp']} {event['level']:8} {event['event']} [{event['logger']}]"
    return f"{line}\n{event['exception']}" if "exception" in event else line


def _json(event: EventDict, **_options: Any) -> str:
    return orjson.dumps(event, default=str).decode()


def _formatter(masked: Processor, renderer: Processor) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            masked,
            renderer,
        ],
    )


def _masking(secrets: Sequence[str]) -> Processor:
    known = [text for text in secrets if len(text) >= 6]

    def mask(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        for key, value in event.items():
            if isinstance(value, str) and key not in _HOLD_NO_SECRETS:
                event[key] = _without_secrets(value, known)
        return event

    return mask


def _without_secrets(text: str, known: Sequence[str]) -> str:
    for secret in known:
        text = text.replace(secret, MASK)
    for mark, pattern in _SECRETS:
        if mark in text:
            text = pattern.sub(rf"\1{MASK}", text)
    return text
