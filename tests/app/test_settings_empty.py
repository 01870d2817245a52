"""Tests of `app/settings.py`: what it means to set something to nothing."""

from pathlib import Path

import pytest

from tests.setting_sources import Sources


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """Three empty places."""
    return Sources(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["DB_PORT", "HTTP_API_PORT", "RT_API_PORT", "JOB_PROGRESS_CHECK_INTERVAL", "JOB_ATTEMPTS",
     "JOB_STALL_MINUTES", "CHECKPOINT_LOAD_MINUTES", "CHECKPOINT_UNLOAD_INTERVAL",
     "TOKEN_EXPIRATION_TIME", "IMAGE_PIXEL_LIMIT", "MAX_QUEUED_JOBS_PER_USER",
     "MAX_QUEUED_BYTES_PER_USER"],
)  # fmt: skip
@pytest.mark.parametrize("empty", ["", "  "])
def test_empty_number_counts_as_not_given(sources: Sources, name: str, empty: str) -> None:
    usual = sources.load()
    sources.environ[name] = empty
    sources.near_file.write_text(f"{name}='{empty}'\n")
    assert sources.load() == usual
    with sources.own_file.open("a") as file:
        file.write(f"{name}='{empty}'\n")
    assert sources.load() == usual


def test_empty_number_leaves_the_one_of_the_next_place(sources: Sources) -> None:
    sources.environ |= {"DB_PORT": "", "ENABLE_LORA_REQUESTS": ""}
    sources.near_file.write_text("DB_PORT=3307\nENABLE_LORA_REQUESTS=true\n")
    settings = sources.load()
    assert (settings.db_port, settings.enable_lora_requests) == (3307, False)
