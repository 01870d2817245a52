"""A folder that looks like a Forge install, with a simulator where Forge would be.

Its scripts behave as Forge's do: `webui.sh` refuses root, makes the virtual environment, runs
Python as a child and starts it again while `tmp/restart` is there; `launch.py` appends
`COMMANDLINE_ARGS`, and stays alive when its port is taken. What else it does is said before it
starts, by `Behaviour`, or while it runs, by `tell`.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.conventions.tree import PROJECT

_LAUNCH = Path(__file__).with_name("forge_launch.py")
_WEBUI = """\
#!/usr/bin/env bash
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
can_run_as_root=0
while getopts "f" flag > /dev/null 2>&1; do
    case ${flag} in f) can_run_as_root=1 ;; *) break ;; esac
done
source ./webui-user.sh
if [[ -z "${venv_dir}" ]]; then venv_dir="venv"; fi
if [[ $(id -u) -eq 0 && can_run_as_root -eq 0 ]]; then
    echo "ERROR: This script must not be launched as root, aborting..."
    exit 1
fi
if [[ ! -x "${venv_dir}/bin/python" ]]; then
    echo "Creating the virtual environment"
    mkdir -p "${venv_dir}/bin" && cp python-of-the-test "${venv_dir}/bin/python"
fi
export SD_WEBUI_RESTART=tmp/restart
KEEP_GOING=1
while [[ "$KEEP_GOING" -eq "1" ]]; do
    "${venv_dir}/bin/python" -u launch.py "$@"
    if [[ ! -f tmp/restart ]]; then KEEP_GOING=0; fi
done
"""


@dataclass
class Behaviour:
    """What a start does. Times are seconds; `crashes` is how many starts end at once."""

    starts_after_s: float = 0.0
    window_s: float = 0.0  # in which the port is open, and Forge is not ready
    installs: int = 0
    crashes: int = 0
    crash_says: str = "RuntimeError: it is broken"
    ignores_sigterm: bool = False
    forks: bool = False
    step_time_s: float = 0.02


class FakeForge:
    """One install."""

    def __init__(self, root: Path, arguments: str = "", *, has_venv: bool = True):
        self.root = root
        root.mkdir(parents=True)
        for name in ("modules", "tmp"):
            (root / name).mkdir()
        (root / "webui.py").touch()
        (root / "launch.py").write_text(
            _LAUNCH.read_text("utf-8").replace("PROJECT_OF_THE_TEST", str(PROJECT)), "utf-8"
        )
        (root / "webui.sh").write_text(_WEBUI, "utf-8")
        (root / "webui.sh").chmod(0o755)
        python = root / "python-of-the-test"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', "utf-8")
        python.chmod(0o755)
        if has_venv:
            (root / "venv" / "bin").mkdir(parents=True)
            (root / "venv" / "bin" / "python").write_bytes(python.read_bytes())
            (root / "venv" / "bin" / "python").chmod(0o755)
        self.set_arguments(arguments)
        self.behave()

    def set_arguments(self, arguments: str) -> None:
        """What its owner has put into `webui-user.sh`."""
        text = f'#!/bin/bash\nexport COMMANDLINE_ARGS="{arguments}"\n'
        (self.root / "webui-user.sh").write_text(text, "utf-8")

    def behave(self, **changes: Any) -> None:
        """What it does from the next start on."""
        told = json.dumps(asdict(Behaviour(**changes)))
        (self.root / "behaviour.json").write_text(told, "utf-8")

    def tell(self, word: str) -> None:
        """Makes the running one `crash`, `restart`, `hang` or `grow`."""
        partial = self.root / "word.partial"
        partial.write_text(word, "utf-8")
        partial.replace(self.root / "word")

    @property
    def starts(self) -> list[dict[str, Any]]:
        """Process id, arguments, folder and some of the environment of each start so far."""
        path = self.root / "starts.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
