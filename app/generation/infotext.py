"""Reads the infotext that Forge writes into its pictures. Pure text work.

The format is the one Forge's `POST /sdapi/v1/png-info` parses: prompt lines, `Negative prompt:`
lines, and one last line of `Name: value` pairs [png-info/hr_lora_png].
"""

import json
import re
from collections.abc import Mapping
from typing import Any

# What Forge's parser adds where the text says nothing [png-info/real_png]. Clients of the earlier
# Navigator were shown these; LoRA prompts and "Hires VAE/TE" are left as they are in the text.
FORGE_DEFAULTS: Mapping[str, Any] = {
    "Clip skip": "1",
    "Hires resize-1": 0,
    "Hires resize-2": 0,
    "Hires sampler": "Use same sampler",
    "Hires schedule type": "Use same scheduler",
    "Hires checkpoint": "Use same checkpoint",
    "Hires prompt": "",
    "Hires negative prompt": "",
    "Mask mode": "Inpaint masked",
    "Masked content": "original",
    "Inpaint area": "Whole picture",
    "Masked area padding": 32,
    "RNG": "GPU",
    "Schedule max sigma": 0,
    "Schedule min sigma": 0,
    "Schedule rho": 0,
    "VAE Encoder": "Full",
    "VAE Decoder": "Full",
    "FP8 weight": "Disable",
    "Refiner switch by sampling steps": False,
}
_NEGATIVE_PROMPT = "Negative prompt:"
# Names are bounded, or a long last line without a colon would take the square of its length.
_PAIR = re.compile(r'\s*(\w[\w \-/]{0,63}):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
_SIZE = re.compile(r"(\d+)x(\d+)")
_MIN_PAIRS = 3  # fewer on the last line, and it is part of the prompt


def parsed(infotext: str) -> dict[str, Any]:
    """The parameters in `infotext`, values as text, as Forge's `png-info` gives them.

    Sizes become two entries (`Size-1`, `Size-2`). Empty when there is no infotext.
    """
    if not infotext.strip():
        return {}
    *lines, last = infotext.strip().split("\n")
    pairs = _PAIR.findall(last)
    if len(pairs) < _MIN_PAIRS:
        lines, pairs = [*lines, last], []
    found: dict[str, Any] = {}
    for name, value in pairs:
        text = _unquoted(value.strip())
        size = _SIZE.fullmatch(text)
        if size is None:
            found[name] = text
        else:
            found[f"{name}-1"], found[f"{name}-2"] = size.groups()
    prompt, negative = _prompts(lines)
    found |= {"Prompt": prompt, "Negative prompt": negative}
    return found | {name: value for name, value in FORGE_DEFAULTS.items() if name not in found}


def _prompts(lines: list[str]) -> tuple[str, str]:
    positive: list[str] = []
    negative: list[str] = []
    target = positive
    for line in lines:
        stripped = line.strip()
        if stripped.startswith(_NEGATIVE_PROMPT):
            target = negative
            stripped = stripped.removeprefix(_NEGATIVE_PROMPT).strip()
        target.append(stripped)
    return "\n".join(positive).strip(), "\n".join(negative).strip()


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value
