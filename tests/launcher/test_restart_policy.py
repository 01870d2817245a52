"""Tests of `launcher/restart_policy.py`."""

import pytest

from launcher.restart_policy import RestartPolicy, Restarts


def test_pauses_grow_while_starts_come_to_nothing() -> None:
    restarts = Restarts(RestartPolicy(limit=0, first_pause_s=0.5, longest_pause_s=3))
    assert [restarts.failed(second) for second in range(5)] == [0.5, 1, 2, 3, 3]


def test_one_that_was_ready_is_started_again_at_once() -> None:
    restarts = Restarts(RestartPolicy(limit=0, first_pause_s=0.5))
    for second in range(4):
        restarts.failed(second)
    restarts.was_ready()
    assert restarts.failed(5) == 0.5


@pytest.mark.parametrize("is_ready", [False, True])
def test_fourth_failure_in_a_minute_is_the_last(is_ready: bool) -> None:
    restarts = Restarts(RestartPolicy(limit=4, within_s=60))
    for second in (0, 20, 40):
        assert restarts.failed(second) is not None
        if is_ready:
            restarts.was_ready()
    assert restarts.failed(59.9) is None


def test_failures_that_are_long_ago_do_not_count() -> None:
    restarts = Restarts(RestartPolicy(limit=4, within_s=60))
    for second in range(0, 3000, 21):
        assert restarts.failed(second) is not None


def test_slow_failures_get_long_pauses() -> None:
    restarts = Restarts(RestartPolicy())
    pauses = [restarts.failed(second) for second in range(0, 100_000, 400)]
    assert pauses[:11] == [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert set(pauses[11:]) == {300}


def test_a_person_begins_anew() -> None:
    restarts = Restarts(RestartPolicy(limit=2))
    restarts.failed(0)
    restarts.forget()
    assert restarts.failed(1) == 0.5


def test_pause_of_very_many_failures_is_the_longest() -> None:
    restarts = Restarts(RestartPolicy(limit=0, longest_pause_s=30))
    assert [restarts.failed(float(number)) for number in range(5000)][-1] == 30
