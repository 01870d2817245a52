"""Ids of jobs, and so of pictures: ours are unguessable, a client's own must have this shape."""

import re
import secrets
import string

_JOB_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_ALPHABET = string.ascii_lowercase + string.digits
_LENGTH = 20  # 36 ** 20 is 103 bits


def new_job_id() -> str:
    """An unguessable id: 20 lower-case letters and digits, 103 random bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def is_job_id(text: str) -> bool:
    """Whether `text` may be a job's id: 8 to 64 letters, digits, '-' or '_'."""
    return _JOB_ID.fullmatch(text) is not None
