"""What is known of a supervised process at a moment. Only data."""

import enum
from dataclasses import dataclass
from datetime import UTC, datetime

NEVER = datetime.min.replace(tzinfo=UTC)


class ServiceState(enum.StrEnum):
    """What a service does. The names are on the wire."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    BACKOFF = "backoff"
    FAILED = "failed"


@dataclass(frozen=True)
class ServiceSnapshot:
    """A service at a moment.

    `sentence` says what matters to a person, `last_line` what it wrote last. `is_foreign`: somebody
    else started it, so that we leave it alone. `starts` counts those of ours.
    """

    name: str
    state: ServiceState = ServiceState.STOPPED
    since: datetime = NEVER
    pid: int | None = None
    sentence: str | None = None
    last_line: str = ""
    is_foreign: bool = False
    starts: int = 0
    exit_code: int | None = None
