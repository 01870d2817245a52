"""Tests of `app/web/machine.py`: what the system says of itself."""

import socket
from ipaddress import ip_address

import pytest

from app.web.machine import look, names_of, outward_address


def test_this_machine_has_its_name_and_loopback() -> None:
    machine = look()
    assert socket.gethostname().lower() in machine.names
    assert ip_address("127.0.0.1") in machine.addresses


def test_address_that_leads_out_is_among_them() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        assert ip_address(probe.getsockname()[0]) in look().addresses


@pytest.mark.parametrize(
    ("host_name", "names"),
    [
        ("Workstation", {"workstation", "workstation.local"}),
        ("ws.example.org", {"ws.example.org", "ws", "ws.local"}),
        ("Mac.local.", {"mac.local", "mac"}),
        ("Küche", {"xn--kche-0ra", "xn--kche-0ra.local"}),
        ("", set()),
        (".", set()),
        ("a..b", set()),
        ("x" * 64, set()),
    ],
)
def test_names_are_those_that_a_lan_knows(host_name: str, names: set[str]) -> None:
    assert names_of(host_name) == names


def test_address_towards_the_network_is_one_of_ours_or_there_is_none() -> None:
    address = outward_address()
    assert address is None or (address in look().addresses and not address.is_loopback)
