"""Forges for tests of patches: folders with the one file that the patch is for."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from launcher.forge_patch import PatchState, PatchStatus, check, patches_in
from tests.test_forge_patches import before

(PATCH,) = [path for path in patches_in() if "first-pass" in path.name]
FILE = "modules/api/api.py"
# As Forge's repository has it, and with the patch, for which git is not asked here.
UNPATCHED = before(PATCH).encode()
_ANCHOR = b"opts.outdir_txt2img_samples\n"
ADDED = (
    b"                if p.firstpass_image is not None:\n"
    b"                    p.firstpass_image = decode_base64_to_image(p.firstpass_image)\n"
)
PATCHED = UNPATCHED.replace(_ANCHOR, _ANCHOR + ADDED)
# Where the patch does not fit, since a line of it is another.
OTHER = UNPATCHED.replace(_ANCHOR, b"opts.outdir_samples or opts.outdir_txt2img_samples\n")


def environ(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a program whose user has no settings of git's."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return own | {"HOME": os.devnull, "XDG_CONFIG_HOME": os.devnull} | dict(changes or {})


def git(folder: Path, *arguments: str, **variables: str) -> str:
    """What git prints in that folder."""
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *who, *arguments],
        cwd=folder,
        env=environ(variables),
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    return done.stdout


def make_plain_forge(folder: Path, content: bytes = UNPATCHED) -> Path:
    """A Forge that was unpacked from an archive; gives its folder."""
    (folder / FILE).parent.mkdir(parents=True)
    (folder / FILE).write_bytes(content)
    return folder


def make_forge(folder: Path, content: bytes = UNPATCHED) -> Path:
    """A Forge that was cloned; gives its folder."""
    make_plain_forge(folder, content)
    git(folder, "init", "-q")
    commit(folder)
    return folder


def commit(forge: Path) -> None:
    """Commits everything."""
    git(forge, "add", "-A")
    git(forge, "commit", "-q", "-m", "a commit", "--allow-empty")


def write(forge: Path, content: bytes) -> None:
    """Changes the file as its owner would."""
    (forge / FILE).write_bytes(content)


def names_beside(forge: Path) -> list[str]:
    """What lies in the folder of the file."""
    return [path.name for path in (forge / FILE).parent.iterdir()]


def read(forge: Path) -> bytes:
    """The file as it is now."""
    return (forge / FILE).read_bytes()


def status(forge: Path, variables: Mapping[str, str] | None = None) -> PatchStatus:
    """What `check` says of our patch."""
    (only,) = check(forge, [PATCH], environ(variables))
    return only


def state(forge: Path, variables: Mapping[str, str] | None = None) -> PatchState:
    """Its state."""
    return status(forge, variables).state
