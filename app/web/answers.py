"""Shapes of answers for the API's description; nothing is checked by them. See `job_answers.py`."""

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
    """A checkpoint as Forge lists it. Jobs name it by `model_name`.

    `required_role` is what it takes to see and use a restricted one. The last three are CivitAI's,
    once it knows the file: `preview` is the path of a small picture here.
    """

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
    required_role: NotRequired[int | None]
    tags: NotRequired[list[str]]
    civitai_name: NotRequired[str]
    trained_words: NotRequired[list[str]]
    preview: NotRequired[str | None]


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


class Lora(TypedDict):
    """A LoRA: what Forge knows (`forge`), and what CivitAI (`provider` 1) or the owner (0) says.

    `hash` names it in other routes; `preview` is the path of a small picture here. `metadata` is
    `pending` while CivitAI was not asked yet, `unknown` if it does not know the file.
    """

    forge: dict[str, Any]
    civitai: NotRequired[dict[str, Any]]
    localOverride: NotRequired[dict[str, Any]]
    alias: str
    name: str
    nsfw: bool
    provider: int
    hash: str
    preview: NotRequired[str]
    metadata: NotRequired[str]


class Module(TypedDict):
    """An additional module as Forge lists it. Jobs name it by `model_name` or its file."""

    model_name: str
    filename: NotRequired[str]


class Version(TypedDict):
    """Where this Navigator comes from; `unknown` when nothing tells it."""

    branch: str
    commit: str


class DiscordLogin(TypedDict):
    """Where a browser goes to get a login code from Discord; a `state` may be added."""

    authorize_url: str


class Status(TypedDict):
    """`forge` is `ready` or `away`; `demo_user` and `compass` tell whether they are there.

    `discord` is null where nobody can log in with it.
    """

    status: str
    forge: str
    demo_user: bool
    compass: bool
    discord: DiscordLogin | None


class Message(TypedDict):
    """What was done."""

    message: str


class CivitaiTest(TypedDict):
    """Whether CivitAI takes the owner's key."""

    isAuthenticated: bool


class DownloadsEnabled(TypedDict):
    """Whether models can be downloaded; if not, `message` says why."""

    downloadsEnabled: bool
    message: NotRequired[str]
