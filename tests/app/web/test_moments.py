"""Tests of `app/web/moments.py`."""

from datetime import datetime, timedelta, timezone

from app.web.moments import moment


def test_moment_is_shown_in_utc_to_the_millisecond() -> None:
    east = timezone(timedelta(hours=2))
    given = datetime(2026, 3, 4, 7, 6, 7, 123999, tzinfo=east)
    assert moment(given) == "2026-03-04T05:06:07.123+00:00"
    assert moment(None) is None
