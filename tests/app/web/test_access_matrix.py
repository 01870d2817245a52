"""Every route with every kind of credentials, compared with the access rule that it declares."""

import re
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
from jwt.warnings import InsecureKeyLengthWarning
from quart import Quart

from app.accounts.models import User
from app.accounts.roles import Approval, Role
from app.accounts.tokens import Tokens
from app.jobs.models import Job, JobStatus
from app.web.access import OWNER_ATTRIBUTE, RULE_ATTRIBUTE
from app.web.application import RAW_MODULES, quart_app
from app.web.picture_access import PICTURE
from tests.running import SECRET_KEY, SUPERUSER_TOKEN, Answer, RunningNavigator, running_navigator

MISSING = "100000000000009999"
_PARAMETER = re.compile(r"<(?:[^:>]*:)?([^>]+)>")
# What a route of a resource needs besides its address. A new one has to be added here.
BODIES: Mapping[str, Any] = {
    "PUT /api/user/image/<image_id>/category": {"categoryId": 0},
    "PATCH /api/user/category/<category_id>": {"name": "faces"},
    "POST /api/queue/user/txt2img/upscale-hrf/<image_id>": {},
}


@dataclass(frozen=True)
class Route:
    """A route and who it says may call it."""

    method: str
    path: str
    rule: str
    owner_rule: str | None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def address(self, value: str) -> str:
        """With `value` for what it names."""
        return _PARAMETER.sub(value, self.path)


def every_route() -> Iterator[Route]:
    quart: Quart = quart_app(None)  # type: ignore[arg-type]
    for module in RAW_MODULES:
        for path, rule in module.ACCESS_RULES.items():
            yield Route("GET", path, rule, None)
    for route in quart.url_map.iter_rules():
        handler = quart.view_functions[route.endpoint]
        for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(
                method,
                route.rule,
                getattr(handler, RULE_ATTRIBUTE),
                getattr(handler, OWNER_ATTRIBUTE, None),
            )


ROUTES = {route.name: route for route in every_route()}
OWNED = {name: route for name, route in ROUTES.items() if route.owner_rule is not None}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningNavigator]:
    async with running_navigator(tmp_path) as running:
        yield running


async def credentials(role: Role, approval: Approval = Approval.APPROVED, epoch: int = 0) -> str:
    """A new token of a user who has this role now, whatever earlier requests did to them."""
    user_id = f"1000000000000000{int(role)}{len(approval)}{epoch}"
    user, _ = await User.get_or_create(id=user_id)
    user.role, user.approval, user.token_epoch = role, approval, epoch
    await user.save()
    return "Bearer " + Tokens(SECRET_KEY, 3600).issue(user)


async def unusable() -> dict[str, str | None]:
    """Headers that are no credentials at all."""
    user = await User.get_or_none(id="10000000000000004" + "80") or await User.create(
        id="10000000000000004" + "80", role=Role.APEX, approval=Approval.APPROVED
    )
    expired = Tokens(SECRET_KEY, 3600).issue(user, lifetime_s=-3600)
    claims = {"discord_id": user.id, "role": 4, "epoch": 0}
    return {
        "no token": None,
        "no words": "",
        "garbage": "Bearer garbage",
        "three parts of garbage": "Bearer a.b.c",
        "expired": f"Bearer {expired}",
        "of another key": f"Bearer {jwt.encode(claims, 'x' * 40, algorithm='HS256')}",
        "unsigned": f"Bearer {jwt.encode(claims, '', algorithm='none')}",
        "of another algorithm": f"Bearer {_of_another_algorithm(claims)}",
        "of nobody": f"Bearer {Tokens(SECRET_KEY, 3600).issue(User(id='1', token_epoch=0))}",
        "signed out": await _signed_out(),
    }


def _of_another_algorithm(claims: dict[str, Any]) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureKeyLengthWarning)
        return jwt.encode(claims, SECRET_KEY, algorithm="HS512")


async def _signed_out() -> str:
    token = await credentials(Role.APEX, epoch=7)
    await User.filter(token_epoch=7).update(token_epoch=8)
    return token


async def call(server: RunningNavigator, route: Route, header: str | None) -> Answer:
    """Calls the route about something that is not there."""
    headers = {} if header is None else {"Authorization": header}
    body = BODIES.get(route.name, {}) if route.method in {"POST", "PUT", "PATCH"} else None
    address = route.address(MISSING)
    return await server.request(route.method, address, json=body, headers=headers)


def test_every_route_states_its_rule() -> None:
    rules = {route.rule for route in ROUTES.values()}
    assert rules <= {"public", PICTURE, *(role.name for role in Role if role > Role.NONE)}
    assert len(ROUTES) > 50


def test_every_route_of_a_users_own_things_says_whose() -> None:
    silent = [
        name
        for name, route in ROUTES.items()
        if route.rule not in {"public", PICTURE} and route.owner_rule is None
        and "<" in route.path and "/admin/" not in route.path
        and "<path:" not in route.path  # CivitAI's things, nobody's own
        and "<file_hash>" not in route.path and "<version_id>" not in route.path  # models, too
    ]  # fmt: skip
    assert silent == []


@pytest.mark.parametrize("name", ROUTES)
async def test_route_lets_in_whom_its_rule_names(server: RunningNavigator, name: str) -> None:
    route = ROUTES[name]
    if route.rule in {"public", PICTURE}:
        await check_public(server, route)
    else:
        await check_protected(server, route, Role[route.rule])


PICTURES = {name: route for name, route in ROUTES.items() if route.rule == PICTURE}


@pytest.mark.parametrize("name", PICTURES)
async def test_pictures_may_be_for_those_who_are_in(tmp_path: Path, name: str) -> None:
    async with running_navigator(tmp_path, PUBLIC_IMAGE_LINKS="false") as server:
        await check_protected(server, PICTURES[name], Role.APPRENTICE)


async def check_public(server: RunningNavigator, route: Route) -> None:
    """Nobody is turned away for who they are, or for what they have."""
    if route.path == "/api/auth/login":
        return  # refuses codes, not callers
    sent = await unusable() | {
        "disabled": await credentials(Role.NONE, Approval.DENIED),
        "pending": await credentials(Role.NONE, Approval.PENDING),
        "in": await credentials(Role.APPRENTICE),
    }
    for kind, header in sent.items():
        answer = await call(server, route, header)
        assert answer.status not in {401, 403, 500}, (route.name, kind, answer.status)


async def check_protected(server: RunningNavigator, route: Route, needed: Role) -> None:
    """401 without usable credentials; 403 for those who are not let in or may less."""
    for kind, header in (await unusable()).items():
        answer = await call(server, route, header)
        expected = 403 if kind == "of nobody" else 401
        assert answer.status == expected, (route.name, kind, answer.json)
    for approval, code in ((Approval.DENIED, "USER_DISABLED"), (Approval.PENDING, "USER_PENDING")):
        answer = await call(server, route, await credentials(Role.APEX, approval))
        assert (answer.status, answer.json["error_code"]) == (403, code), route.name
    for role in Role:
        answer = await call(server, route, await credentials(role))
        told = (route.name, role, answer.status, answer.content[:200])
        if role == Role.NONE:
            assert answer.json["error_code"] == "USER_DISABLED", told
        elif role < needed:
            assert (answer.status, answer.json["error_code"]) == (403, "FORBIDDEN"), told
        else:
            assert answer.status not in {401, 403, 500}, told
    answer = await call(server, route, SUPERUSER_TOKEN)
    assert answer.status not in {401, 403, 500}, (route.name, answer.status)


def kind_of(route: Route) -> str:
    """What one has to own for it."""
    return str(re.findall(r"owner of the (\w+)", str(route.owner_rule))[0])


async def told_of_it_and_of_nothing(
    server: RunningNavigator, route: Route, resource: str, token: str
) -> list[tuple[int, bytes]]:
    """How the route answers about a resource, and about one that is missing."""
    missing = "4711" if kind_of(route) == "category" else "m" * len(resource)
    told = []
    for value in (resource, missing):
        answer = await server.request(
            route.method, route.address(value), json=BODIES.get(route.name), token=token
        )
        told.append((answer.status, answer.content.replace(value.encode(), b"ID")))
    return told


class Resources:
    """Makes what belongs to somebody."""

    def __init__(self, server: RunningNavigator, route: Route):
        self.server = server
        self.path = route.path
        self.kind = kind_of(route)

    async def make(self, token: str) -> str:
        """A new one of the kind that the route's owner rule names; gives its id."""
        if self.kind == "category":
            made = await self.server.post("/api/user/category", {"name": "own"}, token=token)
            return str(made.json["id"])
        if self.kind == "picture":
            return await self.server.picture(token)
        assert self.kind == "job"
        boss = {"Authorization": SUPERUSER_TOKEN}
        await self.server.post("/api/admin/queue/pause", headers=boss)
        job_id = str((await self.server.submit(token))["job_id"])
        if "retry" in self.path:
            job = await Job.get(id=job_id)
            await self.server.post(f"/api/queue/interrupt/{job_id}", token=token)
            await Job.filter(number=job.number).update(status=JobStatus.FAILED)
        return job_id


@pytest.mark.parametrize("name", OWNED)
async def test_what_belongs_to_others_looks_like_what_is_missing(
    server: RunningNavigator, name: str
) -> None:
    route = OWNED[name]
    owner = (await credentials(Role.APPRENTICE)).removeprefix("Bearer ")
    other = (await credentials(Role.ARTIFICER)).removeprefix("Bearer ")
    resource = await Resources(server, route).make(owner)
    told = await told_of_it_and_of_nothing(server, route, resource, other)
    assert told[0] == told[1]
    mine = await server.request(
        route.method, route.address(resource), json=BODIES.get(name), token=owner
    )
    # Nothing happened to it, and its owner is not refused.
    assert mine.status < 400, mine.content


@pytest.mark.parametrize("name", OWNED)
async def test_administrators_may_act_where_the_rule_says_so(
    server: RunningNavigator, name: str
) -> None:
    route = OWNED[name]
    owner = (await credentials(Role.APPRENTICE)).removeprefix("Bearer ")
    boss = (await credentials(Role.ARCHITECT)).removeprefix("Bearer ")
    resource = await Resources(server, route).make(owner)
    told = await told_of_it_and_of_nothing(server, route, resource, boss)
    may = str(route.owner_rule).endswith("or ARCHITECT")
    assert (told[0] != told[1]) == may
