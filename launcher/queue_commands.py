"""What a person wants of the queue and of the GPU, as Navigator's admin API does it."""

from launcher.commands import CancelJob, Command, FreeGpu, PauseQueue, ResumeQueue
from launcher.navigator_api import NavigatorApi


async def obey(api: NavigatorApi, command: Command) -> bool:
    """Whether it was such a command; then it is done. Raises `NavigatorAway`."""
    match command:
        case PauseQueue(minutes):
            await api.pause_queue(minutes=minutes)
        case ResumeQueue():
            await api.resume_queue()
        case CancelJob(job_id):
            await api.ask("POST", f"/api/queue/interrupt/{job_id}", {})
        case FreeGpu(minutes):
            body = {} if minutes is None else {"minutes": minutes}
            await api.ask("POST", "/api/admin/forge/unload", body)
        case _:
            return False
    return True
