"""Tests of `app/web/audience.py`: every event states who hears of it, and nobody else does."""

import inspect

import pytest

from app import events
from app.accounts.caller import of_role
from app.accounts.roles import Role
from app.events import (
    DiskLow,
    DownloadFinished,
    Event,
    JobEvent,
    JobFailed,
    JobSnapshot,
    ModelsRefreshed,
    UserEvent,
    UserPending,
    UserSnapshot,
)
from app.web.audience import AUDIENCES, Audience, rooms_of_caller, rooms_of_event
from tests.running import SUPERUSER_TOKEN, RunningNavigator
from tests.waiting import until

MIRA = UserSnapshot("mira", "Mira", 0, "pending", "discord", None)
JOB = JobSnapshot("somejob1", "txt2img", "owner", "198.51.100.1", {})
DOWNLOAD = JobSnapshot("somejob2", "download", "owner", "198.51.100.1", {})
HAPPENED: dict[Audience, Event] = {
    Audience.PUBLIC: ModelsRefreshed(),
    Audience.OWNER: JobFailed(JOB, "for a reason"),
    Audience.ADMINISTRATORS: UserPending(MIRA, "192.0.2.9"),
    Audience.OWNER_AND_ADMINISTRATORS: DownloadFinished(DOWNLOAD, "ink.safetensors"),
}


def test_every_event_states_its_audience() -> None:
    kinds = {
        kind
        for _, kind in inspect.getmembers(events, inspect.isclass)
        if issubclass(kind, Event) and kind not in {Event, JobEvent, UserEvent}
    }
    assert set(AUDIENCES) == kinds
    for kind, audience in AUDIENCES.items():
        of_owner = {Audience.OWNER, Audience.OWNER_AND_ADMINISTRATORS}
        assert (audience in of_owner) == issubclass(kind, JobEvent)
        if issubclass(kind, UserEvent | DiskLow):
            assert audience == Audience.ADMINISTRATORS


def test_rooms_of_somebody_and_of_what_happened_meet_where_they_shall() -> None:
    for role in Role:
        for user_id in ("owner", "other"):
            rooms = set(rooms_of_caller(of_role(user_id, role)))
            hears = {
                audience: rooms_of_event(event) is None
                or bool(rooms & set(rooms_of_event(event) or ()))
                for audience, event in HAPPENED.items()
            }
            assert hears == {
                Audience.PUBLIC: True,
                Audience.OWNER: user_id == "owner",
                Audience.ADMINISTRATORS: role >= Role.ARCHITECT,
                Audience.OWNER_AND_ADMINISTRATORS: user_id == "owner" or role >= Role.ARCHITECT,
            }


@pytest.mark.parametrize("role", [role for role in Role if role > Role.NONE])
async def test_sockets_hear_what_their_role_may(server: RunningNavigator, role: Role) -> None:
    token = await server.add_user("owner" if role == Role.APPRENTICE else "other", role)
    async with server.listening(token) as heard, server.listening() as nobody:
        for event in (*HAPPENED.values(), ModelsRefreshed()):
            server.navigator.events.publish(event)
        for listener, is_owner, is_administrator in (
            (heard, role == Role.APPRENTICE, role >= Role.ARCHITECT),
            (nobody, False, False),
        ):
            await listener.told("models-refreshed", count=2)
            assert bool(listener.named("task-failed")) == is_owner
            assert bool(listener.named("user-pending")) == is_administrator
            hears_of_it = is_owner or is_administrator
            assert bool(listener.named("download-finished")) == hears_of_it


async def test_administrator_hears_who_knocks(server: RunningNavigator) -> None:
    async with server.listening(SUPERUSER_TOKEN) as heard:
        server.navigator.events.publish(UserPending(MIRA, "192.0.2.9"))
        told = await heard.told("user-pending")
    assert told == {
        "user": {
            "id": "mira",
            "name": "Mira",
            "role": 0,
            "approval": "pending",
            "provider": "discord",
            "avatar": None,
        },
        "address": "192.0.2.9",
    }


@pytest.mark.parametrize("decision", ["disable", "sign-out", "forget"])
async def test_sockets_of_who_is_shut_out_are_closed(
    server: RunningNavigator, decision: str
) -> None:
    token = await server.add_user("mira")
    boss, other = await server.add_user("boss", Role.APEX), await server.add_user("ben")
    async with (
        server.listening(token) as theirs,
        server.listening(headers={"Cookie": f"navigator_session={token}"}) as by_cookie,
        server.listening(other) as others,
    ):
        if decision == "forget":
            answer = await server.request("DELETE", "/api/admin/users/mira", token=boss)
        else:
            answer = await server.post(f"/api/admin/users/mira/{decision}", token=boss)
        assert answer.status in {200, 204}
        await until(lambda: not theirs.client.connected, 1.0)
        await until(lambda: not by_cookie.client.connected, 1.0)
        assert others.client.connected


async def test_sockets_follow_a_change_of_the_role(server: RunningNavigator) -> None:
    token, boss = await server.add_user("mira"), await server.add_user("boss", Role.APEX)
    async with server.listening(token) as heard:
        await server.post("/api/admin/users/mira/role", {"role": 3}, token=boss)
        server.navigator.events.publish(UserPending(MIRA, "192.0.2.9"))
        await heard.told("user-pending")
        await server.post("/api/admin/users/mira/role", {"role": 2}, token=boss)
        server.navigator.events.publish(UserPending(MIRA, "192.0.2.9"))
        server.navigator.events.publish(ModelsRefreshed())
        await heard.told("models-refreshed")
        assert len(heard.named("user-pending")) == 1


async def test_socket_ends_with_its_token(server: RunningNavigator) -> None:
    token = await server.add_user("mira", lifetime_s=2)
    lasting = await server.add_user("ben")
    async with server.listening(token) as theirs, server.listening(lasting) as others:

        async def is_closed() -> bool:
            await server.navigator.realtime.close_expired()
            return not theirs.client.connected

        await until(is_closed)
        assert others.client.connected
