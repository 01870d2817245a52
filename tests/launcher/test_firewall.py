"""Tests of `launcher/firewall.py`; Windows is played by fakes of what it prints."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from launcher.firewall import NamedFirewall, WindowsFirewall

FIREWALLD = (
    "sudo firewall-cmd --permanent --add-port=3333/tcp --add-port=3334/tcp"
    " && sudo firewall-cmd --reload"
)
# As a German Windows prints it.
PRINTED = """
Regelname:                            Navigator
----------------------------------------------------------------------
Aktiviert:                            Ja
Profile:                              Privat
Protokoll:                            TCP
LokalerPort:                          {ports}
"""


@pytest.mark.posix
@pytest.mark.parametrize(
    ("program", "command"),
    [
        ("ufw", "sudo ufw allow 3333/tcp && sudo ufw allow 3334/tcp"),
        ("firewall-cmd", FIREWALLD),
        ("nothing", None),
    ],
)
def test_firewall_that_others_have_to_open_is_named(
    tmp_path: Path, program: str, command: str | None
) -> None:
    (tmp_path / program).write_text("#!/bin/sh\n")
    (tmp_path / program).chmod(0o755)
    firewall = NamedFirewall(str(tmp_path))
    assert firewall.command([3334, 3333, 3333]) == command
    assert not firewall.asks_before([3333])
    assert not firewall.let_in([3333])
    assert not firewall.asks_before_shut()


@dataclass
class Windows:
    """One with our rule for some ports, or without it. Its owner says yes or no."""

    ports: str = ""
    says_yes: bool = True
    asked: list[list[str]] = field(default_factory=list)

    def firewall(self) -> WindowsFirewall:
        return WindowsFirewall(elevated=self._elevated, look=self._look)

    def _look(self, command: Sequence[str]) -> tuple[int, str]:
        assert list(command[3:]) == ["show", "rule", "name=Navigator"]
        return (0, PRINTED.format(ports=self.ports)) if self.ports else (1, "Keine Regeln.")

    def _elevated(self, commands: Sequence[Sequence[str]]) -> bool:
        self.asked.append([" ".join(command[3:]) for command in commands])
        if not self.says_yes:
            return False
        for command in commands:
            named = [word for word in command if word.startswith("localport=")]
            self.ports = named[0].removeprefix("localport=") if named else ""
        return True


ADDED = "add rule name=Navigator dir=in action=allow protocol=TCP localport={ports} profile=private"
REMOVED = "delete rule name=Navigator"


def test_windows_is_asked_once_for_private_networks_only() -> None:
    windows = Windows()
    firewall = windows.firewall()
    assert firewall.asks_before([3333])
    assert firewall.let_in([3333])
    assert windows.asked == [[ADDED.format(ports=3333)]]
    assert not firewall.asks_before([3333])
    assert firewall.let_in([3333])
    assert len(windows.asked) == 1


@pytest.mark.parametrize("before", ["33330", "3333,3334,80"])
def test_rule_for_other_ports_is_replaced(before: str) -> None:
    windows = Windows(ports=before)
    assert windows.firewall().let_in([3334, 3333])
    assert windows.asked == [[REMOVED, ADDED.format(ports="3333,3334")]]


def test_owner_who_says_no_gets_the_command() -> None:
    windows = Windows(says_yes=False)
    firewall = windows.firewall()
    assert not firewall.let_in([3333])
    assert firewall.command([3333]) == f"netsh advfirewall firewall {ADDED.format(ports=3333)}"


def test_rule_is_taken_out_again() -> None:
    windows = Windows(ports="3333")
    firewall = windows.firewall()
    assert firewall.asks_before_shut()
    firewall.shut()
    assert windows.asked == [[REMOVED]]
    firewall.shut()
    assert len(windows.asked) == 1
