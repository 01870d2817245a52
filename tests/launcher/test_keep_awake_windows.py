"""Tests of `launcher/keep_awake.py`: Windows' way, with a fake of its call."""

from launcher.keep_awake import ExecutionState, KeepAwake


async def test_windows_is_told_from_one_thread() -> None:
    calls: list[int] = []

    def call(state: int) -> int:
        calls.append(state)
        return 1

    awake = KeepAwake(ExecutionState(call))
    await awake.want(True)
    await awake.want(False)
    assert calls == [0x80000001, 0x80000000]
    refusing = KeepAwake(ExecutionState(lambda _: 0))
    await refusing.want(True)
    assert not refusing.is_holding
