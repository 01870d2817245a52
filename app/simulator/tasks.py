"""Forge's bookkeeping of runs: the task table and the one global job state.

Both keep the faults of the original: a run that throws stays current until the next one
starts, one that throws before it starts stays pending for ever (forge recordings, section 9).
"""

import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from app.simulator.picture import Scene


class TaskTable:
    """Which task ids wait, which one runs, which ones ended lately."""

    def __init__(self) -> None:
        self.current: str | None = None
        self.pending: dict[str, float] = {}
        self.finished: deque[str] = deque(maxlen=16)

    def add(self, task_id: str) -> None:
        self.pending[task_id] = time.time()

    def start(self, task_id: str) -> None:
        self.pending.pop(task_id, None)
        self.current = task_id

    def finish(self, task_id: str) -> None:
        if self.current == task_id:
            self.current = None
        self.finished.append(task_id)

    def place(self, task_id: str) -> str:
        """Gives the text that a task which does not run is shown."""
        waiting = sorted(self.pending, key=self.pending.__getitem__)
        if task_id in self.pending:
            return f"In queue: {waiting.index(task_id) + 1}/{len(waiting)}"
        return "Waiting..."


@dataclass(frozen=True)
class Latent:
    """What is being sampled, enough to draw a preview of it. Sizes are pixels."""

    scene: Scene
    width: int
    height: int


@dataclass
class JobState:
    """The fields of `state` in `GET /sdapi/v1/progress` and what belongs to them."""

    skipped: bool = False
    interrupted: bool = False
    stopping_generation: bool = False
    job: str = ""
    job_count: int = 0
    job_timestamp: str = "0"
    job_no: int = 0
    sampling_step: int = 0
    sampling_steps: int = 0
    started_at: float | None = None
    """`time.monotonic()` of the last begin; None before the first run of the process."""
    run: int = 0
    """Counts the runs, so that a slow preview does not land in the next run."""
    latent: Latent | None = None
    current_image: bytes | None = None
    """The latest preview, PNG, JPEG or WebP bytes in full colour."""
    preview_id: int = 0
    preview_step: int = 0
    textinfo: str | None = None

    def begin(self, job: str) -> None:
        self.run += 1
        self.skipped = self.interrupted = self.stopping_generation = False
        self.job = job
        self.job_count = -1
        self.job_timestamp = datetime.now().strftime("%Y%m%d%H%M%S")  # noqa: DTZ005
        self.job_no = 0
        self.sampling_step = 0
        self.started_at = time.monotonic()
        self.latent = None
        self.current_image = None
        self.preview_id = 0
        self.preview_step = 0

    def next_job(self) -> None:
        self.job_no += 1
        self.sampling_step = 0
        self.preview_step = 0

    def end(self) -> None:
        self.job = ""
        self.job_count = 0
        self.latent = None

    def elapsed_s(self) -> float:
        return 0.0 if self.started_at is None else time.monotonic() - self.started_at

    def fraction(self) -> float:
        """Gives the done part of the run, in [0, 1] but for rounding; 0 while idle or loading."""
        if self.job_count <= 0:
            return 0.0
        done = self.job_no / self.job_count
        if self.sampling_steps > 0:
            done += self.sampling_step / self.sampling_steps / self.job_count
        return done

    def shown(self) -> dict[str, object]:
        return {
            "skipped": self.skipped,
            "interrupted": self.interrupted,
            "stopping_generation": self.stopping_generation,
            "job": self.job,
            "job_count": self.job_count,
            "job_timestamp": self.job_timestamp,
            "job_no": self.job_no,
            "sampling_step": self.sampling_step,
            "sampling_steps": self.sampling_steps,
        }
