"""When a service that failed is started again, and when that is given up. Pure: no clock."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RestartPolicy:
    """The brake and the back-off.

    After `limit` failures within `within_s` seconds the service is given up; 0 never does. Starts
    that came to nothing are followed by longer and longer pauses.
    """

    limit: int = 4
    within_s: float = 60.0
    first_pause_s: float = 0.5
    longest_pause_s: float = 300.0


class Restarts:
    """What became of the starts of one service. Times are monotonic seconds."""

    def __init__(self, policy: RestartPolicy):
        self._policy = policy
        self._failures_s: list[float] = []
        self._fruitless = 0

    def was_ready(self) -> None:
        """Takes note that the last start came to something."""
        self._fruitless = 0

    def failed(self, now_s: float) -> float | None:
        """Seconds to wait before the next start; None to give up."""
        policy = self._policy
        self._fruitless += 1
        since_s = now_s - policy.within_s
        self._failures_s = [failed_s for failed_s in self._failures_s if failed_s > since_s]
        self._failures_s.append(now_s)
        if policy.limit and len(self._failures_s) >= policy.limit:
            return None
        doublings = min(self._fruitless - 1, 16)
        return min(policy.first_pause_s * 2.0**doublings, policy.longest_pause_s)

    def forget(self) -> None:
        """Begins anew, because a person wants it started."""
        self._failures_s.clear()
        self._fruitless = 0
