"""How much of the GPU's memory is in use: an NVIDIA card's, where its driver is there.

It asks the driver (NVML), never CUDA, so that it takes no memory itself.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from launcher.view import GpuMemory

log = logging.getLogger(__name__)

_AGAIN_S = 300.0


class Gpu:
    """The first card. Methods block for some milliseconds."""

    def __init__(self, nvml: Any = None, *, clock: Callable[[], float] = time.monotonic):
        """`nvml` is for tests; else `pynvml`."""
        self._nvml = nvml
        self._clock = clock
        self._card: Any = None
        self._asked_s = float("-inf")

    def read(self) -> GpuMemory | None:
        """Now; None when there is no such card, or it cannot be asked."""
        try:
            card = self._opened()
            if card is None:
                return None
            told = self._nvml.nvmlDeviceGetMemoryInfo(card)
            return GpuMemory(int(told.used), int(told.total))
        except Exception as error:  # the driver was renewed, or the card has gone
            log.info("the GPU's memory cannot be read: %s", error)
            self._card = None
            self._asked_s = self._clock()
            return None

    def _opened(self) -> Any:
        if self._card is None and self._clock() - self._asked_s >= _AGAIN_S:
            self._asked_s = self._clock()
            if self._nvml is None:
                import pynvml  # noqa: PLC0415 - loads the driver's library

                self._nvml = pynvml
            try:
                self._nvml.nvmlInit()
                self._card = self._nvml.nvmlDeviceGetHandleByIndex(0)
            except Exception as error:  # its own kind of error, for whatever is missing
                log.debug("no NVIDIA card: %s", error)
        return self._card
