"""Tests of `app/web/access.py`: every route declares who may call it, and means it."""

import re

import pytest
from quart import Quart

from app.accounts.roles import Approval, Role
from app.web.access import RULE_ATTRIBUTE
from app.web.application import _BLUEPRINTS, RAW_MODULES
from app.web.picture_access import PICTURE
from tests.running import RunningNavigator

RULES = {"public", PICTURE, *(role.name for role in Role if role is not Role.NONE)}
# Whoever adds a route here has thought about who may see what it answers.
PUBLIC = {
    "GET /",
    "GET /3papi/test_civitai",
    "POST /api/auth/login",
    "GET /api/config/limits",
    "GET /api/config/version",
    "GET /api/images/<image_id>/info",
    "GET /api/models",
    "GET /api/models/embeddings",
    "GET /api/modules",
    "GET /api/samplers",
    "GET /api/schedulers",
    "GET /api/status",
    "GET /api/upscalers",
    "GET /docs",
    "GET /docs/<name>",
    "GET /openapi.json",
    "POST /api/queue/img2img",
    "POST /api/queue/txt2img",
    "GET /navigator",
    "GET /navigator/<file_name>",
    "GET /<site_path>",
    "POST /api/auth/logout",
}
# Public unless `PUBLIC_IMAGE_LINKS` is off; see `test_picture_access.py`.
PICTURES = {
    "GET /api/images/<image_id>",
    "GET /api/images/<image_id>/thumbnail",
    "GET /api/previews/<job_id>",
    "GET /api/models/previews/<file_hash>",
    "GET /embed/<image_id>",
}


def declared() -> dict[str, str | None]:
    """The access rule of each route, by method and path."""
    app = Quart("routes", static_folder=None)
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)
    rules: dict[str, str | None] = {
        f"GET {path}": rule for module in RAW_MODULES for path, rule in module.ACCESS_RULES.items()
    }
    for route in app.url_map.iter_rules():
        for method in (route.methods or set()) - {"HEAD", "OPTIONS"}:
            handler = app.view_functions[route.endpoint]
            rules[f"{method} {route.rule}"] = getattr(handler, RULE_ATTRIBUTE, None)
    return rules


PROTECTED = sorted(route for route, rule in declared().items() if rule not in {"public", PICTURE})


def test_every_route_declares_its_access() -> None:
    undeclared = [route for route, rule in declared().items() if rule not in RULES]
    assert undeclared == []


def test_only_known_routes_are_public() -> None:
    assert {route for route, rule in declared().items() if rule == "public"} == PUBLIC
    assert {route for route, rule in declared().items() if rule == PICTURE} == PICTURES


def test_queue_and_own_account_are_protected() -> None:
    assert "POST /api/queue/user/txt2img" in PROTECTED
    open_to_all = {rule for rule in PUBLIC if re.search(r" /api/(user|queue)\b", rule)}
    # These two decide by address, and are off by default.
    assert open_to_all == {"POST /api/queue/img2img", "POST /api/queue/txt2img"}


@pytest.mark.parametrize("route", PROTECTED)
async def test_protected_route_refuses_who_may_not_call_it(
    server: RunningNavigator, route: str
) -> None:
    method, rule = route.split(" ")
    path = re.sub("<[^>]+>", "somejobid", rule)
    refused = {
        "nobody": (None, 401),
        "garbage": ("garbage", 401),
        "denied": (await server.add_user("denied", Role.APEX, Approval.DENIED), 403),
        "pending": (await server.add_user("pending", Role.APEX, Approval.PENDING), 403),
        "without a role": (await server.add_user("none", Role.NONE), 403),
    }
    body = b"{}" if method == "POST" else None
    headers = {"Content-Type": "application/json"}
    for who, (token, status) in refused.items():
        for spelling in (path, path.upper(), f"{path}/"):
            answer = await server.request(method, spelling, token=token, data=body, headers=headers)
            assert answer.status == status, (who, spelling)
            assert answer.json["error_code"] in {
                "NOT_AUTHENTICATED",
                "USER_DISABLED",
                "USER_PENDING",
            }


@pytest.mark.parametrize("route", sorted(PUBLIC | PICTURES))
async def test_public_route_asks_nobody_who_they_are(server: RunningNavigator, route: str) -> None:
    method, rule = route.split(" ")
    path = re.sub("<[^>]+>", "somejobid", rule)
    for token in (None, "garbage"):
        answer = await server.request(method, path, token=token)
        assert answer.status in {200, 400, 404}


async def test_credentials_are_looked_at_before_the_body(server: RunningNavigator) -> None:
    for body in (b"{", b"[" * 5000, b"{}"):
        answer = await server.post("/api/queue/user/txt2img", body)
        assert answer.status == 401


async def test_unusable_token_does_not_shut_a_public_route(
    server: RunningNavigator, token: str
) -> None:
    picture = await server.picture(token)
    for used in (None, "garbage"):
        answer = await server.get(f"/api/images/{picture}/info", token=used)
        assert answer.status == 200
        assert "owner_id" not in answer.json["parameters"]
