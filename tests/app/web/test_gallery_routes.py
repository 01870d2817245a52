"""Tests of `app/web/gallery_routes.py`, beside the recorded exchanges."""

from typing import Any

import pytest

from app.generation.models import Image
from app.jobs.models import Job
from tests.contract import compare, exchange
from tests.running import RunningNavigator

JSON = {"Content-Type": "application/json"}
OTHER = "200000000000000002"


async def send(
    server: RunningNavigator, method: str, path: str, body: Any, token: str
) -> tuple[int, Any]:
    """Status and JSON of the answer."""
    import orjson

    answer = await server.request(method, path, token=token, data=orjson.dumps(body), headers=JSON)
    return answer.status, answer.json if answer.content else None


async def make_category(server: RunningNavigator, token: str, name: object = "landscapes") -> int:
    status, body = await send(server, "POST", "/api/user/category", {"name": name}, token)
    assert status == 200
    return int(body["id"])


async def test_pages_have_the_recorded_shape(server: RunningNavigator, token: str) -> None:
    for _ in range(3):
        await server.picture(token)
    answer = await server.get("/api/user/jobs?page=2&limit=1", token=token)
    compare(exchange(220), answer.status, answer.json)
    assert answer.json["count"] == 3
    assert answer.json | {"images": []} == {
        "count": 3, "totalPages": 3, "currentPage": 2, "previousPage": 1, "nextPage": 3,
        "images": [],
    }  # fmt: skip
    beyond = await server.get("/api/user/jobs?page=4&limit=1", token=token)
    assert (beyond.json["previousPage"], beyond.json["nextPage"]) == (3, None)
    assert beyond.json["images"] == []


async def test_unfinished_and_failed_jobs_are_not_among_the_pictures(
    slow_server: RunningNavigator,
) -> None:
    token = await slow_server.login()
    await slow_server.submit(token)
    answer = await slow_server.get("/api/user/jobs", token=token)
    assert (answer.json["count"], answer.json["images"]) == (0, [])


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "limit=0", "limit=", "page=1.0", "category_id=0",
              "category_id=null", "category_id=undefined", "category_id=1&category_id=2", "foo=1"],
)  # fmt: skip
async def test_queries_that_mean_the_default(
    server: RunningNavigator, token: str, query: str
) -> None:
    await server.picture(token)
    answer = await server.get(f"/api/user/jobs?{query}", token=token)
    assert (answer.status, answer.json["count"], answer.json["currentPage"]) == (200, 1, 1)


@pytest.mark.parametrize("category", ["99", "-1", "1.5", "99999999999999999999", "1e300"])
async def test_number_that_is_no_category_has_no_pictures(
    server: RunningNavigator, token: str, category: str
) -> None:
    await server.picture(token)
    answer = await server.get(f"/api/user/jobs?category_id={category}", token=token)
    assert (answer.status, answer.json["count"], answer.json["images"]) == (200, 0, [])


@pytest.mark.parametrize(
    ("query", "name"),
    [("page=-1", "page"), ("limit=-1", "limit"), ("limit=2.5", "limit"), ("page=1.5", "page"),
     ("limit=10001", "limit"), ("page=1e300", "page")],
)  # fmt: skip
async def test_absurd_pages_are_refused_by_name(
    server: RunningNavigator, token: str, query: str, name: str
) -> None:
    answer = await server.get(f"/api/user/jobs?{query}", token=token)
    assert answer.status == 400
    assert name in answer.json["error"]


async def test_categories_are_made_listed_renamed_and_removed(
    server: RunningNavigator, token: str
) -> None:
    category_id = await make_category(server, token)
    path = f"/api/user/category/{category_id}"
    assert await send(server, "PATCH", path, {"name": "faces"}, token) == (204, None)
    answer = await server.get("/api/user/categories", token=token)
    assert answer.json == [{"id": category_id, "owner_id": "demo_user", "name": "faces"}]
    compare(exchange(117), answer.status, answer.json)
    for _ in range(2):
        assert await send(server, "DELETE", path, None, token) == (204, None)
    assert (await server.get("/api/user/categories", token=token)).json == []


@pytest.mark.parametrize("number", [106, 107, 109, 110, 111])
async def test_category_names_are_taken_as_recorded(
    server: RunningNavigator, token: str, number: int
) -> None:
    recorded = exchange(number)
    answer = await server.replay(recorded, token=token)
    compare(recorded, answer.status, answer.json)


@pytest.mark.parametrize("name", ["x" * 190, "ü" * 95])
async def test_name_that_is_too_long_is_refused_as_recorded(
    server: RunningNavigator, token: str, name: str
) -> None:
    """The recording of it has a shortened name."""
    status, body = await send(server, "POST", "/api/user/category", {"name": name}, token)
    compare(exchange(112), status, body)


@pytest.mark.parametrize("name", [None, 5, True, [], {}, "a\0b"])
async def test_name_that_is_no_text_is_refused(
    server: RunningNavigator, token: str, name: object
) -> None:
    status, body = await send(server, "POST", "/api/user/category", {"name": name}, token)
    assert status == 400
    assert "name" in body["error"] or name is None


async def test_pictures_are_put_into_categories_and_taken_out(
    server: RunningNavigator, token: str
) -> None:
    picture, category_id = await server.picture(token), await make_category(server, token)
    path = f"/api/user/image/{picture}"
    for given, expected in ((category_id, category_id), (0, None), (str(category_id), category_id),
                            ("0", None)):  # fmt: skip
        assert await send(server, "PUT", f"{path}/category", {"categoryId": given}, token) == (
            204, None,
        )  # fmt: skip
        meta = await server.get(f"{path}/meta", token=token)
        assert meta.json["category_id"] == expected
        listed = await server.get("/api/user/jobs", token=token)
        assert listed.json["images"] == [{"id": picture, "category_id": expected}]
    compare(exchange(241), meta.status, meta.json, but={"category_id": "taken out again"})


@pytest.mark.parametrize(
    ("given", "status"), [(None, 400), ("x", 400), (1.5, 400), (True, 400), (999, 404)]
)
async def test_categories_that_cannot_be_are_refused(
    server: RunningNavigator, token: str, given: object, status: int
) -> None:
    picture = await server.picture(token)
    path = f"/api/user/image/{picture}/category"
    answered, body = await send(server, "PUT", path, {"categoryId": given}, token)
    assert answered == status
    assert body["message"]


async def test_pictures_and_categories_of_others_look_missing(
    server: RunningNavigator, token: str
) -> None:
    picture, category_id = await server.picture(token), await make_category(server, token)
    other = await server.add_user(OTHER)
    own = await server.picture(other)
    answers = [
        await send(server, "PUT", f"/api/user/image/{image}/category", {"categoryId": id_}, other)
        for image, id_ in ((picture, 0), ("missing-one", 0), (own, category_id), (own, 10**9))
    ]
    assert [status for status, _ in answers] == [404] * 4
    assert answers[0] == answers[1]
    assert answers[2] == answers[3]
    for image in (picture, "missing-one"):
        assert (await server.get(f"/api/user/image/{image}/meta", token=other)).status == 404
        assert (await send(server, "DELETE", f"/api/user/image/{image}", None, other))[0] == 204
    assert await Image.exists(id=picture)


async def test_removed_picture_is_gone_with_its_job(server: RunningNavigator, token: str) -> None:
    picture = await server.picture(token)
    assert (await send(server, "DELETE", f"/api/user/image/{picture}", None, token))[0] == 204
    assert (await server.get(f"/api/images/{picture}")).status == 404
    assert (await server.get(f"/api/images/{picture}/info")).status == 404
    assert not await Job.exists(id=picture)
    listed = await server.get("/api/user/jobs", token=token)
    assert (listed.json["count"], listed.json["images"]) == (0, [])


async def test_picture_is_stored_in_the_category_that_its_job_named(
    server: RunningNavigator, token: str
) -> None:
    category_id = await make_category(server, token)
    picture = await server.picture(token, categoryId=category_id)
    listed = await server.get(f"/api/user/jobs?category_id={category_id}", token=token)
    assert listed.json["images"] == [{"id": picture, "category_id": category_id}]


async def test_category_that_is_removed_while_its_job_waits_costs_no_picture(
    slow_server: RunningNavigator,
) -> None:
    server = slow_server
    token = await server.login()
    category_id = await make_category(server, token)
    job_id = str((await server.submit(token, categoryId=category_id, steps=10))["job_id"])
    await send(server, "DELETE", f"/api/user/category/{category_id}", None, token)
    await server.finished(job_id)
    listed = await server.get("/api/user/jobs", token=token)
    assert listed.json["images"] == [{"id": job_id, "category_id": None}]
