"""Which checkpoint and modules Forge has loaded, read from its options. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.clients.forge_lists import ForgeLists, base_name


@dataclass(frozen=True)
class Loaded:
    """What makes Forge load anew when it differs: the checkpoint and the modules, in order."""

    checkpoint: str
    modules: tuple[str, ...] = ()


def loaded_in(options: Mapping[str, Any], lists: ForgeLists) -> Loaded | None:
    """What is loaded now, by the names of `lists`; None when nothing is.

    `sd_checkpoint_hash` is the SHA-256 of the loaded checkpoint, "" before the first load;
    `sd_model_checkpoint` is the selected one as it was last named (recordings, section 3). Files
    of equal content have equal hashes, so the selected one is preferred.
    """
    sha256 = options.get("sd_checkpoint_hash")
    if not sha256:
        return None
    selected = lists.checkpoint(str(options.get("sd_model_checkpoint", "")))
    same = [item for item in lists.checkpoints if item.get("sha256") == sha256]
    found = selected if selected in same or not same else same[0]
    if found is None:
        return None
    modules = options.get("forge_additional_modules") or ()
    return Loaded(str(found["model_name"]), tuple(base_name(str(path)) for path in modules))
