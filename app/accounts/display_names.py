"""Names as people give them, made fit to be shown in a line: in menus, lists and messages."""

import unicodedata

MAX_CHARS = 80
# Joins the parts of an emoji, and chooses between its looks.
_KEPT = {"\u200d", "\ufe0f"}
# Control characters, marks that turn the direction of text, lone surrogates, private ones.
_DROPPED = {"Cc", "Cf", "Cs", "Co", "Cn"}
_SPACES = {"Zs", "Zl", "Zp"}


def display_name(text: str, *, otherwise: str = "") -> str:
    """`text` without what cannot be seen, on one line, at most `MAX_CHARS` long.

    `otherwise` when nothing is left.
    """
    seen = []
    for character in text[: 8 * MAX_CHARS]:
        category = unicodedata.category(character)
        if category in _SPACES or character in "\t\n\r":
            seen.append(" ")
        elif category not in _DROPPED or character in _KEPT:
            seen.append(character)
    name = " ".join("".join(seen).split())[:MAX_CHARS].strip()
    is_visible = any(character not in _KEPT for character in name)
    return name if is_visible else otherwise
