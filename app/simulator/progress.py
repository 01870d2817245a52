"""Progress and previews, as both polling routes show them. Changes nothing but the preview.

Previews are made by the polls, not by the run (forge recordings, section 9 "Progress").
"""

import base64

from app.simulator import picture as pictures
from app.simulator import png
from app.simulator.errors import PythonError
from app.simulator.forge import Forge
from app.simulator.schema import TaskProgress
from app.simulator.tasks import JobState


async def overall(forge: Forge, *, skip_image: bool) -> dict[str, object]:
    """Gives GET /sdapi/v1/progress: whatever runs, without a task id."""
    state = forge.state
    if state.job_count == 0:
        shown = state.shown()
        return {
            "progress": 0.0,
            "eta_relative": 0.0,
            "state": shown,
            "current_image": None,
            "textinfo": state.textinfo,
        }
    await _refresh_preview(forge)
    done = 0.01 + state.fraction()
    elapsed_s = state.elapsed_s()
    image = None if skip_image else state.current_image
    return {
        "progress": min(done, 1),
        "eta_relative": elapsed_s / done - elapsed_s,
        "state": state.shown(),
        "current_image": None if image is None else base64.b64encode(image).decode(),
        "textinfo": state.textinfo,
    }


async def of_task(forge: Forge, request: TaskProgress) -> dict[str, object]:
    """Gives POST /internal/progress of one task id."""
    state, tasks, task_id = forge.state, forge.tasks, request.id_task
    active = task_id == tasks.current
    answer: dict[str, object] = {
        "active": active,
        "queued": task_id in tasks.pending,
        "completed": task_id in tasks.finished,
        "progress": None,
        "eta": None,
        "live_preview": None,
        "id_live_preview": -1,
        "textinfo": tasks.place(task_id),
    }
    if not active:
        return answer
    if state.started_at is None:
        # No id equals no current task, and then there is no start to count from.
        raise PythonError("TypeError", "unsupported operand type(s) for -: 'float' and 'NoneType'")
    if request.live_preview:
        await _refresh_preview(forge)
    done = min(state.fraction(), 1)
    elapsed_s = state.elapsed_s()
    answer["progress"] = done
    answer["eta"] = elapsed_s / done - elapsed_s if done > 0 else None
    answer["textinfo"] = state.textinfo
    answer["id_live_preview"] = request.id_live_preview
    image = state.current_image
    wanted = request.live_preview and forge.options.values["live_previews_enable"]
    if wanted and image is not None and state.preview_id != request.id_live_preview:
        kind = forge.options.values["live_previews_image_format"]
        answer["id_live_preview"] = state.preview_id
        answer["live_preview"] = f"data:image/{kind};base64,{base64.b64encode(image).decode()}"
    return answer


async def _refresh_preview(forge: Forge) -> None:
    """Makes a new preview when enough steps passed since the last one."""
    async with forge.preview_lock:
        state, values = forge.state, forge.options.values
        latent, every = state.latent, values["show_progress_every_n_steps"]
        if latent is None or not values["live_previews_enable"] or every <= 0:
            return
        if state.sampling_step - state.preview_step < every:
            return
        run, job_no, step = state.run, state.job_no, state.sampling_step
        image = await _render(forge, state)
        if state.run == run and state.job_no == job_no:
            state.current_image = image
            state.preview_id += 1
            state.preview_step = step


async def _render(forge: Forge, state: JobState) -> bytes:
    latent = state.latent
    assert latent is not None  # noqa: S101  # checked by the only caller
    fraction = state.sampling_step / max(1, state.sampling_steps)
    full = forge.options.values["show_progress_type"] == "Full"
    divisor = 1 if full else 8
    width, height = max(1, latent.width // divisor), max(1, latent.height // divisor)
    if not forge.settings.draw:
        return png.gradient(width, height, latent.scene.number() % png.GRADIENTS)
    return await forge.in_thread(_draw, latent.scene, width, height, fraction)


def _draw(scene: pictures.Scene, width: int, height: int, fraction: float) -> bytes:
    image = pictures.unfinished(pictures.draw(scene, width, height), fraction)
    return pictures.encode(image, "png")
