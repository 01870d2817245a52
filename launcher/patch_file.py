"""A patch file: what it adds to which files, and whether a file has that already in other words."""

import contextlib
import io
import keyword
import re
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


@dataclass(frozen=True)
class Hunk:
    """One place in a file. `lines` as in the patch, with their `+`, `-` or blank."""

    file: str
    lines: list[str] = field(default_factory=list)

    @property
    def added(self) -> list[str]:
        """The code of the lines that come."""
        return [line[1:].strip() for line in self.lines if line.startswith("+")]

    @property
    def replaced(self) -> list[str]:
        """The code of the lines that are there before."""
        return [line[1:].strip() for line in self.lines if not line.startswith("+")]


@dataclass(frozen=True)
class Patch:
    """A patch, as git takes it for files with LF (`lf`) and with CRLF (`crlf`) at their line ends.

    `name` is the file's without `.patch`.
    """

    name: str
    hunks: list[Hunk]
    lf: bytes
    crlf: bytes

    @property
    def files(self) -> list[str]:
        """The files that it changes, relative, with slashes."""
        return sorted({hunk.file for hunk in self.hunks})

    @classmethod
    def read(cls, path: Path) -> "Patch":
        """The patch in a file. Raises OSError and UnicodeDecodeError."""
        text = path.read_bytes().decode().replace("\r\n", "\n")
        hunks: list[Hunk] = []
        lf = crlf = file = ""
        left = right = 0  # how many lines of the hunk are still to come
        for line in text.removesuffix("\n").split("\n"):
            if left > 0 or right > 0:
                code = line or " "  # editors take the blank of an empty line away
                left -= code[0] in " -"
                right -= code[0] in " +"
                hunks[-1].lines.append(code)
                lf += f"{code}\n"
                crlf += f"{code}\r\n"
                continue
            if header := _HUNK.match(line):
                left, right = (int(count or 1) for count in header.groups())
                hunks.append(Hunk(file))
            elif line.startswith("+++ b/"):
                file = line.removeprefix("+++ b/")
            lf += f"{line}\n"
            crlf += f"{line}\n"
        return cls(path.stem, hunks, lf.encode(), crlf.encode())


class _Statement(NamedTuple):
    indent: int
    words: tuple[str, ...]
    names: frozenset[str]


def has_the_like(contents: Mapping[str, bytes], patch: Patch) -> bool:
    """Whether files of Python (relative path: content) have, in other words, what the patch adds.

    The marker of an added line is the names in it that the lines around it do not have: what the
    patch brings (`firstpass_image`), not what it is told with (`p`, `if`). Others may have written
    it differently, but one statement has to name all of them, and in the function that has most of
    the patch's other lines: elsewhere, in comments or one by one they mean something else.
    """
    has_marker = False
    for hunk in patch.hunks:
        known = _names(hunk.replaced)
        markers = [marker for line in hunk.added if (marker := _names([line]) - known)]
        source = contents.get(hunk.file, b"").decode(errors="replace")
        function = _function_with(hunk.replaced, _statements(source))
        if not all(any(marker <= there.names for there in function) for marker in markers):
            return False
        has_marker = has_marker or bool(markers)
    return has_marker


def _function_with(lines: Iterable[str], statements: Sequence[_Statement]) -> list[_Statement]:
    """What stands in the function that has most of the lines; nothing if none has any."""
    wanted = {there.words for line in lines for there in _statements(line)}
    best: list[_Statement] = []
    best_count = 0
    for index, statement in enumerate(statements):
        if "def" in statement.words[:2]:
            body = _body(statement, statements[index + 1 :])
            count = sum(there.words in wanted for there in body)
            if count > best_count:
                best, best_count = body, count
    return best


def _body(head: _Statement, rest: Iterable[_Statement]) -> list[_Statement]:
    return list(takewhile(lambda there: there.indent > head.indent, rest))


def _names(lines: Iterable[str]) -> frozenset[str]:
    return frozenset(name for line in lines for there in _statements(line) for name in there.names)


def _statements(source: str) -> list[_Statement]:
    """The statements of Python, which may end anywhere."""
    groups: list[list[tokenize.TokenInfo]] = [[]]
    with contextlib.suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NEWLINE:
                groups.append([])
            elif token.type not in _LAYOUT:
                groups[-1].append(token)
    return [_statement(group) for group in groups if group]


def _statement(tokens: Sequence[tokenize.TokenInfo]) -> _Statement:
    names = (token.string for token in tokens if token.type == tokenize.NAME)
    return _Statement(
        tokens[0].start[1],
        tuple(token.string for token in tokens),
        frozenset(name for name in names if not keyword.iskeyword(name)),
    )
