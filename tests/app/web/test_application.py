"""Tests of `app/web/application.py`: the parts joined, and nothing beside them."""

import pytest
from quart import Quart

from app.web.application import FastJson
from tests.running import RunningNavigator


@pytest.mark.parametrize(
    "path",
    ["/redocs", "/scalar", "/swagger-ui", "/static/x", "/favicon.ico",
     "/metrics", "/.env", "/logs/navigator.log", "/images/", "/api"],
)  # fmt: skip
async def test_only_our_routes_are_there(server: RunningNavigator, path: str) -> None:
    answer = await server.get(path)
    assert (answer.status, answer.json["error_code"]) == (404, "UNKNOWN_ROUTE")


async def test_pictures_socketio_and_routes_answer_on_one_port(
    server: RunningNavigator, token: str
) -> None:
    picture = await server.picture(token)
    for path in (f"/api/images/{picture}", f"/api/images/{picture}/info", "/api/models"):
        assert (await server.get(path)).status == 200
    assert (await server.get("/socket.io/?EIO=4&transport=polling")).status == 200


async def test_json_keeps_our_order_and_every_character(
    server: RunningNavigator, token: str
) -> None:
    answer = await server.submit(token, prompt="ä “\U0001f98a” </script> \u2028")
    assert list(answer)[:3] == ["type", "model_name", "prompt"]
    assert answer["prompt"] == "ä “\U0001f98a” </script> \u2028"


async def test_json_says_that_it_is_json(server: RunningNavigator) -> None:
    for path in ("/", "/api/models", "/nothing", "/api/images/nothing"):
        answer = await server.get(path)
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Content-Length"] == str(len(answer.content))


async def test_head_answers_wherever_get_does(server: RunningNavigator, token: str) -> None:
    for path in ("/", "/api/models", "/api/samplers", "/api/config/limits", "/api/user/me"):
        got = await server.get(path, token=token)
        head = await server.request("HEAD", path, token=token)
        assert (head.status, head.content) == (got.status, b"") == (200, b"")
        assert head.headers["Content-Length"] == got.headers["Content-Length"]


def test_json_of_the_framework_is_ours() -> None:
    provider = FastJson(Quart("json", static_folder=None))
    assert provider.dumps({"b": 1, "a": [None, True, 0.5]}) == '{"b":1,"a":[null,true,0.5]}'
    assert provider.loads('{"b":1}') == {"b": 1}
    with pytest.raises(TypeError):
        provider.dumps({"n": object()})
