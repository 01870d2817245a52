"""Reads `webui-user.sh` and `webui-user.bat` without executing them. Pure.

What cannot be told without running it, such as `$(command)`, is left out. Facts: Forge's own
`webui-user.sh`, `webui.sh`, `webui-user.bat`, `webui.bat`.
"""

import re
import shlex
from collections.abc import Mapping

_ASSIGNMENT = re.compile(r"\s*(?:(?:export|declare -x)\s+)?([A-Za-z_]\w*)(\+?)=(.*)", re.DOTALL)
_SHELL_VALUE = re.compile(
    r"""'(?P<single>[^']*)'|"(?P<double>(?:\\.|[^"\\])*)"|(?P<plain>(?:\\.|[^\s'"\\;&|#<>()])(?:\\.|[^\s'"\\;&|<>()])*)""",
    re.DOTALL,
)
_SHELL_NAME = re.compile(r"\\(.)|\$\{(\w+)(?::?-([^}]*))?\}|\$(\w+)", re.DOTALL)
_BATCH_SET = re.compile(r"""\s*@?\s*set\s+(?:"([^"=]+)=(.*)"[^"]*|([^=/\s][^=]*)=(.*))$""", re.I)
_BATCH_NAME = re.compile(r"%%|%(\w+)(?::[^%]*)?%")
_COMMANDS = re.compile(r"\$\(|`")


def read_shell(text: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that a shell script of plain assignments sets, over `environ`."""
    known, found = dict(environ), dict[str, str]()
    for line in _logical_lines(text):
        assignment = _ASSIGNMENT.match(line)
        if assignment is None:
            continue
        name, appends, rest = assignment.groups()
        value = _shell_value(rest, known)
        if value is None:
            continue
        known[name] = found[name] = (known.get(name, "") if appends else "") + value
    return found


def read_batch(text: str, environ: Mapping[str, str], *, folder: str = "") -> dict[str, str]:
    """The variables that the `set` lines of a batch file in `folder` set, over `environ`.

    Names of variables have no case there; they are given in upper case.
    """
    text = text.replace("%~dp0", f"{folder}\\")
    known = {name.upper(): value for name, value in environ.items()}
    found = dict[str, str]()
    for line in text.splitlines():
        assignment = _BATCH_SET.match(line)
        if assignment is None:
            continue
        quoted_name, quoted, plain_name, plain = assignment.groups()
        name = (quoted_name or plain_name).strip().upper()
        value = _BATCH_NAME.sub(
            lambda match: "%" if match.group(1) is None else known.get(match.group(1).upper(), ""),
            quoted if quoted_name else plain,
        )
        known[name] = found[name] = value.strip("\r\n")
    return found


def arguments(text: str) -> list[str]:
    """The words of `COMMANDLINE_ARGS` as Forge splits them (`shlex.split` in its
    `modules_forge/initialization` and `modules/launch_utils.py`), on every system.

    Raises ValueError for a quote that is never closed.
    """
    return shlex.split(text)


def _logical_lines(text: str) -> list[str]:
    """Lines, with those that end in a backslash or inside quotes joined to the next."""
    lines, current, mark = list[str](), "", ""
    for raw in text.splitlines():
        current, mark = f"{current}{mark}{raw}", "\n"
        if current.lstrip().startswith("#"):
            current, mark = "", ""
        elif re.search(r"(?<!\\)(?:\\\\)*\\$", current):
            current, mark = current[:-1], ""
        elif not _is_open(current):
            lines.append(current)
            current, mark = "", ""
    if current:
        lines.append(current)
    return lines


def _is_open(line: str) -> bool:
    """Whether a quote is open at the end."""
    quote, escaped, is_word = "", False, False
    for character in line:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "#" and not is_word:
            return False
        is_word = not character.isspace()
    return bool(quote)


def _shell_value(rest: str, known: Mapping[str, str]) -> str | None:
    """The value that an assignment gives; None for one that only a shell can tell."""
    value, at = "", 0
    while (match := _SHELL_VALUE.match(rest, at)) is not None:
        at = match.end()
        if match["single"] is not None:
            value += match["single"]
            continue
        text = match["plain"] if match["double"] is None else match["double"]
        if _COMMANDS.search(text):
            return None
        value += _expanded(text, known, in_quotes=match["double"] is not None)
    if rest[at:].startswith(("(", "`")):  # an array, or a command
        return None
    return value


def _expanded(text: str, known: Mapping[str, str], *, in_quotes: bool) -> str:
    def one(match: re.Match[str]) -> str:
        escaped, braced, default, plain = match.groups()
        if escaped is not None:
            keeps_backslash = in_quotes and escaped not in '$`"\\\n'
            return ("\\" if keeps_backslash else "") + escaped
        return known.get(braced or plain, "") or default or ""

    return _SHELL_NAME.sub(one, text)
