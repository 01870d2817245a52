"""Frees the GPU for its owner's own use: pauses the queue, waits for what runs, unloads.

Nothing is ever unloaded under a run of ours: while it happens no job can start.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from app.clients.forge import ForgeClient, GpuMemory
from app.errors import UpstreamFailed, UpstreamUnavailable
from app.generation.loaded_checkpoint import LoadedCheckpoint
from app.jobs.models import Lane
from app.jobs.pause import Pauses
from app.jobs.queue import JobQueue
from app.tasks import running

_LANE = Lane.GENERATION
_LOOK_S = 0.25
_IDLE_PATIENCE_S = 1800.0
# What CUDA and small networks of Forge's keep is far below, a checkpoint far above.
_REMAINS_BYTES = 1_000_000_000


class FreeingState(StrEnum):
    """How far it got. `failed` says that the GPU may still be in use; the queue stays paused."""

    FREEING = "freeing"
    FREED = "freed"
    FAILED = "failed"


@dataclass(frozen=True)
class Freeing:
    """A wish to have the GPU free. It holds as long as the pause that began then.

    `waits_for` and `error` are sentences for the owner. `gpu` is what Forge reported afterwards;
    None when it cannot tell.
    """

    paused_at: datetime
    state: FreeingState = FreeingState.FREEING
    waits_for: str | None = None
    error: str | None = None
    gpu: GpuMemory | None = None


@dataclass(frozen=True)
class Unloaded:
    """What Forge reported after it had unloaded; `gpu` is None when it cannot tell.

    `error` is a sentence when it still holds a lot.
    """

    gpu: GpuMemory | None
    error: str | None


async def unload(forge: ForgeClient, loaded: LoadedCheckpoint) -> Unloaded:
    """Unloads the checkpoint. Whoever calls holds the gate of the lane, and has seen Forge idle.

    Raises as the client does when Forge does not unload.
    """
    await forge.unload()
    loaded.unload()
    gpu = None
    with contextlib.suppress(UpstreamFailed, UpstreamUnavailable):
        gpu = await forge.gpu_memory()
    if gpu is None or gpu.allocated_bytes <= _REMAINS_BYTES:
        return Unloaded(gpu, None)
    loaded.doubt()
    held = f"{gpu.allocated_bytes / 1e9:.1f} GB"
    return Unloaded(gpu, f"Forge has unloaded, but still holds {held} of the GPU's memory.")


class Unloading:
    """Frees the GPU when its owner asks for it."""

    def __init__(
        self,
        forge: ForgeClient,
        queue: JobQueue,
        pauses: Pauses,
        loaded: LoadedCheckpoint,
        *,
        look_s: float = _LOOK_S,
        idle_patience_s: float = _IDLE_PATIENCE_S,
    ):
        """`idle_patience_s` is how long Forge may work on something that is not ours."""
        self._forge = forge
        self._queue = queue
        self._pauses = pauses
        self._loaded = loaded
        self._look_s = look_s
        self._idle_patience_s = idle_patience_s
        self._freeing: Freeing | None = None
        self._asked = asyncio.Event()

    @property
    def state(self) -> Freeing | None:
        """How far it got; None when nobody has asked, or the queue was resumed since."""
        pause = self._pauses.state(_LANE)
        if self._freeing is None or pause is None or pause.paused_at != self._freeing.paused_at:
            return None
        return self._freeing

    async def free(self, *, for_s: float | None = None) -> Freeing:
        """Pauses the queue, for so many seconds or until it is resumed, and begins.

        Returns at once; `state` tells how it goes on. Asking again frees again, if it is not being
        done. Resuming the queue ends it.
        """
        pause = await self._pauses.pause(_LANE, for_s=for_s)
        before = self.state
        if before is not None and before.state is FreeingState.FREEING:
            return before
        self._freeing = Freeing(pause.paused_at, waits_for=self._what_runs())
        self._asked.set()
        return self._freeing

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Does what is asked for while the block runs."""
        async with running(self._work()):
            yield

    async def _work(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                await self._free()
            except (UpstreamFailed, UpstreamUnavailable) as error:
                self._say(state=FreeingState.FAILED, error=error.message)

    async def _free(self) -> None:
        patient_until_s = self._now_s() + self._idle_patience_s
        while self.state is not None:
            if (running := self._what_runs()) is not None:
                self._say(waits_for=running)
                patient_until_s = self._now_s() + self._idle_patience_s
            elif (await self._forge.progress()).job_count != 0:
                self._say(waits_for="Forge works on something that is not Navigator's.")
                if self._now_s() > patient_until_s:
                    message = "Forge does not become idle, so the GPU was not freed."
                    raise UpstreamFailed(message, service="forge")
            elif await self._unload():
                return
            await asyncio.sleep(self._look_s)

    async def _unload(self) -> bool:
        """Unloads if really nothing runs; says whether it is done."""
        async with self._pauses.gate(_LANE) as is_open:
            if is_open or self._queue.running(_LANE):
                return False
            self._say(waits_for=None)
            done = await unload(self._forge, self._loaded)
        state = FreeingState.FREED if done.error is None else FreeingState.FAILED
        self._say(state=state, error=done.error, gpu=done.gpu)
        return True

    def _what_runs(self) -> str | None:
        jobs = self._queue.running(_LANE)
        return f"Job {jobs[0].id} is still running." if jobs else None

    def _say(self, **changes: object) -> None:
        """Changes the state, unless the queue was resumed since."""
        if (freeing := self.state) is not None:
            self._freeing = replace(freeing, **changes)  # type: ignore[arg-type]

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()
