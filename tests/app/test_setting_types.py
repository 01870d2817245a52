"""Tests of `app/setting_types.py`."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.setting_types import (
    DatabaseLocation,
    Duration,
    HttpUrls,
    Networks,
    OptionalText,
    Port,
    Switch,
    duration_s,
    http_url,
    plain,
    web_origin,
)


@pytest.mark.parametrize(
    ("text", "expected_s"),
    [
        ("14d", 14 * 86400),
        ("72h", 72 * 3600),
        ("72 hours", 72 * 3600),
        ("2 weeks", 14 * 86400),
        ("1y", 365.25 * 86400),
        ("90 min", 5400),
        ("1.5h", 5400),
        ("30s", 30),
        ("500", 0.5),
        ("500ms", 0.5),
        (" 14D ", 14 * 86400),
        ("-1", None),
        (" -1 ", None),
        (-1, None),
    ],
)
def test_durations_are_read_as_the_earlier_navigator_did(
    text: object, expected_s: float | None
) -> None:
    assert duration_s(text) == expected_s


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    adapter: TypeAdapter[float | None] = TypeAdapter(Duration)
    try:
        seconds = adapter.validate_python(text)
    except ValidationError:
        return
    assert seconds is None or 0 < seconds < 1e10


@pytest.mark.parametrize("text", ["true", "TRUE", " 1 ", "yes", "on"])
def test_words_for_on(text: str) -> None:
    assert TypeAdapter(Switch).validate_python(text) is True


@pytest.mark.parametrize("text", ["false", "False", "0", "no", "off", "", "  "])
def test_words_for_off(text: str) -> None:
    assert TypeAdapter(Switch).validate_python(text) is False


@pytest.mark.parametrize(
    ("kind", "value"),
    [(Switch, "maybe"), (Switch, "2"), (Port, "65536"), (Port, "-1"), (Networks, "10.0.0.0/40")],
)
def test_other_values_are_refused(kind: Any, value: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


def test_blank_text_is_none() -> None:
    adapter: TypeAdapter[str | None] = TypeAdapter(OptionalText)
    assert [adapter.validate_python(text) for text in ("", "  ", " a ")] == [None, None, " a "]


def test_addresses_are_a_list_with_commas() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(HttpUrls)
    text = " https://a.example/api/v1/ ,http://[::1]:80/x,, https://a.example/api/v1,"
    assert adapter.validate_python(text) == ("https://a.example/api/v1", "http://[::1]:80/x")


@pytest.mark.parametrize(
    "text",
    ["", " , ", "a.example/api/v1", "ftp://a.example", "https://", "https://a b", "https://u:p@a",
     "https://u@a", "https://a/?key=1", "https://a/#x", "https://a/api/v1 https://b/api/v1",
     "https://a,b"],
)  # fmt: skip
def test_what_is_no_list_of_addresses_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(HttpUrls).validate_python(text)


def test_networks_are_a_list_with_commas() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(Networks)
    networks = adapter.validate_python(" 10.0.0.7/8 , 192.0.2.1,, fd00::/8,")
    assert [str(one) for one in networks] == ["10.0.0.0/8", "192.0.2.1/32", "fd00::/8"]
    assert adapter.validate_python("") == ()


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://localhost:7860/", "http://localhost:7860"),
        (" https://gpu.lan/sdapi/v1 ", "https://gpu.lan/sdapi/v1"),
        ("http://[::1]:7860", "http://[::1]:7860"),
    ],
)
def test_addresses_lose_what_says_nothing(text: str, url: str) -> None:
    assert http_url(text) == url


@pytest.mark.parametrize(
    "text", ["", "gpu", "gpu:7860", "http://", "http:///x", "http://a b", "http://a:b", "ws://a",
             "http://a:70000", "http://a:0", "http://[::1"],
)  # fmt: skip
def test_impossible_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        http_url(text)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///var/lib/navigator.db", "/var/lib/navigator.db"),
        ("sqlite://./navigator.db", "navigator.db"),
        ("sqlite://navigator.db", "navigator.db"),
        ("sqlite:///a%20b/c.db", "/a b/c.db"),
        ("sqlite:///C:/data/c.db", "C:/data/c.db"),
    ],
)
def test_sqlite_is_named_by_its_path(url: str, path: str) -> None:
    location = DatabaseLocation.of_url(url)
    assert (location.dialect, location.path) == ("sqlite", Path(path))
    assert str(location) == f"sqlite://{Path(path)}"


@pytest.mark.parametrize("scheme", ["mysql", "mariadb"])
def test_server_is_named_by_its_parts(scheme: str) -> None:
    location = DatabaseLocation.of_url(f"{scheme}://m%40e:p%3A%40%2F@db.lan:3307/my%20db")
    assert (location.dialect, location.host, location.port) == ("mysql", "db.lan", 3307)
    assert (location.user, location.password, location.name) == ("m@e", "p:@/", "my db")
    assert "p:@/" not in str(location)
    plain = DatabaseLocation.of_url(f"{scheme}://db.lan/navigator")
    assert (plain.user, plain.password, plain.port) == ("root", "", 3306)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://A.example/", "https://a.example"),
        ("https://a.example:443/x?y#z", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("http://a.example:443", "http://a.example:443"),
        ("http://user:secret@a.example:3333", "http://a.example:3333"),
        ("http://[FD00::1]:3333", "http://[fd00::1]:3333"),
        ("http://küche.example", "http://xn--kche-0ra.example"),
    ],
)
def test_origin_is_what_a_browser_calls_it(url: str, origin: str) -> None:
    assert web_origin(url) == origin


@pytest.mark.parametrize("url", ["a.example", "http://a..b", "http://a'b", "http://[fe80::1%eth0]"])
def test_address_without_a_plain_origin_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        web_origin(url)


@given(st.text())
def test_plain_text_can_end_neither_a_string_nor_a_tag(text: str) -> None:
    try:
        kept = plain(text)
    except ValueError:
        return
    assert not set(kept) & set("\"'`<>&;()\\\n\r\u2028 $")
