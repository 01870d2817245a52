"""Tests of `app/settings.py`: who can reach us, and what strangers may do then."""

from pathlib import Path

import pytest

from tests.setting_sources import Sources


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """The three places, empty."""
    return Sources(tmp_path)


@pytest.mark.parametrize(
    ("host", "is_shared"),
    [
        ("127.0.0.1", False),
        ("127.1.2.3", False),
        ("::1", False),
        ("localhost", False),
        ("0.0.0.0", True),
        ("::", True),
        ("192.168.1.7", True),
        ("gpu.lan", True),
    ],
)
def test_it_is_known_whether_others_can_reach_us(
    sources: Sources, host: str, is_shared: bool
) -> None:
    sources.environ["HTTP_API_HOST"] = host
    assert sources.load().is_shared is is_shared
    assert sources.load(lan=True).is_shared


@pytest.mark.parametrize("lan", [False, True])
def test_demo_user_is_off_until_the_owner_says_otherwise(sources: Sources, lan: bool) -> None:
    assert not sources.load(lan=lan).enable_demo_user
    sources.environ["ENABLE_DEMO_USER"] = "true"
    assert sources.load(lan=lan).enable_demo_user
