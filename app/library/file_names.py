"""Names of files that somebody else made up: as much of them as every disk can hold. Pure."""

import re
import unicodedata
from pathlib import PurePosixPath

MAX_BYTES = 160
# Windows: no such characters, no such names whatever the suffix, no dot or space at the end.
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])", re.IGNORECASE
)
# Control, formatting (also what turns the direction of writing), half characters, private ones.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def safe_file_name(told: str, *, suffix: str, fallback: str) -> str:
    """A name with this suffix, such as `.safetensors`, that is a name and nothing else anywhere.

    What comes before the last separator is dropped. `fallback` is taken, without a suffix, when
    nothing is left of what was told.
    """
    text = unicodedata.normalize("NFC", told)
    text = "".join(one for one in text if unicodedata.category(one) not in _INVISIBLE)
    text = re.split(r"[/\\]", text)[-1]
    if text.lower().endswith(suffix):
        text = text[: -len(suffix)]
    text = _FORBIDDEN.sub("_", text)
    # A dot or a dash in front hides it, or makes an option of it.
    text = re.sub(r"\s+", " ", text).strip(" .").lstrip("-~").strip(" .")
    stem = _shortened(text) or fallback
    if _RESERVED.fullmatch(stem.split(".", maxsplit=1)[0].strip()):
        stem = f"_{stem}"
    return stem + suffix


def suffix_of(told: str) -> str:
    """The suffix of a name, in lower case; the invisible does not count."""
    text = "".join(one for one in told if unicodedata.category(one) not in _INVISIBLE)
    return PurePosixPath(text.strip(" .")).suffix.lower()


def numbered(name: str, number: int) -> str:
    """The name with a number before its suffix, for when it is taken."""
    path = PurePosixPath(name)
    return f"{_shortened(path.stem, MAX_BYTES - 24)} ({number}){path.suffix}"


def _shortened(text: str, limit: int = MAX_BYTES) -> str:
    return text.encode()[:limit].decode(errors="ignore").strip(" .")
