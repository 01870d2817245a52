"""Takes secrets out of lines that others may read."""

import re
from collections.abc import Iterable

MASK = "***"
_SHORTEST = 6
# Flags of Forge's, and what follows them; web addresses with a password; tokens.
_PATTERNS = (
    re.compile(
        r"(--(?:gradio-auth|api-auth|ngrok|subpath-token)(?:-path)?(?:[= ]+|['\"], ?))"
        r"(?:'[^']*'?|\"(?:\\.|[^\"])*\"?|[^\s'\"]+)"
    ),
    re.compile(r"(://)[^/\s:@]+:[^/\s@]+(?=@)"),
    re.compile(r"((?:[Bb]earer|Authorization: [Bb]asic) )\S+"),
    re.compile(
        r"(?i)((?:api_key|token|password|secret|gradio_auth|api_auth|ngrok)['\"]?[=:]\s*['\"]?)[^\s'\"&,]+"
    ),
)


def without_secrets(line: str, secrets: Iterable[str] = ()) -> str:
    """`line` with `***` for each of the `secrets`, and for what looks like one."""
    for secret in sorted(secrets, key=len, reverse=True):  # one may be part of another
        if len(secret) >= _SHORTEST:
            line = line.replace(secret, MASK)
    for pattern in _PATTERNS:
        line = pattern.sub(rf"\1{MASK}", line)
    return line
