"""Our changes to Forge (`forge_patches/`): whether a Forge has them; puts them in, takes them out.

Never writes a file that has uncommitted changes of the owner's.
"""

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import launcher
from launcher.patch_file import Patch, has_the_like
from launcher.patch_git import ForgePatchError, Git

__all__ = ["ForgePatchError", "PatchState", "PatchStatus", "apply", "check", "patches_in", "revert"]

PATCHES_DIR = Path(launcher.__file__).parent.parent / "forge_patches"


class PatchState(StrEnum):
    """Whether a Forge has a patch, or may get it."""

    APPLIED = "applied"
    NEEDED = "needed"
    UPSTREAM = "upstream"
    DOES_NOT_FIT = "does-not-fit"
    DIRTY = "dirty"


@dataclass(frozen=True)
class PatchStatus:
    """One patch in one install. `sentence` tells the owner what to do next.

    `name` is that of the patch file without `.patch`. `changed_files` are those that `apply` or
    `revert` has just changed, relative to Forge's folder, with slashes.
    """

    name: str
    state: PatchState
    sentence: str
    changed_files: tuple[str, ...] = ()


def patches_in(folder: Path = PATCHES_DIR) -> list[Path]:
    """The patches that this version of Navigator has, by name."""
    return sorted(folder.glob("*.patch"))


def check(
    forge_dir: Path, patches: Sequence[Path], environ: Mapping[str, str]
) -> list[PatchStatus]:
    """How each of the patches stands, in their order. Changes nothing. Blocks.

    `environ` is the program's environment, which only entry points read. Of several patches of one
    file give all: what is neither committed nor theirs is the owner's. Raises `ForgePatchError` if
    there is no git, if that is no Forge, or if a file cannot be read.
    """
    with _translated():
        install = _Install(forge_dir, patches, environ)
        return [install.status(patch) for patch in install.patches]


def apply(
    forge_dir: Path, patches: Sequence[Path], environ: Mapping[str, str]
) -> list[PatchStatus]:
    """Puts in each patch that is `NEEDED`; gives how all stand then. Otherwise like `check`.

    A patch is in as a whole or not at all. Raises `ForgePatchError` for a file that is read-only
    too; patches before that one stay in.
    """
    with _translated():
        install = _Install(forge_dir, patches, environ)
        return [install.put_in(patch) for patch in install.patches]


def revert(
    forge_dir: Path, patches: Sequence[Path], environ: Mapping[str, str]
) -> list[PatchStatus]:
    """Takes out each patch that is `APPLIED`, the last one first. Otherwise like `apply`."""
    with _translated():
        install = _Install(forge_dir, patches, environ)
        return [install.take_out(patch) for patch in reversed(install.patches)][::-1]


class _Install:
    """A Forge, and the patches for it."""

    def __init__(self, forge_dir: Path, patches: Sequence[Path], environ: Mapping[str, str]):
        if not forge_dir.is_dir():
            raise ForgePatchError(f"{forge_dir} is not a folder.")
        self.patches = [Patch.read(path) for path in patches]
        self._dir = forge_dir
        self._files = sorted({file for patch in self.patches for file in patch.files})
        if self._files and not self._contents():
            sentence = f"{forge_dir} is not a Forge install: it has no {self._files[0]}."
            inner = forge_dir / "webui"
            if any((inner / file).is_file() for file in self._files):
                sentence += f" Name the folder {inner} instead."
            raise ForgePatchError(sentence)
        self._git = Git(environ)

    def status(self, patch: Patch) -> PatchStatus:
        now = self._contents()
        if self._patched(patch, now, reverse=True) is not None:
            state = PatchState.APPLIED
        elif self._patched(patch, now) is not None:
            state = PatchState.NEEDED
        elif has_the_like(now, patch):
            return self._described(patch, PatchState.UPSTREAM)
        else:
            state = PatchState.DOES_NOT_FIT
        if self._has_changes_of_the_owner(patch, now):
            state = PatchState.DIRTY
        return self._described(patch, state)

    def put_in(self, patch: Patch) -> PatchStatus:
        status = self.status(patch)
        if status.state is not PatchState.NEEDED:
            return status
        return self._change(
            patch, PatchState.APPLIED, "has the patch now. Restart Forge to use it."
        )

    def take_out(self, patch: Patch) -> PatchStatus:
        status = self.status(patch)
        if status.state is not PatchState.APPLIED:
            return status
        return self._change(patch, PatchState.NEEDED, "is as before the patch. Restart Forge.")

    def _change(self, patch: Patch, new: PatchState, words: str) -> PatchStatus:
        now = self._contents()
        then = self._patched(patch, now, reverse=new is PatchState.NEEDED)
        if then is None:
            raise ForgePatchError(f"{', '.join(patch.files)} was changed meanwhile; try again.")
        for file in patch.files:
            _refuse_read_only(self._dir / file)
        try:
            for file in patch.files:
                _replace(self._dir / file, then[file])
        except OSError:
            for file in patch.files:
                if (self._dir / file).read_bytes() != now[file]:
                    _replace(self._dir / file, now[file])
            raise
        sentence = f"{', '.join(patch.files)} {words}"
        return PatchStatus(patch.name, new, sentence, tuple(patch.files))

    def _contents(self) -> dict[str, bytes]:
        paths = {file: self._dir / file for file in self._files}
        return {file: path.read_bytes() for file, path in paths.items() if path.is_file()}

    def _patched(
        self, patch: Patch, contents: Mapping[str, bytes], *, reverse: bool = False
    ) -> dict[str, bytes] | None:
        # In the file's own line ends, so that it keeps them, also where it has both.
        for text in (patch.lf, patch.crlf):
            then = self._git.patched(patch.name, text, contents, reverse=reverse)
            if then is not None:
                return then
        return None

    def _has_changes_of_the_owner(self, patch: Patch, now: Mapping[str, bytes]) -> bool:
        """Whether a file differs from the commit, or the index, by more than line ends and patches.

        Not by `git status`: it hides files that are marked as unchanged, and where the settings of
        line ends are others than at the checkout, it calls every line changed.
        """
        ours = self._without_patches(now)
        for revision in ("HEAD", ""):
            found = {file: self._git.committed(self._dir, file, revision) for file in now}
            known = {file: content for file, content in found.items() if content is not None}
            then = self._without_patches({**now, **known})
            if any(ours.get(file) != then.get(file) for file in patch.files):
                return True
        return False

    def _without_patches(self, contents: Mapping[str, bytes]) -> dict[str, bytes]:
        left = dict(contents)
        for patch in reversed(self.patches):
            left = self._patched(patch, left, reverse=True) or left
        return {file: content.replace(b"\r\n", b"\n") for file, content in left.items()}

    def _described(self, patch: Patch, state: PatchState) -> PatchStatus:
        files = ", ".join(patch.files)
        sentences = {
            PatchState.APPLIED: "Forge has this patch. There is nothing to do.",
            PatchState.NEEDED: "Forge does not have this patch, and it fits. Apply it, then restart"
            " Forge.",
            PatchState.UPSTREAM: "This Forge does by itself what the patch is for. There is nothing"
            " to do.",
            PatchState.DOES_NOT_FIT: f"{files} is different in this version of Forge, so the patch"
            " does not fit. Navigator works without it; a newer Navigator may have one that fits.",
            PatchState.DIRTY: f"{files} has changes of yours that are not committed, so it is left"
            f" alone. Commit them or put them away (`git stash` in {self._dir}), then try again.",
        }
        return PatchStatus(patch.name, state, sentences[state])


def _refuse_read_only(path: Path) -> None:
    # The mode too, because the superuser may write everything.
    if not (path.stat().st_mode & stat.S_IWUSR and os.access(path, os.W_OK)):
        raise ForgePatchError(f"{path} is read-only. Make it writable and try again.")


def _replace(path: Path, content: bytes) -> None:
    path = path.resolve()
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".partial")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(path, name)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeDecodeError) as error:
        raise ForgePatchError(f"A file cannot be read or written: {error}.") from error
