"""Recorded exchanges with the earlier Navigator: reading them, and comparing our answers.

They lie in `recordings/contract/`; of each socket event the first of its name was kept. A status
None means that no answer came: the server hung, or ended.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recordings" / "contract"
# What clients compare with: their text counts, not only their type.
_COMPARED = ("error", "error_code", "message", "status", "type", "task_type")
_TYPE_NAMES = {
    bool: "boolean", int: "number", float: "number", str: "text", type(None): "null",
    dict: "object", list: "list",
}  # fmt: skip


@dataclass(frozen=True)
class Exchange:
    """A recorded request, its answer and the events that followed, the payloads by name."""

    name: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    status: int | None
    answer: Any
    media_type: str
    events: Mapping[str, dict[str, Any]] = field(default_factory=dict)


def exchange(number: int) -> Exchange:
    """The recording of this number. What sockets at another address heard is left out."""
    (path,) = FOLDER.glob(f"{number:03}_*.json")
    data = json.loads(path.read_text(encoding="utf-8"))
    request, response = data["request"], data["response"]
    return Exchange(
        path.stem,
        request["method"],
        request["path"],
        request["headers"],
        request["body"],
        response["status"],
        response.get("body"),
        response.get("headers", {}).get("content-type", "").split(";")[0],
        {
            told["event"]: _payload(told["payload"])
            for told in data["socket_events"]
            if told.get("socket", "same-ip") == "same-ip"
        },
    )


def _payload(told: Any) -> Any:
    """The payload; one that came as the text of JSON, read."""
    return json.loads(told) if isinstance(told, str) else told


def compare(
    recorded: Exchange, status: int, answer: Any, *, but: Mapping[str, str] | None = None
) -> None:
    """Raises AssertionError unless our answer gives clients what the recorded one gave.

    `but` holds the differences that are meant, `status` or the path of a key, and why. More keys
    than were recorded are no difference, the values of an object of ours neither,
    except for those that clients compare with.
    """
    found = {} if status == recorded.status else {"status": f"{recorded.status}, now {status}"}
    found |= dict(differences(recorded.answer, answer))
    assert found.keys() == (but or {}).keys(), f"{recorded.name}: {found}"


def differences(recorded: Any, ours: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Where our JSON lacks something of the recorded one: path and what is different."""
    if isinstance(recorded, dict) and isinstance(ours, dict):
        for key, value in recorded.items():
            place = f"{path}.{key}".lstrip(".")
            if key not in ours:
                yield place, "is missing"
            elif key in _COMPARED and isinstance(value, str):
                if value != ours[key]:
                    yield place, f"{value!r}, now {ours[key]!r}"
            else:
                yield from differences(value, ours[key], place)
    elif isinstance(recorded, list) and isinstance(ours, list):
        if bool(recorded) != bool(ours):
            yield path or "body", f"{len(recorded)} elements, now {len(ours)}"
        for one, other in zip(recorded[:1], ours[:1], strict=False):
            yield from differences(one, other, f"{path}[]")
    elif _type_name(recorded) != _type_name(ours):
        yield path or "body", f"{_type_name(recorded)}, now {_type_name(ours)}"


def _type_name(value: Any) -> str:
    return _TYPE_NAMES.get(type(value), type(value).__name__)
