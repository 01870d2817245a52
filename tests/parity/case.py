"""What is known of one recording before it is replayed. Data only."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from app.simulator import Fault
from tests.parity.world import World

# Users of the recordings, and one who owns nothing and is nobody.
OWNER = "100000000000000001"
OTHER = "100000000000000002"
DEMO = "demo_user"
SUPERUSER = "superuser"
DISABLED = "100000000000000003"
UNKNOWN = "100000000000000004"

Stage = Callable[[World], Awaitable[Mapping[str, str]]]


@dataclass(frozen=True)
class Case:
    """One recording, replayed `by` somebody, None for nobody.

    `stage` makes what the recording finds, and gives the ids that are others than the recorded
    ones. `but` names each place that differs, and the row of CONTRIBUTING.md's table that tells
    why: `status` (then `now` is ours), `[].key` of the answer, `events.name.key` of an event.
    A refusal in place of a success, or the other way round, is that one difference only.
    `faults` are those that Forge has when the request comes, and that Navigator has not noticed.
    `is_loaded` says that Forge has loaded what the job needs; None means: as was recorded.
    """

    number: int
    by: str | None = None
    but: Mapping[str, str] = field(default_factory=dict)
    now: int | None = None
    stage: Stage | None = None
    faults: tuple[Fault, ...] = ()
    is_loaded: bool | None = None


def all_of(numbers: range | tuple[int, ...], by: str | None = None) -> list[Case]:
    """Recordings that nothing has to be said of."""
    return [Case(number, by) for number in numbers]


def in_events(keys: tuple[str, ...], reason: str, *events: str) -> dict[str, str]:
    """These keys of the answer and of the events differ, for one reason."""
    places = [*keys, *(f"events.{event}.{key}" for event in events for key in keys)]
    return dict.fromkeys(places, reason)
