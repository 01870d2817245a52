"""The shapes of answers, as the API's documentation shows them. Nothing is checked by them."""

from typing import Any, NotRequired

# pydantic reads the standard library's TypedDict from Python 3.12 on only
from typing_extensions import TypedDict


class Error(TypedDict):
    """What went wrong: `error` says it for a human, `error_code` names it for a program.

    `message` is `error` again, or what old clients expect there.
    """

    error: str
    error_code: str
    message: str


class Online(TypedDict):
    """Navigator runs."""

    message: str
    status: str


class Limits(TypedDict):
    """`max_pixels` is width times height of a picture at most."""

    max_pixels: int


class LoginAnswer(TypedDict):
    """The token, the login provider's profile of the user, and their role from 1 to 4."""

    token: str
    user: dict[str, Any]
    role: int


class Claims(TypedDict):
    """Who the caller is. `iat` and `exp` are seconds since 1970; a token without `exp` lasts."""

    discord_id: str
    role: int
    iat: NotRequired[int]
    exp: NotRequired[int]


class Me(TypedDict):
    """The caller's own account."""

    user: Claims


class Checkpoint(TypedDict):
    """A checkpoint as Forge lists it. Jobs name it by `model_name`."""

    title: str
    model_name: str
    hash: NotRequired[str | None]
    sha256: NotRequired[str | None]
    filename: NotRequired[str]
    config: NotRequired[str | None]
    known: bool
    id: NotRequired[int]
    friendly_name: NotRequired[str | None]
    is_restricted: NotRequired[bool]


class Models(TypedDict):
    """The checkpoints, in Forge's order."""

    models: list[Checkpoint]


class Sampler(TypedDict):
    """A sampler as Forge lists it. Jobs name it by `name` or one of the `aliases`."""

    name: str
    aliases: NotRequired[list[str]]
    options: NotRequired[dict[str, Any]]


class Scheduler(TypedDict):
    """A scheduler as Forge lists it. Jobs name it by `name` or `label`."""

    name: str
    label: str
    aliases: NotRequired[list[str] | None]
    default_rho: NotRequired[float]
    need_inner_model: NotRequired[bool]


class Upscaler(TypedDict):
    """An upscaler as Forge lists it. Jobs name it by `name`."""

    name: str
    model_name: NotRequired[str | None]
    model_path: NotRequired[str | None]
    model_url: NotRequired[str | None]
    scale: NotRequired[float | None]


class ImageInfo(TypedDict):
    """A picture's infotext, and the parameters that were read from it."""

    info: str
    items: dict[str, Any]
    parameters: dict[str, Any]


class OwnPicture(TypedDict):
    """A picture of the caller's, by its id, and the category that it is in."""

    id: str
    category_id: int | None


class JobsPage(TypedDict):
    """A page of pictures. `count` is that of all pages; pages count from 1."""

    count: int
    totalPages: int
    currentPage: int
    previousPage: int | None
    nextPage: int | None
    images: list[OwnPicture]


class ImageMeta(TypedDict):
    """What is known of a picture besides its parameters. `message_id` is that of old bots."""

    category_id: int | None
    created_at: str
    message_id: str | None
    owner_id: str


class Category(TypedDict):
    """A category of pictures."""

    id: int
    owner_id: str
    name: str


class NewCategory(TypedDict):
    """The id of the category that was made."""

    id: int


class Done(TypedDict):
    """What was done with the job: `removed` from the queue, or `interrupted`."""

    message: str
    status: str


class QueuedJob(TypedDict):
    """A job that waits. Its events and its picture go by `job_id`.

    `queue_size` counts the waiting jobs, this one included. `waiting_reason` is there while Forge
    is away. `origin` is the address that the request came from.
    """

    type: str
    task_type: str
    status: str
    job_id: str
    owner_id: str
    origin: str
    queue_size: int
    waiting_reason: NotRequired[str]


class QueuedTxt2Img(QueuedJob):
    """A txt2img job that waits, with the parameters that hold."""

    model_name: str
    prompt: str
    negative_prompt: NotRequired[str]
    width: int
    height: int
    steps: int
    hrf_steps: NotRequired[int]
    seed: int
    cfg_scale: float
    distilled_cfg: float
    sampler_name: str
    scheduler_name: str
    denoising_strength: float
    force_hr_fix: bool
    image_enhancements: bool
    categoryId: NotRequired[int]
    subseed: NotRequired[int]
    subseed_strength: NotRequired[float]
    upscaler_name: NotRequired[str]
    modules: NotRequired[list[str]]
