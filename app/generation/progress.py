"""What Forge is doing with one of our tasks, and when that is no progress any more."""

from dataclasses import dataclass, field, replace
from enum import Enum

from app.clients.forge import ForgeClient, GlobalProgress
from app.clients.forge_http import MissingRoute


class Phase(Enum):
    """Where our task is."""

    WAITING = "another task runs"
    LOADING = "a checkpoint loads"
    SAMPLING = "our picture is drawn"


@dataclass(frozen=True)
class Observation:
    """One look at our task. `fraction` is in [0, 1], `step` counts finished steps of this pass.

    `is_by_id` is False when it was whatever runs that was looked at.
    """

    phase: Phase
    fraction: float = 0.0
    eta_s: float = 0.0
    job_number: int = 0
    step: int = 0
    steps: int = 0
    preview: bytes | None = field(default=None, repr=False)
    is_by_id: bool = True

    @property
    def may_interrupt(self) -> bool:
        """Whether Forge's global interrupt would hit our task and no other."""
        return self.phase is Phase.SAMPLING or (self.phase is Phase.LOADING and self.is_by_id)


class TaskWatch:
    """Looks at one task by its id; without `/internal/progress` (`--nowebui`), at whatever runs.

    Use it only while our request is in flight: without the id that, and not being what ran
    before, is all that makes the task ours.
    """

    def __init__(self, forge: ForgeClient, task_id: str, *, foreign: str | None = None):
        """`foreign` is when the task began that ran before ours was sent, as Forge tells it."""
        self._forge = forge
        self._task_id = task_id
        self._foreign = foreign
        self._by_id = True
        self._preview_id = -1
        self._last_preview: bytes | None = None

    async def observe(self) -> Observation:
        """One look. Raises what `ForgeClient` raises."""
        if self._by_id:
            try:
                return await self._observe_by_id()
            except MissingRoute:
                self._by_id = False
        running = await self._forge.progress(preview=True)
        if running.job_count == 0 or running.begun_at == self._foreign:
            return Observation(Phase.WAITING, is_by_id=False)
        changed = running.preview if running.preview != self._last_preview else None
        self._last_preview = running.preview
        return replace(_observation(running, changed), is_by_id=False)

    async def _observe_by_id(self) -> Observation:
        task = await self._forge.task_progress(self._task_id, preview_id=self._preview_id)
        if not task.active:
            return Observation(Phase.WAITING)
        self._preview_id = max(self._preview_id, task.preview_id)
        running = await self._forge.progress()
        if running.job_count == 0:  # it has ended between the two looks
            return Observation(Phase.WAITING)
        return _observation(running, task.preview)


def _observation(running: GlobalProgress, preview: bytes | None) -> Observation:
    if running.job_count < 0:  # until sampling starts, `steps` are those of the run before
        return Observation(Phase.LOADING, eta_s=max(0.0, running.eta_s))
    return Observation(
        Phase.SAMPLING,
        fraction=min(1.0, max(0.0, running.fraction)),
        eta_s=max(0.0, running.eta_s),
        job_number=running.job_number,
        step=running.step,
        steps=running.steps,
        preview=preview,
    )


class Watchdog:
    """Says when a task makes no progress any more. Times are monotonic seconds."""

    def __init__(self, now_s: float, *, stall_s: float, load_s: float):
        self._stall_s = stall_s
        self._load_s = load_s
        self._phase = Phase.SAMPLING  # a Forge that never answers has the shorter limit
        self._step: tuple[int, int] | None = None
        self._changed_s = now_s

    def saw(self, observation: Observation, now_s: float) -> None:
        """Takes note of one look."""
        step = (observation.job_number, observation.step)
        waits = observation.phase is Phase.WAITING
        if waits or (observation.phase, step) != (self._phase, self._step):
            self._changed_s = now_s
        self._phase, self._step = observation.phase, step

    def stalled(self, now_s: float) -> str | None:
        """A sentence when the limit has passed, else None."""
        loading = self._phase is Phase.LOADING
        limit_s = self._load_s if loading else self._stall_s
        if now_s - self._changed_s < limit_s:
            return None
        minutes = f"{limit_s / 60:g} minutes"
        if loading:
            return f"Forge did not finish loading the checkpoint within {minutes}."
        if self._step is None:
            return f"Forge told nothing about the job for {minutes}."
        return f"Forge stopped drawing at step {self._step[1]}: no progress for {minutes}."
