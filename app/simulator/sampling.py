"""One run under the generation lock: load, sample, second pass. Encodes nothing.

Order of the phases and of the failures: forge recordings, section 9 and `txt2img/*`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.simulator import checks, resolve
from app.simulator.errors import PythonError
from app.simulator.faults import OUT_OF_MEMORY, WHILE_SAMPLING, Fault, FaultKind
from app.simulator.forge import Forge
from app.simulator.infotext import Description
from app.simulator.picture import Scene
from app.simulator.schema import Generation, Img2Img, Txt2Img
from app.simulator.tasks import Latent

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage


@dataclass
class Inputs:
    """Decoded pictures of a request."""

    first_pass: "PilImage | None" = None
    initial: "list[PilImage]" = field(default_factory=list)
    mask: "PilImage | None" = None


@dataclass(frozen=True)
class Sampled:
    """One picture of a run, not drawn yet. Sizes are pixels, `fraction` is how far it came."""

    scene: Scene
    width: int
    height: int
    fraction: float
    infotext: str


class Sampling:
    """A run from the checkpoint to the last step."""

    def __init__(
        self,
        forge: Forge,
        request: Generation,
        inputs: Inputs,
        fault: Fault | None,
        drop: Callable[[], None],
    ) -> None:
        self._forge = forge
        self._state = forge.state
        self._request = request
        self._inputs = inputs
        self._fault = fault
        self._step = 0
        self._drop = drop
        self.pictures: list[Sampled] = []

    async def run(self) -> Description:
        """Samples all batches into `pictures`; gives what was used. Raises ForgeError."""
        request, forge = self._request, self._forge
        overrides = request.override_settings or {}
        forge.options.check_keys(list(overrides))
        stored = {key: forge.options.values[key] for key in overrides}
        try:
            forge.loader.apply(overrides)
            checkpoint = await forge.loader.load()
            description = resolve.describe(
                request, forge.disk, forge.loader, checkpoint, self._state.job_timestamp
            )
            await self._sample_all(description)
        finally:
            if request.override_settings_restore_afterwards:
                forge.loader.restore(stored)
        return description

    async def _sample_all(self, used: Description) -> None:
        request, state = self._request, self._state
        checks.check_numbers(request)
        hires = isinstance(request, Txt2Img) and bool(request.enable_hr)
        if isinstance(request, Txt2Img) and hires:
            checks.check_hires_start(request, self._forge.disk)
            checks.check_first_pass(
                request, self._inputs.first_pass, patched=self._forge.settings.patched
            )
        if isinstance(request, Img2Img):
            checks.check_initial_images(request, len(self._inputs.initial))
            if self._inputs.mask is not None:
                black = self._inputs.mask.convert("L").getbbox() is None
                used.extra |= resolve.mask_entries(request, all_black=black)
        state.job_count = used.n_iter * (2 if hires else 1)
        for iteration in range(used.n_iter):
            state.skipped = False
            if state.interrupted:
                break
            if used.n_iter > 1:
                state.job = f"Batch {iteration + 1} out of {used.n_iter}"
            await self._sample_batch(used, iteration)
            state.next_job()

    async def _sample_batch(self, used: Description, iteration: int) -> None:
        request = self._request
        first = iteration * used.batch_size
        scene = self._scene(used, first)
        width, height, steps = used.width // 8 * 8, used.height // 8 * 8, used.steps
        if isinstance(request, Img2Img):
            steps = int(steps * min(request.denoising_strength, 0.999)) + 1
        if isinstance(request, Txt2Img) and request.enable_hr:
            fraction = 1.0
            if self._inputs.first_pass is None:
                fraction = await self._sample(Latent(scene, width, height), steps)
            if not self._state.interrupted:
                self._state.next_job()
                checks.check_second_pass(request)
                width, height = hires_size(request, width, height)
                steps = request.hr_second_pass_steps or steps
                fraction = await self._sample(Latent(scene, width, height), steps)
        else:
            fraction = await self._sample(Latent(scene, width, height), steps)
        for index in range(first, first + used.batch_size):
            self.pictures.append(
                Sampled(self._scene(used, index), width, height, fraction, used.infotext(index))
            )

    async def _sample(self, latent: Latent, steps: int) -> float:
        """Runs the steps; gives the part of them that was done, in [0, 1]."""
        state, step_time_s = self._state, self._forge.settings.step_time_s
        state.sampling_steps = steps
        state.latent = latent
        if step_time_s == 0 and self._fault is None:
            # An instant Forge: one turn of the event loop instead of one per step.
            await asyncio.sleep(0)
            return 1.0
        for step in range(steps):
            if state.interrupted or state.skipped:
                return step / steps
            await self._strike()
            await asyncio.sleep(step_time_s)
            self._step += 1
            # The last step is never shown: the job number counts up instead.
            state.sampling_step = min(step + 1, steps - 1)
        await self._strike(at_the_end=True)
        return 1.0

    async def _strike(self, *, at_the_end: bool = False) -> None:
        fault = self._fault
        if fault is None or (self._step < fault.after_steps and not at_the_end):
            return
        self._fault = None
        if fault.kind is FaultKind.HANG:
            await self._forge.faults.hang()
        elif fault.kind is FaultKind.CRASH:
            raise PythonError(
                "RuntimeError", "CUDA error: an illegal memory access was encountered"
            )
        elif fault.kind is FaultKind.OUT_OF_MEMORY:
            raise PythonError("OutOfMemoryError", OUT_OF_MEMORY)
        elif fault.kind is FaultKind.DROP:
            self._drop()

    def _scene(self, used: Description, index: int) -> Scene:
        variation = f"{used.subseed + index} {used.subseed_strength}" * bool(used.subseed_strength)
        style = f"{used.checkpoint.sha256} {used.modules} {used.sampler} {variation}"
        return Scene(used.prompt, used.negative_prompt, used.seed_of(index), style)


def hires_size(request: Txt2Img, width: int, height: int) -> tuple[int, int]:
    """Gives the size of the second pass: each side rounded down to a multiple of 8."""
    wide, high = request.hr_resize_x or 0, request.hr_resize_y or 0
    if not wide and not high:
        scale = request.hr_scale or 1.0
        wide, high = int(width * scale), int(height * scale)
    wide = wide or high * width // height
    high = high or wide * height // width
    return max(8, wide // 8 * 8), max(8, high // 8 * 8)


def sampling_fault(forge: Forge, path: str) -> Fault | None:
    return forge.faults.take(path, WHILE_SAMPLING)
