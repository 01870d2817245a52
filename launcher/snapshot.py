"""What a person sees of everything, frozen. Pure."""

from dataclasses import dataclass
from typing import Any

from launcher.doctor import Treatments
from launcher.navigator_api import NavigatorStatus
from launcher.service_state import ServiceSnapshot, ServiceState


@dataclass(frozen=True)
class Snapshot:
    """Both services and what is known of them.

    `url` is where Navigator answers, None while it does not; `notice` what the owner should know.
    """

    forge: ServiceSnapshot
    navigator: ServiceSnapshot
    status: NavigatorStatus | None
    treatments: Treatments
    url: str | None
    forge_url: str
    keeps_awake: bool
    notice: str | None

    def as_json(self) -> dict[str, Any]:
        """The same for programs. Names are stable."""
        status = self.status
        return {
            "forge": _service(self.forge)
            | {
                "url": self.forge_url,
                "restarts": dict(self.treatments.counts),
                "last_restart": self.treatments.last,
            },
            "navigator": _service(self.navigator) | {"url": self.url},
            "jobs": status
            and {
                "running": status.job,
                "waiting": status.waiting,
                "paused": status.pause.is_paused,
            },
            "keeps_awake": self.keeps_awake,
            "notice": self.notice,
        }

    def as_text(self) -> str:
        """The same for people, some lines."""
        lines = [_line(self.forge, self.forge_url), _line(self.navigator, self.url)]
        if self.status is not None:
            drawing = "drawing" if self.status.job is not None else "idle"
            paused = ", paused" if self.status.pause.is_paused else ""
            lines.append(f"Queue: {drawing}, {self.status.waiting} waiting{paused}")
        restarts = sum(self.treatments.counts.values())
        if restarts:
            lines.append(f"Forge was restarted {restarts} times; the last time: "
                         f"{self.treatments.last}")  # fmt: skip
        lines += [line for line in (self.treatments.now, self.notice) if line]
        return "\n".join(lines)


def _service(service: ServiceSnapshot) -> dict[str, Any]:
    return {
        "state": service.state.value,
        "since": service.since.isoformat(timespec="seconds"),
        "pid": service.pid,
        "sentence": service.sentence,
        "last_line": service.last_line,
        "is_foreign": service.is_foreign,
        "starts": service.starts,
        "exit_code": service.exit_code,
    }


def _line(service: ServiceSnapshot, url: str | None) -> str:
    told = f"{service.name}: {service.state.value}"
    if service.state is ServiceState.RUNNING and url is not None:
        told += f" at {url}"
    if service.sentence:
        told += f" ({service.sentence})"
    if service.state is ServiceState.STARTING and service.last_line:
        told += f" | {service.last_line}"
    return told
