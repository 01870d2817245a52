"""Tests of `launcher/menu.py`: 10,000 random moments, and those that people meet."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from launcher.commands import (
    Approve,
    CancelJob,
    Command,
    CopyAddress,
    Deny,
    Disable,
    FreeGpu,
    OpenCompass,
    PauseQueue,
    Quit,
    Restart,
    ResumeQueue,
    Share,
    Start,
    Stop,
)
from launcher.menu import MAX_CHARS, Entry, IconState, icon_state, menu, status_line
from launcher.service_state import ServiceSnapshot, ServiceState
from launcher.view import Friend, GpuMemory, Queue, Sharing, View

RUNNING = View(
    forge=ServiceSnapshot("Forge", ServiceState.RUNNING, pid=1),
    navigator=ServiceSnapshot("Navigator", ServiceState.RUNNING, pid=2),
    queue=Queue(waiting=2),
    checkpoint="RealVisXL",
    gpu=GpuMemory(7_900_000_000, 12_000_000_000),
)

moments = st.none() | st.datetimes(timezones=st.just(UTC))
texts = st.text(max_size=200)
sizes = st.integers(0, 2**45)


def services(name: str) -> st.SearchStrategy[ServiceSnapshot]:
    """Any service."""
    return st.builds(
        ServiceSnapshot,
        name=st.just(name),
        state=st.sampled_from(ServiceState),
        pid=st.none() | st.integers(1, 2**22),
        sentence=st.none() | texts,
        last_line=texts,
        is_foreign=st.booleans(),
    )


friends = st.lists(st.builds(Friend, texts, texts, st.none() | texts), max_size=30).map(tuple)
views = st.builds(
    View,
    forge=services("Forge"),
    navigator=services("Navigator"),
    queue=st.none()
    | st.builds(
        Queue,
        waiting=st.integers(0, 10**6),
        running=st.none() | texts,
        fraction=st.none() | st.floats(0, 1),
        is_paused=st.booleans(),
        resumes_at=moments,
        is_freeing=st.booleans(),
        is_freed=st.booleans(),
    ),
    checkpoint=st.none() | texts,
    waiting=friends,
    users=friends,
    gpu=st.none() | st.builds(GpuMemory, sizes, sizes, st.none() | sizes),
    sharing=st.builds(
        Sharing,
        is_on=st.booleans(),
        addresses=st.lists(texts, max_size=4).map(tuple),
        problem=st.none() | texts,
        goes_back_at=moments,
    ),
    treatment=st.none() | texts,
    starts_at_login=st.none() | st.booleans(),
)


def all_entries(entries: tuple[Entry, ...]) -> Iterator[Entry]:
    """Each entry, and those below it."""
    for entry in entries:
        yield entry
        yield from all_entries(entry.children)


def commands(view: View) -> list[Command]:
    """All that can be clicked."""
    return [entry.command for entry in all_entries(menu(view)) if entry.command is not None]


def find(view: View, label: str) -> Entry:
    """The entry of that label."""
    return next(entry for entry in all_entries(menu(view)) if entry.label == label)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(views)
def test_menu_of_any_moment_makes_sense(view: View) -> None:
    for entry in all_entries(menu(view)):
        assert len(entry.label) <= MAX_CHARS
        assert entry.label == "" or entry.label.isprintable()
        assert not (entry.children and entry.command)
    clicked = commands(view)
    ids = {friend.user_id for friend in view.waiting}
    users = {friend.user_id for friend in view.users}
    for command in clicked:
        match command:
            case Approve(user_id) | Deny(user_id):
                assert user_id in ids
            case Disable(user_id):
                assert user_id in users
            case CancelJob(job_id):
                assert view.queue is not None
                assert job_id == view.queue.running
            case PauseQueue() | ResumeQueue() | FreeGpu():
                assert view.queue is not None
            case CopyAddress(url):
                assert url == view.sharing.addresses[0]
            case Share(with_others):
                assert with_others is not view.sharing.is_on
            case OpenCompass():
                assert view.navigator.state is ServiceState.RUNNING
            case Start(service) | Stop(service) | Restart(service):
                of = view.forge if service == "forge" else view.navigator
                assert not of.is_foreign
                is_ended = of.state in {ServiceState.STOPPED, ServiceState.FAILED}
                assert isinstance(command, Start) is is_ended
    assert clicked.count(Quit()) == 1
    icon_state(view)


def test_status_line_says_it_all() -> None:
    assert status_line(RUNNING) == "Ready · 2 in queue · RealVisXL · 7.9/12 GB"
    drawing = replace(RUNNING, queue=Queue(waiting=1, running="a", fraction=0.5))
    assert status_line(drawing).startswith("Drawing · 50% · 1 in queue")
    freed = replace(
        RUNNING,
        queue=Queue(is_paused=True, is_freed=True),
        gpu=GpuMemory(600_000_000, 12_000_000_000, 7_900_000_000),
        checkpoint=None,
    )
    assert status_line(freed) == "GPU is free · 7.9 → 0.6 GB"


def test_who_knocks_is_approved_from_the_menu() -> None:
    view = replace(RUNNING, waiting=(Friend("7", "Ünal", "10.0.0.5"), Friend("8", "\n")))
    entry = find(view, "Waiting for approval (2)")
    assert [one.label for one in entry.children] == ["Ünal", "8"]
    assert [one.label for one in entry.children[0].children] == ["from 10.0.0.5", "Approve", "Deny"]
    assert {Approve("7"), Deny("8")} <= set(commands(view))


def test_gpu_is_freed_and_given_back() -> None:
    assert FreeGpu() in commands(RUNNING)
    freed = replace(RUNNING, queue=Queue(is_paused=True, is_freed=True))
    assert FreeGpu() not in commands(freed)
    assert {ResumeQueue(), FreeGpu(30), FreeGpu(60), FreeGpu(120)} <= set(commands(freed))


def test_icon_says_what_matters_most() -> None:
    friend = (Friend("7", "x"),)
    failed = ServiceSnapshot("Forge", ServiceState.FAILED)
    starting = ServiceSnapshot("Forge", ServiceState.STARTING)
    stopped = ServiceSnapshot("Navigator", ServiceState.STOPPED)
    found = [
        icon_state(view)
        for view in (
            RUNNING,
            replace(RUNNING, queue=Queue(running="a")),
            replace(RUNNING, queue=Queue(is_paused=True)),
            replace(RUNNING, waiting=friend),
            replace(RUNNING, waiting=friend, forge=failed),
            replace(RUNNING, forge=starting),
            replace(RUNNING, navigator=stopped),
            replace(RUNNING, forge=replace(stopped, name="Forge")),
            replace(RUNNING, queue=None),
        )
    ]
    assert found == [
        IconState.READY, IconState.GENERATING, IconState.PAUSED, IconState.ATTENTION,
        IconState.FAILED, IconState.STARTING, IconState.STOPPED, IconState.STOPPED,
        IconState.READY,
    ]  # fmt: skip


def test_trouble_is_a_line_of_its_own() -> None:
    failed = ServiceSnapshot("Forge", ServiceState.FAILED, sentence="The disk is full.")
    labels = [entry.label for entry in menu(replace(RUNNING, forge=failed))]
    assert labels[:2] == ["Forge failed · 2 in queue · RealVisXL · 7.9/12 GB", "The disk is full."]


def test_sharing_that_is_not_proven_can_be_confirmed() -> None:
    sharing = Sharing(True, ("http://10.0.0.7:3333",), goes_back_at=datetime.now(UTC))
    view = replace(RUNNING, sharing=sharing)
    assert find(view, "It works: keep sharing").is_enabled
    assert find(view, "Copy address http://10.0.0.7:3333").is_enabled
    assert not find(RUNNING, "Copy LAN address").is_enabled
