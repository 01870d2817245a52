"""What Navigator says of itself, as the tray shows it. Pure."""

from datetime import datetime

from launcher import menu
from launcher.navigator_api import NavigatorStatus
from launcher.tray_face import Face
from launcher.view import Download, Queue, View


def face(view: View) -> Face:
    """What the tray shows of a view."""
    fraction = view.queue.fraction if view.queue is not None else None
    line = menu.status_line(view)
    return Face(menu.icon_state(view), fraction, line, menu.menu(view))


def queue_of(status: NavigatorStatus) -> Queue:
    """The jobs, as Navigator told them."""
    told = status.told.get("queue", {})
    freeing = told.get("freeing") or {}
    running = told.get("running") or {}
    fraction = running.get("progress")
    return Queue(
        waiting=status.waiting,
        running=status.job,
        fraction=float(fraction) if isinstance(fraction, int | float) else None,
        is_paused=status.pause.is_paused,
        resumes_at=datetime.fromisoformat(status.pause.ends) if status.pause.ends else None,
        is_freeing=freeing.get("state") == "freeing",
        is_freed=freeing.get("state") == "freed" and status.pause.is_paused,
    )


def checkpoint_of(status: NavigatorStatus) -> str | None:
    """The one that Forge has loaded, without its ending."""
    name = status.told.get("forge", {}).get("checkpoint")
    return str(name).rsplit(".", maxsplit=1)[0] if name else None


def downloads_of(status: NavigatorStatus) -> tuple[Download, ...]:
    """The model files that came last, the newest at the end."""
    told = status.told.get("downloads", {}).get("finished", [])
    return tuple(Download(str(one["job_id"]), str(one["file_name"])) for one in told)
