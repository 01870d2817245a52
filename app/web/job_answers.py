"""Shapes of answers about jobs, for the API's description. Nothing is checked by them."""

from typing import NotRequired

from typing_extensions import TypedDict


class Done(TypedDict):
    """What was done with the job: `removed` from the queue, or `interrupted`."""

    message: str
    status: str


class QueuedJob(TypedDict):
    """A job that waits. Its events and its picture go by `job_id`.

    `queue_size` counts the waiting jobs, this one included. `waiting_reason` is there while
    the queue is paused or Forge is away. `origin` is the address that the request came from.
    """

    type: str
    task_type: str
    status: str
    job_id: str
    owner_id: str
    origin: str
    queue_size: int
    waiting_reason: NotRequired[str]


class QueuedDrawing(QueuedJob):
    """A job that waits, with the parameters that hold."""

    model_name: str
    prompt: str
    negative_prompt: NotRequired[str]
    width: int
    height: int
    steps: int
    seed: int
    cfg_scale: float
    distilled_cfg: float
    sampler_name: str
    scheduler_name: str
    denoising_strength: float
    image_enhancements: bool
    categoryId: NotRequired[int | None]
    subseed: NotRequired[int]
    subseed_strength: NotRequired[float]
    modules: NotRequired[list[str]]


class QueuedTxt2Img(QueuedDrawing):
    """A txt2img job that waits, with the parameters that hold."""

    hrf_steps: NotRequired[int]
    force_hr_fix: bool
    upscaler_name: NotRequired[str]


class QueuedImg2Img(QueuedDrawing):
    """An img2img job that waits, with the parameters that hold."""


class JobInQueue(TypedDict):
    """A job of the caller's. `place` 0 runs; `eta` is in seconds; null is unknown.

    A failed job has no `place`; `error` says why it failed.
    """

    job_id: str
    type: str
    status: str
    place: int | None
    eta: float | None
    created_at: str
    attempts: int
    error: str | None
    model_name: NotRequired[str]
    prompt: NotRequired[str]
    width: NotRequired[int]
    height: NotRequired[int]
    steps: NotRequired[int]


class QueueOverview(TypedDict):
    """The caller's jobs; `waiting` counts everybody's. `waiting_reason` says why nothing runs."""

    jobs: list[JobInQueue]
    waiting: int
    waiting_reason: str | None
