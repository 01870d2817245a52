"""Moments as they are shown to clients."""

from datetime import UTC, datetime


def moment(given: datetime | None) -> str | None:
    """`2026-03-04T05:06:07.123+00:00`, always in UTC; None for none."""
    return None if given is None else given.astimezone(UTC).isoformat(timespec="milliseconds")
