"""The form with all settings, as HTML, and what comes back of it. Pure."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from launcher.setting_list import COMMAND_LINE, FIXED, GENERAL, OWN, Setting

SWITCH = "on or off"
_ON, _OFF = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off", ""})
_FORGET, _WAS = "forget:", "was:"
_CODE = re.compile(r"`([^`]+)`")
_EMPHASIS = re.compile(r"\*([^*]+)\*")


def form(
    settings: Sequence[Setting],
    problems: Mapping[str, str],
    sent: Mapping[str, str] | None = None,
) -> str:
    """The whole form. `sent` is what a browser sent that has `problems`."""
    sections = [
        f'<fieldset id="{_anchor(title)}"><legend>{html.escape(title)}</legend>'
        + "".join(_field(one, problems.get(one.name), sent) for one in group)
        + "</fieldset>"
        for title, group in groupby(settings, lambda one: one.section)
    ]
    known = {one.name for one in settings}
    others = [
        f'<p role="alert">{html.escape(reason if name == GENERAL else f"{name}: {reason}")}</p>'
        for name, reason in problems.items()
        if name not in known
    ]
    return (
        f'{"".join(others)}<form method="post">{"".join(sections)}'
        '<button name="do" value="save">Save</button></form>'
    )


def contents(settings: Iterable[Setting]) -> str:
    """Links to the sections."""
    titles = dict.fromkeys(one.section for one in settings)
    links = (f'<a href="#{_anchor(title)}">{html.escape(title)}</a>' for title in titles)
    return f"<nav>{''.join(links)}</nav>"


def changes_of(sent: Mapping[str, str], settings: Iterable[Setting]) -> dict[str, str | None]:
    """What a form wants to be different: the new values, None for what is to be taken out.

    Only what was changed in the form counts: it may have been open for long.
    """
    changes: dict[str, str | None] = {}
    for one in settings:
        text = sent.get(one.name, "").strip()
        if one.name not in sent or one.said_by in FIXED:
            continue
        if one.is_secret:
            if text:
                changes[one.name] = text
            elif sent.get(f"{_FORGET}{one.name}") == "on":
                changes[one.name] = None
        elif text not in {sent.get(f"{_WAS}{one.name}", _shown(one)), _shown(one)}:
            changes[one.name] = text or None
    return changes


def conflicts_of(sent: Mapping[str, str], settings: Iterable[Setting]) -> dict[str, str]:
    """What a form wants to be different that is different already since it was shown."""
    changes = changes_of(sent, settings)
    found = {}
    for one in settings:
        shown = _shown(one)
        if one.name in changes and sent.get(f"{_WAS}{one.name}", shown) != shown:
            now = f"to {shown}" if shown else "by taking it out"
            found[one.name] = (
                f"was changed elsewhere meanwhile, {now}; save once more if you mean it"
            )
    return found


def _field(one: Setting, problem: str | None, sent: Mapping[str, str] | None) -> str:
    value = sent.get(one.name, "") if sent is not None and not one.is_secret else _shown(one)
    trouble = f'<strong role="alert">{html.escape(problem)}</strong>' if problem else ""
    return (
        f'<label for="{one.name}"><code>{one.name}</code> <small>{html.escape(one.unit)}</small>'
        f"</label>{_input(one, value)}{trouble}<small>{_source(one)}{html.escape(one.remark)}"
        f"{markdown(one.meaning)}</small>"
    )


def _input(one: Setting, value: str) -> str:
    shown = html.escape(_shown(one), quote=True)
    was = f'<input type="hidden" name="{_WAS}{one.name}" value="{shown}">'
    return _visible(one, value) + ("" if one.is_secret else was)


def _visible(one: Setting, value: str) -> str:
    named = f'id="{one.name}" name="{one.name}"'
    named += " disabled" if one.said_by in FIXED else ""
    if one.is_secret:
        held = "set; write something to replace it" if one.is_set else ""
        written = f'<input {named} type="password" placeholder="{held}" autocomplete="off">'
        if not (one.is_set and one.said_by == OWN):
            return written
        forget = f'<input type="checkbox" name="{_FORGET}{one.name}" value="on">'
        return f'{written}<label class="choice">{forget} Take it out</label>'
    default = _default(one)
    if one.unit == SWITCH:
        choices = (("", f"as it is by itself ({_word(default)})"), ("true", "on"), ("false", "off"))
        options = "".join(
            f'<option value="{choice}"{" selected" if choice == value else ""}>{label}</option>'
            for choice, label in choices
        )
        return f"<select {named}>{options}</select>"
    return (
        f'<input {named} value="{html.escape(value, quote=True)}" autocomplete="off"'
        f' placeholder="{html.escape(default, quote=True)}" spellcheck="false">'
    )


def _shown(one: Setting) -> str:
    """What stands in the field at first; nothing means what holds by itself."""
    if one.said_by in FIXED:
        return one.value or ""
    if one.unit != SWITCH or one.said_by != OWN:
        return one.own
    word = one.own.strip().lower()
    return "true" if word in _ON else "false" if word in _OFF else one.own


def _default(one: Setting) -> str:
    """What holds when the owner's file says nothing."""
    return one.value or "" if one.said_by not in {None, OWN} else one.default


def _word(value: str) -> str:
    return "on" if value.strip().lower() in _ON else "off"


def _source(one: Setting) -> str:
    if one.said_by in FIXED:
        who = "The command line" if one.said_by == COMMAND_LINE else "The environment"
        return f"<strong>{who} says it; it cannot be changed here.</strong> "
    if one.said_by == OWN and not one.is_set and one.unit != SWITCH:
        return "<strong>Set to nothing.</strong> "
    if one.said_by not in {None, OWN}:
        return f"Now said by <code>{html.escape(str(one.said_by))}</code>. "
    return ""


def markdown(text: str) -> str:
    """The little Markdown that meanings have, as HTML."""
    escaped = html.escape(text)
    return _EMPHASIS.sub(r"<em>\1</em>", _CODE.sub(r"<code>\1</code>", escaped))


def _anchor(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower())
