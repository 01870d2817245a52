"""Which models a job uses, and by which names its files go at Forge. Pure.

When in doubt a name counts as used: better that a file stays than that a job finds it gone.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from app.clients.forge_lists import ForgeLists, base_name
from app.library.model_folder import ModelFile, ModelKind

Name = tuple[ModelKind, str]

# Forge `modules/extra_networks.py`; `lyco` is another word for the same.
_NETWORK = re.compile(r"<(?:lora|lyco):([^:>]+)")
# Forge knows both by their file names, in one list.
_MODULES = (ModelKind.VAE, ModelKind.TEXT_ENCODER)


def used_by(parameters: Mapping[str, Any], lists: ForgeLists) -> set[Name]:
    """What a job with these parameters makes Forge load, as far as they tell."""
    used: set[Name] = set()
    if (given := parameters.get("model_name")) is not None:
        found = lists.checkpoint(str(given))
        used.add((ModelKind.CHECKPOINT, str(found["model_name"] if found else given)))
    for module in parameters.get("modules") or ():
        used.update(_module(base_name(str(module))))
    if parameters.get("force_hr_fix"):
        used.update(_upscaler(lists.upscaler(parameters.get("upscaler_name")), lists))
    prompt = "\n".join(str(parameters.get(key, "")) for key in ("prompt", "negative_prompt"))
    used.update(_loras(prompt, lists))
    used.update(_embeddings(prompt, lists))
    return used


def name_of(file: ModelFile) -> str:
    """How jobs and prompts call a file.

    A checkpoint by its path below the folder, with `_` for slashes (Forge `modules/sd_models.py`).
    """
    path = PurePosixPath(file.path)
    if file.kind in _MODULES:
        return path.name
    if file.kind is ModelKind.CHECKPOINT:
        return str(PurePosixPath(*path.parts[1:]).with_suffix("")).replace("/", "_")
    return file.name


def names_of(file: ModelFile) -> set[Name]:
    """All that Forge may call a file: a VAE may lie beside checkpoints."""
    module = PurePosixPath(file.path).name
    if file.kind in _MODULES:
        return _module(module)
    is_checkpoint = file.kind is ModelKind.CHECKPOINT
    return {(file.kind, name_of(file)), *(_module(module) if is_checkpoint else ())}


def listed(lists: ForgeLists) -> set[Name]:
    """All names that Forge lists."""
    return {
        *((ModelKind.CHECKPOINT, str(item.get("model_name"))) for item in lists.checkpoints),
        *((ModelKind.LORA, str(item.get("name"))) for item in lists.loras),
        *((ModelKind.EMBEDDING, name) for name in lists.embeddings),
        *(name for item in lists.modules for name in _module(str(item.get("model_name")))),
        *(name for item in lists.upscalers for name in _upscaler(item.get("name"), lists)),
    }


def _module(name: str) -> set[Name]:
    return {(kind, name) for kind in _MODULES}


def _upscaler(name: str | None, lists: ForgeLists) -> set[Name]:
    """Its own name and that of its file, which may differ."""
    paths = [item.get("model_path") for item in lists.upscalers if item.get("name") == name]
    stems = [PurePosixPath(base_name(str(path))).stem for path in paths if path]
    return {(ModelKind.UPSCALER, one) for one in [name, *stems] if one is not None}


def _loras(prompt: str, lists: ForgeLists) -> Iterator[Name]:
    for given in _NETWORK.findall(prompt):
        name = given.strip()
        yield ModelKind.LORA, name
        for lora in lists.loras:
            if name in {lora.get("name"), lora.get("alias")}:
                yield ModelKind.LORA, str(lora.get("name"))


def _embeddings(prompt: str, lists: ForgeLists) -> Iterator[Name]:
    """Forge looks for their names as it reads words, which are in no case."""
    text = prompt.casefold()
    for name in lists.embeddings:
        word = name.casefold()
        if word in text and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text):
            yield ModelKind.EMBEDDING, name
