"""The menu of the tray icon: a pure function of what is to be shown."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from launcher.commands import (
    FORGE,
    NAVIGATOR,
    Approve,
    CancelJob,
    Command,
    CopyAddress,
    Deny,
    Disable,
    FreeGpu,
    Invite,
    KeepSharing,
    OpenCompass,
    OpenFirstRun,
    OpenLog,
    OpenSettings,
    PauseQueue,
    Quit,
    Restart,
    ResumeQueue,
    Share,
    Start,
    StartAtLogin,
    Stop,
)
from launcher.service_state import ServiceSnapshot, ServiceState
from launcher.view import Friend, GpuMemory, Queue, Sharing, View

MAX_CHARS = 60
_SHOWN_USERS = 20
_MOST_WAITING = 20
_GIGABYTE = 1e9
_SPANS = ((30, "30 minutes"), (60, "1 hour"), (120, "2 hours"))
_ENDED = frozenset({ServiceState.STOPPED, ServiceState.FAILED})


@dataclass(frozen=True)
class Entry:
    """One line. With `children` it opens them; without a `command` it does nothing.

    `is_checked` is None for a line that is no switch.
    """

    label: str
    command: Command | None = None
    children: tuple["Entry", ...] = ()
    is_checked: bool | None = None

    @property
    def is_enabled(self) -> bool:
        """Whether it can be clicked."""
        return self.command is not None or bool(self.children)


SEPARATOR = Entry("")


class IconState(enum.StrEnum):
    """What the icon itself says."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    GENERATING = "generating"
    PAUSED = "paused"
    ATTENTION = "attention"
    FAILED = "failed"


def menu(view: View) -> tuple[Entry, ...]:
    """All lines, from top to bottom."""
    runs = view.navigator.state is ServiceState.RUNNING
    address = next(iter(view.sharing.addresses), None)
    return (
        Entry(status_line(view)),
        *(_line(text) for text in _sentences(view)),
        SEPARATOR,
        Entry("Open Compass", OpenCompass() if runs else None),
        Entry(_cut(f"Copy address {address}"), CopyAddress(address)) if address is not None
        else Entry("Copy LAN address"),
        Entry("Invite a friend…", Invite() if runs else None),
        *_waiting(view.waiting),
        *_users(view.users),
        SEPARATOR,
        *_queue(view.queue),
        *_gpu(view.queue),
        SEPARATOR,
        *_sharing(view.sharing, is_running=runs),
        _service(view.forge, FORGE),
        _service(view.navigator, NAVIGATOR),
        Entry("Logs", children=tuple(
            Entry(name.capitalize(), OpenLog(name)) for name in (FORGE, NAVIGATOR, "launcher")
        )),
        Entry("Settings…", OpenSettings()),
        Entry("Set up again…", OpenFirstRun()),
        *([] if view.starts_at_login is None else [
            Entry("Start at login", StartAtLogin(not view.starts_at_login),
                  is_checked=view.starts_at_login)
        ]),
        SEPARATOR,
        Entry("Quit", Quit()),
    )  # fmt: skip


def status_line(view: View) -> str:
    """Everything in one line: `Ready · 2 in queue · RealVisXL · 7.9/12 GB`."""
    parts = [_word(view)]
    if view.queue is not None:
        if view.queue.fraction is not None:
            parts.append(f"{view.queue.fraction:.0%}")
        if view.queue.waiting:
            parts.append(f"{view.queue.waiting} in queue")
    if view.checkpoint:
        parts.append(_cut(view.checkpoint, 24))
    if view.gpu is not None:
        parts.append(gpu_text(view.gpu))
    return _cut(" · ".join(parts))


def gpu_text(gpu: GpuMemory) -> str:
    """`7.9/12 GB`, or `7.9 → 0.6 GB` after it was freed."""
    used = gpu.used_bytes / _GIGABYTE
    if gpu.before_bytes is not None:
        return f"{gpu.before_bytes / _GIGABYTE:.1f} → {used:.1f} GB"
    return f"{used:.1f}/{gpu.total_bytes / _GIGABYTE:.0f} GB"


def icon_state(view: View) -> IconState:
    """What matters most comes first."""
    states = {view.forge.state, view.navigator.state}
    if ServiceState.FAILED in states:
        return IconState.FAILED
    if view.waiting:
        return IconState.ATTENTION
    if ServiceState.STOPPED in states:
        return IconState.STOPPED
    if states != {ServiceState.RUNNING}:
        return IconState.STARTING
    if view.queue is not None and view.queue.running is not None:
        return IconState.GENERATING
    if view.queue is not None and view.queue.is_paused:
        return IconState.PAUSED
    return IconState.READY


def _word(view: View) -> str:
    queue = view.queue
    if queue is not None and queue.is_freeing:
        return "Freeing the GPU"
    match icon_state(view):
        case IconState.FAILED:
            name = (
                view.forge.name
                if view.forge.state is ServiceState.FAILED
                else (view.navigator.name)
            )
            return f"{name} failed"
        case IconState.STARTING:
            starting = (
                view.navigator if view.navigator.state is not ServiceState.RUNNING else (view.forge)
            )
            return f"{starting.name}: {starting.state.value}"
        case IconState.STOPPED:
            if view.navigator.state is not ServiceState.STOPPED:
                return f"{view.forge.name} is stopped"
            return "Stopped"
    if queue is not None and queue.running is not None:
        return "Drawing"
    if queue is not None and queue.is_paused:
        return "Paused" if not queue.is_freed else "GPU is free"
    return "Ready"


def _sentences(view: View) -> list[str]:
    """What a person should know besides."""
    found = [view.treatment, view.sharing.problem]
    for service in (view.forge, view.navigator):
        if service.state in {ServiceState.FAILED, ServiceState.BACKOFF}:
            found.append(service.sentence)
        elif service.state is ServiceState.STARTING and service.last_line:
            found.append(service.last_line)
    return [text for text in found if text]


def _waiting(friends: tuple[Friend, ...]) -> Iterable[Entry]:
    if not friends:
        return ()
    entries = [
        Entry(
            _named(friend),
            children=(
                *([_line(f"from {friend.address}")] if friend.address else []),
                Entry("Approve", Approve(friend.user_id)),
                Entry("Deny", Deny(friend.user_id)),
            ),
        )
        for friend in friends[:_MOST_WAITING]
    ]
    if len(friends) > _MOST_WAITING:
        entries.append(Entry(f"and {len(friends) - _MOST_WAITING} more"))
    return (Entry(f"Waiting for approval ({len(friends)})", children=tuple(entries)),)


def _users(users: tuple[Friend, ...]) -> Iterable[Entry]:
    if not users:
        return ()
    entries = tuple(
        Entry(_named(user), children=(Entry("Shut out", Disable(user.user_id)),))
        for user in users[:_SHOWN_USERS]
    )
    more = (Entry(f"and {len(users) - _SHOWN_USERS} more"),) if len(users) > _SHOWN_USERS else ()
    return (Entry("Users", children=entries + more),)


def _queue(queue: Queue | None) -> Iterable[Entry]:
    if queue is None:
        return (Entry("Queue"),)
    if queue.is_paused:
        switch = [Entry("Resume", ResumeQueue())]
    else:
        switch = [
            Entry("Pause", PauseQueue()),
            *(Entry(f"Pause for {text}", PauseQueue(minutes)) for minutes, text in _SPANS),
        ]
    cancel = CancelJob(queue.running) if queue.running is not None else None
    children = (*switch, Entry("Cancel the running job", cancel))
    return (Entry(f"Queue ({queue.waiting} waiting)", children=children),)


def _gpu(queue: Queue | None) -> Iterable[Entry]:
    if queue is None:
        return (Entry("Free the GPU"),)
    if not (queue.is_freeing or queue.is_freed):
        return (Entry("Free the GPU", FreeGpu()),)
    return (
        Entry("Resume", ResumeQueue()),
        Entry("Resume in", children=tuple(
            Entry(text, FreeGpu(minutes)) for minutes, text in _SPANS
        )),
    )  # fmt: skip


def _sharing(sharing: Sharing, *, is_running: bool) -> Iterable[Entry]:
    can_switch = (is_running or sharing.is_on) and not sharing.is_fixed
    switch = Share(not sharing.is_on) if can_switch else None
    entries = [Entry("Share on LAN", switch, is_checked=sharing.is_on)]
    if sharing.goes_back_at is not None:
        entries.append(Entry("It works: keep sharing", KeepSharing()))
    return entries


def _service(service: ServiceSnapshot, key: str) -> Entry:
    children: tuple[Entry, ...]
    if service.is_foreign:
        children = (Entry("Started by somebody else"),)
    elif service.state in _ENDED:
        children = (Entry("Start", Start(key)),)
    else:
        children = (Entry("Restart", Restart(key)), Entry("Stop", Stop(key)))
    return Entry(f"{service.name}: {service.state.value}", children=children)


def _named(friend: Friend) -> str:
    return _cut(friend.name.strip() or friend.user_id or "?")


def _line(text: str) -> Entry:
    return Entry(_cut(text))


def _cut(text: str, chars: int = MAX_CHARS) -> str:
    """One line that is not too long. Names and sentences are of strangers."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= chars else f"{line[: chars - 1].rstrip()}…"
