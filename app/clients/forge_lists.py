"""What Forge says it has, as one value, and how names are looked up in it. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

PREFERRED_UPSCALER = "4x_NMKD-Siax_200k"
_PLAIN_UPSCALERS = ("Lanczos", "Nearest")

Item = Mapping[str, Any]


@dataclass(frozen=True)
class ForgeLists:
    """The last known lists, as Forge sent them. An empty list means that nothing is known."""

    checkpoints: Sequence[Item] = ()
    modules: Sequence[Item] = ()
    samplers: Sequence[Item] = ()
    schedulers: Sequence[Item] = ()
    upscalers: Sequence[Item] = ()
    loras: Sequence[Item] = ()
    embeddings: Sequence[str] = ()
    friendly_names: Mapping[str, str] = field(default_factory=dict)
    """The owner's names of checkpoints, and Forge's `model_name` for each."""
    has_modules: bool = True
    """False for a fork of Forge that knows no additional modules."""

    @property
    def are_known(self) -> bool:
        """Whether Forge has told its lists; it always has samplers."""
        return bool(self.samplers)

    def checkpoint(self, name: str) -> Item | None:
        """The checkpoint of this `model_name`, title, path below the folder of checkpoints, hash,
        or friendly name."""
        for key in ("model_name", "title"):
            for item in self.checkpoints:
                if item.get(key) == name:
                    return item
        for item in self.checkpoints:
            if str(item.get("title", "")).partition(" [")[0] == name or name in {
                item.get("hash"),
                item.get("sha256"),
            }:
                return item
        called = self.friendly_names.get(name)
        named = (item for item in self.checkpoints if item.get("model_name") == called)
        return next(named, None) if called is not None else None

    def sampler(self, name: str) -> str | None:
        """The sampler's own name for a name, an alias, or either in another case."""
        for fold in (str, str.casefold):
            for item in self.samplers:
                names = (item.get("name", ""), *(item.get("aliases") or ()))
                if fold(name) in {fold(str(known)) for known in names}:
                    return str(item["name"])
        return None

    def scheduler(self, name: str) -> str | None:
        """The scheduler's `name` for a name or a label in any case."""
        wanted = name.casefold()
        for item in self.schedulers:
            if wanted in {str(item.get("name")).casefold(), str(item.get("label")).casefold()}:
                return str(item["name"])
        return None

    def module(self, name: str) -> str | None:
        """The module's file name for a file name or a path."""
        wanted = base_name(name)
        names = (str(item.get("model_name")) for item in self.modules)
        return next((known for known in names if known == wanted), None)

    def upscaler(self, name: str | None) -> str | None:
        """The upscaler to use when `name` is asked for; None when no list is known.

        An unknown or missing name gives the default: one that is on disk, never one that Forge
        would have to download first (its `model_path` is an address then [get/upscalers]).
        """
        known = [str(item.get("name")) for item in self.upscalers]
        if name is not None and name in known:
            return name
        if PREFERRED_UPSCALER in known:
            return PREFERRED_UPSCALER
        return next(iter(self._default_upscalers()), None)

    def _default_upscalers(self) -> Iterable[str]:
        on_disk = [
            item
            for item in self.upscalers
            if item.get("model_path") and "://" not in str(item["model_path"])
        ]
        yield from (str(item["name"]) for item in on_disk if item.get("scale") == 4)
        yield from (str(item["name"]) for item in on_disk)
        names = [str(item.get("name")) for item in self.upscalers]
        yield from (name for name in _PLAIN_UPSCALERS if name in names)
        yield from (name for name in names if name != "None")


def base_name(path: str) -> str:
    """The last part of a path of either system."""
    return PurePosixPath(PureWindowsPath(path).as_posix()).name
