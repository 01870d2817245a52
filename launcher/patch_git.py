"""The program git for patches: whether one fits, what files are with it, what is committed.

Knows nothing of Forge, and never works in a folder of the owner's: there an enclosing repository,
attributes and settings of line ends have a say. It gets copies in a folder of its own.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from launcher.errors import LauncherError

_TIMEOUT_S = 60.0
_SETTINGS = (
    "core.autocrlf=false",
    "core.attributesFile=",
    "apply.whitespace=nowarn",
    "apply.ignoreWhitespace=no",
    "protocol.allow=never",  # an incomplete clone would fetch what it lacks
)


class ForgePatchError(LauncherError):
    """Why nothing can be said or done. `message` is a sentence for the owner."""


class Git:
    """Git, without what its surroundings may set. Raises `ForgePatchError` when there is none."""

    def __init__(self, environ: Mapping[str, str]):
        self._program = shutil.which("git", path=environ.get("PATH", ""))
        # Hooks of git's, for one, run with GIT_DIR and GIT_INDEX_FILE of another repository.
        self._environ = {
            name: value
            for name, value in environ.items()
            if not name.startswith("GIT_") or name == "GIT_EXEC_PATH"
        }
        self._environ |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_ATTR_NOSYSTEM": "1"}
        # macOS has a program of this name that only offers to install the real one.
        if self._program is None or self._run(Path(), Path(), "version").returncode != 0:
            raise ForgePatchError(
                "Git is not installed; install it (e.g. `apt install git`, or git-scm.com on"
                " Windows) and try again."
            )

    def patched(
        self, name: str, patch: bytes, contents: Mapping[str, bytes], *, reverse: bool = False
    ) -> dict[str, bytes] | None:
        """What the files (relative path: content) are with the patch, or with it taken out.

        None if it does not fit. Raises `ForgePatchError`, with its name, for what is no patch, and
        OSError.
        """
        with tempfile.TemporaryDirectory(prefix="navigator-") as scratch:
            folder = Path(scratch, "files")
            folder.mkdir()
            for file, content in contents.items():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_bytes(content)
            # Named, so that git does not look for one. In a folder of a repository that it finds
            # further up it would skip every file without a word.
            no_repository = Path(scratch, "none")
            for step in (["--check"], []):
                words = ["apply", *step, *(["--reverse"] if reverse else []), "-"]
                done = self._run(no_repository, folder, *words, given=patch)
                if step and done.returncode == 1:
                    return None
                if done.returncode != 0:
                    raise ForgePatchError(
                        f"Git cannot work with the patch {name}: {_reason(done)}."
                    )
            return {file: (folder / file).read_bytes() for file in contents}

    def committed(self, checkout: Path, file: str, revision: str = "HEAD") -> bytes | None:
        """The file in a commit, or in the index if `revision` is empty; None if it is not there.

        Only the checkout's own repository is asked, whoever owns it, and not one around it. Raises
        `ForgePatchError` if git cannot tell.
        """
        git_dir = (checkout / ".git").absolute()
        name = f"{revision}:{file}"
        found = self._run(git_dir, checkout, "rev-parse", "--verify", "--quiet", name)
        if found.returncode == 1 or b"not a git repository" in found.stderr:
            return None
        blob = self._run(git_dir, checkout, "cat-file", "blob", name)
        if blob.returncode != 0:
            raise ForgePatchError(
                f"Git cannot read what is committed in {checkout}: {_reason(blob)}."
            )
        return blob.stdout

    def _run(
        self, git_dir: Path, folder: Path, *arguments: str, given: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        try:
            return subprocess.run(  # noqa: S603 - arguments of ours
                [str(self._program), "--no-pager", *settings, *arguments],
                cwd=folder,
                env=self._environ | {"GIT_DIR": str(git_dir)},
                input=given,
                capture_output=True,
                check=False,
                timeout=_TIMEOUT_S,
                # Or Windows shows a console for each call by a program without one.
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except subprocess.TimeoutExpired as error:
            raise ForgePatchError(f"Git did not answer within {_TIMEOUT_S:.0f} seconds.") from error


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stderr.decode(errors="replace").strip().rstrip(".")
