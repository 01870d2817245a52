"""What is worth a notification: the difference between two moments. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from launcher.commands import Approve, Deny
from launcher.service_state import ServiceState
from launcher.tray_face import Notice
from launcher.view import Download, View

_MOST = 3


def notices(before: View, now: View) -> Iterator[Notice]:
    """All that a person should be told."""
    known = {friend.user_id for friend in before.waiting}
    new = [friend for friend in now.waiting if friend.user_id not in known]
    for friend in new[:_MOST]:
        yield Notice(
            key=f"knock {friend.user_id}",
            title=f"{friend.name or friend.user_id} wants to use Navigator",
            body=f"They knocked from {friend.address}." if friend.address else "",
            actions=(("Approve", Approve(friend.user_id)), ("Deny", Deny(friend.user_id))),
        )
    if len(new) > _MOST:
        yield Notice("knocks", f"{len(new) - _MOST} more want to use Navigator", "See the menu.")
    for old, service in ((before.forge, now.forge), (before.navigator, now.navigator)):
        if service.state is ServiceState.FAILED and old.state is not ServiceState.FAILED:
            yield Notice(f"failed {service.name}", f"{service.name} failed", service.sentence or "")
    if now.treatment and now.treatment != before.treatment and "restarted" in now.treatment:
        yield Notice("treatment", "Forge was restarted", now.treatment)
    if now.downloads is not None and before.downloads is not None:
        yield from _downloads(before.downloads, now.downloads)
    gpu, queue, old_queue = now.gpu, now.queue, before.queue
    is_new = queue is not None and queue.is_freed and not (old_queue and old_queue.is_freed)
    if is_new:
        told = ""
        if gpu is not None and gpu.before_bytes is not None:
            told = f"{gpu.before_bytes / 1e9:.1f} → {gpu.used_bytes / 1e9:.1f} GB"
        yield Notice("gpu", "The GPU is free", told)


def with_what_was_known(now: View, before: View | None) -> View:
    """`now`, with the queue and the downloads of before as long as they are not known."""
    if before is None:
        return now
    return replace(
        now,
        queue=before.queue if now.queue is None else now.queue,
        downloads=before.downloads if now.downloads is None else now.downloads,
    )


def _downloads(before: tuple[Download, ...], now: tuple[Download, ...]) -> Iterator[Notice]:
    known = {one.job_id for one in before}
    new = [one for one in now if one.job_id not in known]
    for one in new[-_MOST:]:
        yield Notice(f"download {one.job_id}", "A model was downloaded", one.file_name)
