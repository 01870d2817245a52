"""The firewall of this machine: lets friends through, or says what to type. Calls block.

Windows: a rule for private networks only, which an administrator has to allow. Elsewhere we have no
rights, and name the command.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from launcher.windows_elevation import Elevated, run_elevated, system_folder

RULE = "Navigator"
_LIMIT_S = 30.0
_NETSH = ("netsh", "advfirewall", "firewall")


class Firewall(Protocol):
    """That of one system."""

    def asks_before(self, ports: Iterable[int]) -> bool:
        """Whether `let_in` has something to do, for which the system asks whoever sits there."""

    def let_in(self, ports: Iterable[int]) -> bool:
        """Lets others reach these TCP ports, and no others of ours; whether they can now."""

    def asks_before_shut(self) -> bool:
        """The same for `shut`."""

    def shut(self) -> None:
        """Takes back what `let_in` did."""

    def command(self, ports: Iterable[int]) -> str | None:
        """What an administrator types to the same end; None if there is no firewall."""


class NamedFirewall:
    """One that others have to open: `ufw` or `firewalld`."""

    def __init__(self, path: str | None = None):
        """`path` is where programs are looked for."""
        self._path = path

    def asks_before(self, ports: Iterable[int]) -> bool:
        return False

    def let_in(self, ports: Iterable[int]) -> bool:
        return False

    def asks_before_shut(self) -> bool:
        return False

    def shut(self) -> None:
        pass

    def command(self, ports: Iterable[int]) -> str | None:
        wanted = sorted(set(ports))
        if shutil.which("ufw", path=self._path) is not None:
            return " && ".join(f"sudo ufw allow {port}/tcp" for port in wanted)
        if shutil.which("firewall-cmd", path=self._path) is not None:
            opened = " ".join(f"--add-port={port}/tcp" for port in wanted)
            return f"sudo firewall-cmd --permanent {opened} && sudo firewall-cmd --reload"
        return None


class WindowsFirewall:
    """Windows Defender Firewall, over `netsh`.

    Source: `netsh advfirewall firewall` of Microsoft's documentation. To look needs no rights, to
    change those of an administrator.
    """

    def __init__(
        self,
        *,
        elevated: Elevated = run_elevated,
        look: Callable[[Sequence[str]], tuple[int, str]] | None = None,
    ):
        """`elevated` and `look` run commands; both are for tests."""
        self._elevated = elevated
        self._look = look or _looked

    def asks_before(self, ports: Iterable[int]) -> bool:
        return not self._lets_in(ports)

    def let_in(self, ports: Iterable[int]) -> bool:
        wanted = sorted(set(ports))
        if self._lets_in(wanted):
            return True
        commands = [self._adding(wanted)]
        if self.asks_before_shut():
            commands.insert(0, self._removing())
        return self._elevated(commands) and self._lets_in(wanted)

    def asks_before_shut(self) -> bool:
        code, _ = self._look([*_NETSH, "show", "rule", f"name={RULE}"])
        return code == 0

    def shut(self) -> None:
        if self.asks_before_shut():
            self._elevated([self._removing()])

    def command(self, ports: Iterable[int]) -> str | None:
        return " ".join(self._adding(sorted(set(ports))))

    def _lets_in(self, ports: Iterable[int]) -> bool:
        """Whether our rule names just these ports. What is printed is in the system's language."""
        code, printed = self._look([*_NETSH, "show", "rule", f"name={RULE}"])
        numbers = {int(one) for one in re.findall(r"\b\d{1,5}\b", printed)}
        return code == 0 and set(ports) == numbers

    def _adding(self, ports: Sequence[int]) -> list[str]:
        listed = ",".join(str(port) for port in ports)
        return [*_NETSH, "add", "rule", f"name={RULE}", "dir=in", "action=allow", "protocol=TCP",
                f"localport={listed}", "profile=private"]  # fmt: skip

    def _removing(self) -> list[str]:
        return [*_NETSH, "delete", "rule", f"name={RULE}"]


def of_this_system() -> Firewall:
    """The firewall of this machine."""
    return WindowsFirewall() if sys.platform == "win32" else NamedFirewall()


def _looked(command: Sequence[str]) -> tuple[int, str]:
    """The exit code of a command, and what it printed."""
    program, *words = command
    try:
        done = subprocess.run(  # noqa: S603 - ours
            [str(Path(system_folder()) / f"{program}.exe"), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIMIT_S,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.TimeoutExpired):
        return 1, ""
    return done.returncode, done.stdout.decode("ascii", "ignore")
