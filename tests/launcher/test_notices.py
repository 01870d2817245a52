"""Tests of `launcher/notices.py`."""

from dataclasses import replace

from launcher.commands import Approve, Deny
from launcher.notices import notices, with_what_was_known
from launcher.service_state import ServiceSnapshot, ServiceState
from launcher.view import Download, Friend, GpuMemory, Queue
from tests.launcher.test_menu import RUNNING


def test_nothing_new_is_nothing_told() -> None:
    assert list(notices(RUNNING, RUNNING)) == []
    friends = replace(RUNNING, waiting=(Friend("7", "Anne"),))
    assert list(notices(friends, friends)) == []
    assert list(notices(friends, RUNNING)) == []


def test_knock_is_told_with_both_answers() -> None:
    now = replace(RUNNING, waiting=(Friend("7", "Anne", "10.0.0.5"),))
    (notice,) = notices(RUNNING, now)
    assert notice.title == "Anne wants to use Navigator"
    assert notice.body == "They knocked from 10.0.0.5."
    assert notice.actions == (("Approve", Approve("7")), ("Deny", Deny("7")))


def test_crowd_is_told_in_short() -> None:
    crowd = tuple(Friend(str(number), "") for number in range(10))
    told = list(notices(RUNNING, replace(RUNNING, waiting=crowd)))
    assert [notice.title for notice in told] == [
        "0 wants to use Navigator", "1 wants to use Navigator", "2 wants to use Navigator",
        "7 more want to use Navigator",
    ]  # fmt: skip


def test_failure_is_told_once() -> None:
    failed = replace(
        RUNNING, forge=ServiceSnapshot("Forge", ServiceState.FAILED, sentence="The disk is full.")
    )
    (notice,) = notices(RUNNING, failed)
    assert (notice.title, notice.body) == ("Forge failed", "The disk is full.")
    assert list(notices(failed, failed)) == []


def test_restart_by_the_doctor_is_told() -> None:
    treated = replace(RUNNING, treatment="Forge stopped drawing at step 12; restarted.")
    (notice,) = notices(RUNNING, treated)
    assert notice.body == "Forge stopped drawing at step 12; restarted."
    assert list(notices(RUNNING, replace(RUNNING, treatment="Port 7860 is taken."))) == []


def test_free_gpu_is_told_with_what_it_gave_back() -> None:
    gpu = GpuMemory(600_000_000, 12_000_000_000, 7_900_000_000)
    freed = replace(RUNNING, queue=Queue(is_paused=True, is_freed=True), gpu=gpu)
    (notice,) = notices(RUNNING, freed)
    assert (notice.title, notice.body) == ("The GPU is free", "7.9 → 0.6 GB")
    assert list(notices(freed, freed)) == []


def test_download_is_told_once_and_not_those_of_before() -> None:
    first, second = Download("1", "a.safetensors"), Download("2", "b.safetensors")
    away = replace(RUNNING, downloads=None)
    old = replace(RUNNING, downloads=(first,))
    assert list(notices(away, old)) == []
    assert list(notices(old, away)) == []
    (notice,) = notices(old, replace(RUNNING, downloads=(first, second)))
    assert (notice.title, notice.body) == ("A model was downloaded", "b.safetensors")


def test_nothing_is_news_after_navigator_was_away_for_a_moment() -> None:
    freed = replace(RUNNING, queue=Queue(is_freed=True), downloads=(Download("1", "a"),))
    away = with_what_was_known(replace(RUNNING, queue=None, downloads=None), freed)
    assert (away.queue, away.downloads) == (freed.queue, freed.downloads)
    assert list(notices(away, freed)) == []
    later = replace(freed, downloads=(Download("2", "b"),))
    assert [notice.body for notice in notices(away, later)] == ["b"]
    assert with_what_was_known(freed, None) == freed
