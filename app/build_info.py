"""Which Navigator this is: the branch and commit that it was built from."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

UNKNOWN = "unknown"
_SOURCES = Path(__file__).parent.parent
_GIT_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class BuildInfo:
    """`commit` has seven hexadecimal digits; both are `unknown` when nothing tells them."""

    branch: str
    commit: str


def build_info(branch: str | None, commit: str | None, *, sources: Path = _SOURCES) -> BuildInfo:
    """What the settings say, else the git checkout that we run from. Blocks."""
    return BuildInfo(
        branch or _git(sources, "rev-parse", "--abbrev-ref", "HEAD") or UNKNOWN,
        _short(commit) or _git(sources, "rev-parse", "--short=7", "HEAD") or UNKNOWN,
    )


def _short(commit: str | None) -> str | None:
    is_whole = commit is not None and re.fullmatch(r"[0-9a-f]{40}", commit)
    return commit[:7] if commit is not None and is_whole else commit


def _git(sources: Path, *arguments: str) -> str:
    git = shutil.which("git")
    if git is None or not (sources / ".git").exists():  # never the checkout around an installation
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - arguments of ours
            [git, *arguments],
            cwd=sources,
            capture_output=True,
            encoding="utf-8",
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
