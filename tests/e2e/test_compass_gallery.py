"""The gallery of Compass: pages, categories, deleting."""

from app.simulator import Fault
from tests.e2e.compass import Compass
from tests.e2e.rows import shows
from tests.e2e.test_compass_pictures import FORM
from tests.running import RunningNavigator


@shows("Gallery")
async def test_pages_show_every_finished_picture_once(
    compass: Compass, server: RunningNavigator
) -> None:
    await compass.log_in()
    session = await compass.session()
    assert session is not None
    made = [await server.picture(session["token"], steps=1) for _ in range(12)]
    assert server.forge is not None
    server.forge.inject(Fault.hang())
    await compass.generate(FORM)  # not among them
    first = await compass.page.call("gallery", 1)
    assert (first["count"], first["totalPages"], first["currentPage"]) == (12, 2, 1)
    second = await compass.page.call("gallery", 2)
    assert second["currentPage"] == 2
    ids = [image["id"] for page in (first, second) for image in page["images"]]
    assert ids == made[::-1]
    assert {image["category_id"] for image in first["images"]} == {None}
    server.forge.clear_faults()


@shows("Categories", "Gallery")
async def test_pictures_are_sorted_into_categories(compass: Compass) -> None:
    await compass.log_in()
    await compass.connected()
    kept, other = await compass.finished(FORM), await compass.finished(FORM)
    status, created = await compass.ask("post", "/api/user/category", {"name": "Foxes"})
    assert status == 200
    category = created["id"]

    async def names() -> list[tuple[int, str]]:
        return [(one["id"], one["name"]) for one in await compass.get("/api/user/categories")]

    async def pictures() -> list[str]:
        return [
            image["id"] for image in (await compass.page.call("gallery", 1, category))["images"]
        ]

    assert await names() == [(category, "Foxes")]
    path = f"/api/user/category/{category}"
    assert await compass.ask("patch", path, {"name": "Füchse"}) == (204, "")
    assert await names() == [(category, "Füchse")]
    for picture in (kept, other):
        assignment = f"/api/user/image/{picture}/category"
        assert await compass.ask("put", assignment, {"categoryId": category}) == (204, "")
    assert await pictures() == [other, kept]
    assert await compass.ask("put", assignment, {"categoryId": 0}) == (204, "")
    assert await pictures() == [kept]
    assert (await compass.get(f"/api/user/image/{kept}/meta"))["category_id"] == category
    assert await compass.ask("delete", path) == (204, "")
    assert await names() == []
    assert (await compass.page.call("gallery", 1))["count"] == 2


@shows("Gallery")
async def test_deleted_picture_is_gone(compass: Compass, server: RunningNavigator) -> None:
    await compass.log_in()
    await compass.connected()
    gone, kept = await compass.finished(FORM), await compass.finished(FORM)
    assert await compass.ask("delete", f"/api/user/image/{gone}") == (204, "")
    page = await compass.page.call("gallery", 1)
    assert [image["id"] for image in page["images"]] == [kept]
    # Not asked by the page: its browser may keep pictures for as long as it likes.
    assert (await server.get(f"/api/images/{gone}")).status == 404
