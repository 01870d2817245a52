"""Tests of `launcher/gpu.py`, with a driver of the test's."""

from types import SimpleNamespace

from launcher.gpu import Gpu
from launcher.view import GpuMemory


class Driver:
    """NVML, as far as it is asked."""

    def __init__(self) -> None:
        self.is_there = True
        self.inits = 0

    def nvmlInit(self) -> None:  # noqa: N802
        self.inits += 1
        if not self.is_there:
            raise RuntimeError("Driver Not Loaded")

    def nvmlDeviceGetHandleByIndex(self, number: int) -> str:  # noqa: N802
        return f"card {number}"

    def nvmlDeviceGetMemoryInfo(self, card: str) -> SimpleNamespace:  # noqa: N802
        if not self.is_there:
            raise RuntimeError("GPU is lost")
        return SimpleNamespace(used=7_900_000_000, total=12_000_000_000)


def test_memory_of_the_first_card_is_read() -> None:
    driver = Driver()
    gpu = Gpu(driver)
    assert gpu.read() == gpu.read() == GpuMemory(7_900_000_000, 12_000_000_000)
    assert driver.inits == 1


def test_driver_that_is_missing_is_asked_again_seldom() -> None:
    driver, now_s = Driver(), [0.0]
    gpu = Gpu(driver, clock=lambda: now_s[0])
    driver.is_there = False
    assert gpu.read() is None
    driver.is_there = True
    assert gpu.read() is None
    now_s[0] = 300.0
    assert gpu.read() is not None
    driver.is_there = False  # the card goes
    assert gpu.read() is None
    driver.is_there = True
    now_s[0] = 600.0
    assert gpu.read() is not None


def test_machine_without_a_card_shows_nothing() -> None:
    assert Gpu().read() is None  # as the machines of the tests are
