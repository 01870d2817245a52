"""Shapes of answers about checkpoints and model files, for the API's description."""

from typing_extensions import TypedDict


class AdminCheckpoint(TypedDict):
    """A checkpoint and what is said of it.

    `is_known` says whether anything is. `title` is Forge's, null when it does not list it;
    `is_missing` says that its file is gone, null while that is not known. A restricted one needs
    `required_role`, null is 3.
    """

    model_name: str
    title: str | None
    is_missing: bool | None
    is_known: bool
    friendly_name: str | None
    is_restricted: bool
    required_role: int | None
    tags: list[str]


class AdminCheckpoints(TypedDict):
    """All checkpoints, in Forge's order, those whose file is gone last."""

    checkpoints: list[AdminCheckpoint]


class ModelFileTold(TypedDict):
    """A model file. `path` names it here, `name` in jobs and prompts.

    `last_used_at` is when a job used it last, null for never since Navigator takes note.
    `why_not` says why it is not `is_removable`.
    """

    path: str
    kind: str
    name: str
    size_bytes: int
    modified_at: str | None
    last_used_at: str | None
    is_loaded: bool
    is_waited_for: bool
    is_removable: bool
    why_not: str | None


class KindTold(TypedDict):
    """What all files of a kind take."""

    kind: str
    size_bytes: int
    count: int


class ModelFiles(TypedDict):
    """A page of model files. `folder` is `MODEL_DIR`; its disk's sizes are null when it tells none.

    `kinds` are of all files, `count` is of those that were asked for.
    """

    folder: str
    free_bytes: int | None
    total_bytes: int | None
    kinds: list[KindTold]
    count: int
    page: int
    files: list[ModelFileTold]


class ModelFileMoved(TypedDict):
    """Where a model file is now."""

    path: str
    is_archived: bool
