"""Tests of `app/accounts/throttle.py`: a burst, then one per interval, whoever else tries."""

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.throttle import Throttle, key_of
from app.errors import Throttled, TooMany

BURST = 10
INTERVAL_S = 60.0
WAITS_S = st.floats(0, 500)


@dataclass
class Clock:
    """A clock that a test moves."""

    now_s: float = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Trying:
    """A throttle, and what became of each attempt."""

    clock: Clock = field(default_factory=Clock)
    accepted_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.throttle = Throttle(burst=BURST, interval_s=INTERVAL_S, max_keys=3, clock=self.clock)

    def attempt(self, key: str = "a") -> Throttled | None:
        try:
            self.throttle.check(key)
        except Throttled as refused:
            return refused
        self.accepted_s.append(self.clock.now_s)
        return None


def test_burst_goes_through_and_then_one_per_interval() -> None:
    trying = Trying()
    assert [trying.attempt() for _ in range(BURST)] == [None] * BURST
    for _ in range(3):
        refused = trying.attempt()
        assert refused is not None
        assert (refused.status, refused.code) == (429, "THROTTLED")
        assert isinstance(refused, TooMany)
        assert refused.headers == {"Retry-After": "60"}
        assert "60 seconds" in refused.message
        trying.clock.now_s += INTERVAL_S
        assert trying.attempt() is None


def test_waiting_is_told_in_whole_seconds_and_never_none() -> None:
    trying = Trying()
    for _ in range(BURST):
        trying.attempt()
    trying.clock.now_s += 59.99
    refused = trying.attempt()
    assert refused is not None
    assert refused.headers["Retry-After"] == "1"


def test_refused_attempts_cost_nothing() -> None:
    trying = Trying()
    for _ in range(100):
        trying.attempt()
    trying.clock.now_s += INTERVAL_S
    assert trying.attempt() is None


def test_looking_counts_nothing_and_counting_refuses_nobody() -> None:
    trying = Trying()
    for _ in range(3 * BURST):
        trying.throttle.refuse("a")
    assert trying.throttle.remembered == 0
    for _ in range(3 * BURST):
        trying.throttle.count("a")
    with pytest.raises(Throttled) as refused:
        trying.throttle.refuse("a")
    assert refused.value.headers == {"Retry-After": "60"}


def test_keys_do_not_know_of_each_other() -> None:
    trying = Trying()
    for _ in range(2 * BURST):
        trying.attempt("a")
    assert trying.attempt("b") is None
    assert trying.attempt("a") is not None


def test_memory_is_bounded_and_who_is_refused_is_remembered() -> None:
    trying = Trying()
    for _ in range(2 * BURST):
        trying.attempt("guesser")
    for number in range(1000):
        trying.attempt(f"other {number}")
        assert trying.attempt("guesser") is not None
        assert trying.throttle.remembered <= 3


@given(st.lists(WAITS_S, max_size=100))
def test_no_span_has_more_than_a_burst_and_one_per_interval(waits_s: list[float]) -> None:
    trying = Trying()
    for wait_s in waits_s:
        trying.clock.now_s += wait_s
        trying.attempt()
    times = trying.accepted_s
    for first in range(len(times)):
        for last in range(first, len(times)):
            span_s = times[last] - times[first]
            assert last - first + 1 <= BURST + span_s / INTERVAL_S + 1e-3


@given(st.lists(WAITS_S, max_size=60))
def test_who_waits_as_told_is_let_in(waits_s: list[float]) -> None:
    trying = Trying()
    for wait_s in waits_s:
        trying.clock.now_s += wait_s
        refused = trying.attempt()
        if refused is not None:
            trying.clock.now_s += int(refused.headers["Retry-After"])
            assert trying.attempt() is None


@given(st.lists(st.floats(-1e6, 1e6), max_size=60))
def test_clock_that_jumps_locks_nobody_out_for_longer(jumps_s: list[float]) -> None:
    trying = Trying()
    for jump_s in jumps_s:
        trying.clock.now_s += jump_s
        refused = trying.attempt()
        if refused is not None:
            assert 1 <= int(refused.headers["Retry-After"]) <= BURST * INTERVAL_S


@given(st.ip_addresses())
def test_key_of_an_address_is_itself_or_its_64(address: object) -> None:
    key = key_of(str(address))
    parsed = ip_address(str(address))
    if parsed.version == 4:
        assert key == str(address)
        assert key_of(f"::ffff:{address}") == key
    elif parsed.ipv4_mapped is None:
        assert key.endswith("/64")
        assert parsed in ip_network(key)


def test_neighbours_over_ipv6_are_one_and_others_are_not() -> None:
    assert key_of("2001:db8:1:2::1") == key_of("2001:db8:1:2:ffff:ffff:ffff:ffff")
    assert key_of("2001:db8:1:2::1") != key_of("2001:db8:1:3::1")
    assert key_of("192.0.2.1") != key_of("192.0.2.2")
    assert key_of("unknown") == "unknown"
