"""Tests of `app/cli/compass_image.py`: what layers on each other make, and what never comes out."""

import gzip
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.cli.compass_build import CompassBuild
from app.cli.compass_image import unpack
from app.errors import NavigatorError
from tests.images import Entry, Layer, files

DIRECTORY, SYMLINK, HARDLINK = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


def compass(**contents: str) -> Layer:
    """A layer of Compass; `__` stands for a slash, and `_` for a dot."""
    return files(
        {
            f"srv/compass/{name.replace('__', '/').replace('_', '.')}": content
            for name, content in contents.items()
        }
    )


def unpacked(
    tmp_path: Path, layers: Sequence[Layer | bytes], *, limit: int = 100_000_000
) -> tuple[dict[str, str], int]:
    """The files that came out, and how many were left out. Checks that nothing got elsewhere."""
    target = tmp_path / "up" / "target"
    target.mkdir(parents=True)
    stored = tmp_path / "layers"
    stored.mkdir()
    paths = []
    for number, layer in enumerate(layers):
        path = stored / str(number)
        path.write_bytes(gzip.compress(layer.tar) if isinstance(layer, Layer) else layer)
        paths.append(path)
    left_out = unpack(paths, CompassBuild(target), max_unpacked_bytes=limit)
    assert {path.name for path in tmp_path.iterdir()} == {"up", "layers"}
    assert {path.name for path in (tmp_path / "up").iterdir()} == {"target"}
    found = list(target.rglob("*"))
    assert not any(path.is_symlink() for path in found)
    return {
        path.relative_to(target).as_posix(): path.read_text("utf-8")
        for path in found
        if path.is_file()
    }, left_out


def test_only_the_folder_of_compass_comes_out(tmp_path: Path) -> None:
    other = files({"srv/compass.txt": "no", "srv/other/a": "no", "compass/a": "no", "a": "no"})
    expected = {"index.html": "page", "assets/a.js": "a"}
    layers = [other, compass(index_html="page", assets__a_js="a"), other]
    assert unpacked(tmp_path, layers) == (expected, 0)


@pytest.mark.parametrize("prefix", ["", "./", "/", ".//"])
def test_names_may_begin_in_several_ways(prefix: str, tmp_path: Path) -> None:
    layer = files({f"{prefix}srv/compass/index.html": "page"})
    assert unpacked(tmp_path, [layer]) == ({"index.html": "page"}, 0)


def test_layer_may_be_a_plain_archive(tmp_path: Path) -> None:
    assert unpacked(tmp_path, [compass(a="a").tar, compass(b="b")])[0] == {"a": "a", "b": "b"}


def test_upper_layer_replaces_files_and_kinds(tmp_path: Path) -> None:
    lower = compass(a="old", b__c="c", d="file")
    upper = compass(a="new", b="file now", d__e="folder now")
    assert unpacked(tmp_path, [lower, upper])[0] == {
        "a": "new",
        "b": "file now",
        "d/e": "folder now",
    }


@pytest.mark.parametrize(
    ("marks", "left"),
    [
        (["srv/compass/.wh.a"], {"b/c", "b/d/e", "f"}),
        (["srv/compass/.wh.b"], {"a", "f"}),
        (["srv/compass/b/.wh.d"], {"a", "b/c", "f"}),
        (["srv/compass/b/.wh..wh..opq"], {"a", "f"}),
        (["srv/compass/.wh..wh..opq"], set()),
        (["srv/.wh..wh..opq"], set()),
        ([".wh..wh..opq"], set()),
        (["srv/.wh.compass"], set()),
        ([".wh.srv"], set()),
        (["./srv/compass/.wh.a", "srv/compass/.wh.gone"], {"b/c", "b/d/e", "f"}),
        (["srv/.wh.other", "etc/.wh..wh..opq", ".wh.a"], {"a", "b/c", "b/d/e", "f"}),
        (["srv/compass/.wh..wh.plnk", "srv/compass/.wh.", "srv/compass/.wh..."],
         {"a", "b/c", "b/d/e", "f"}),
    ],
)  # fmt: skip
def test_whiteouts_hide_what_lies_below(marks: list[str], left: set[str], tmp_path: Path) -> None:
    lower = compass(a="a", b__c="c", b__d__e="e", f="f")
    found, _ = unpacked(tmp_path, [lower, files(dict.fromkeys(marks, ""))])
    assert set(found) == left


@pytest.mark.parametrize("mark", ["srv/compass/b/.wh..wh..opq", "srv/.wh..wh..opq", ".wh.srv"])
@pytest.mark.parametrize("first", [True, False])
def test_whiteouts_spare_their_own_layer_wherever_they_stand(
    mark: str, first: bool, tmp_path: Path
) -> None:
    upper, marks = compass(b__new="new", b__both="upper"), files({mark: ""})
    entries = marks.entries + upper.entries if first else upper.entries + marks.entries
    found, _ = unpacked(tmp_path, [compass(b__old="old", b__both="lower"), Layer(entries)])
    assert found == {"b/new": "new", "b/both": "upper"}


def test_what_was_hidden_can_come_back(tmp_path: Path) -> None:
    hidden = files({"srv/compass/.wh.a": ""})
    assert unpacked(tmp_path, [compass(a="1"), hidden, compass(a="2")])[0] == {"a": "2"}


@pytest.mark.parametrize("above", ["srv", "srv/compass"])
def test_link_in_place_of_the_folder_hides_all_of_it(above: str, tmp_path: Path) -> None:
    upper = Layer([Entry(above, kind=SYMLINK, link="/etc")])
    assert unpacked(tmp_path, [compass(a="a"), upper])[0] == {}


@pytest.mark.parametrize(
    "name",
    [
        "srv/compass/../../../../evil",
        "srv/compass/a/../../../evil",
        "../evil",
        "/../evil",
        "srv/compass/..\\..\\evil",
        "srv/compass/C:evil",
        "srv/compass/evil\n",
    ],
)
def test_names_that_lead_away_are_left_out(name: str, tmp_path: Path) -> None:
    layer = Layer([Entry("srv/compass/index.html", b"page"), Entry(name, b"evil")])
    assert unpacked(tmp_path, [layer]) == ({"index.html": "page"}, 1)


def test_links_never_come_out_and_lead_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "layers"
    layer = Layer(
        [
            Entry("srv/compass/a", b"a"),
            Entry("srv/compass/out", kind=SYMLINK, link=str(outside)),
            Entry("srv/compass/out/evil", b"inside"),
            Entry("srv/compass/up", kind=SYMLINK, link=".."),
            Entry("srv/compass/up/evil", b"inside"),
            Entry("srv/compass/in", kind=SYMLINK, link="a"),
            Entry("srv/compass/in", b"a file after all"),
            Entry("srv/compass/pipe", kind=tarfile.FIFOTYPE),
            Entry("srv/compass/disk", kind=tarfile.BLKTYPE),
        ]
    )
    found, left_out = unpacked(tmp_path, [layer])
    assert found == {
        "a": "a", "out/evil": "inside", "up/evil": "inside", "in": "a file after all",
    }  # fmt: skip
    assert left_out == 5


def test_link_over_a_file_takes_it_away(tmp_path: Path) -> None:
    upper = Layer([Entry("srv/compass/a", kind=SYMLINK, link="/etc/passwd")])
    assert unpacked(tmp_path, [compass(a="a", b="b"), upper]) == ({"b": "b"}, 1)


@pytest.mark.parametrize(
    ("target", "copied"),
    [
        ("srv/compass/a", True),
        ("./srv/compass/a", True),
        ("/srv/compass/a", True),
        ("srv/compass/gone", False),
        ("srv/compass/../../etc/passwd", False),
        ("etc/passwd", False),
        ("/etc/passwd", False),
        ("srv/compass", False),
    ],
)
def test_hard_link_becomes_a_copy_of_a_file_that_is_there(
    target: str, copied: bool, tmp_path: Path
) -> None:
    linked = Entry("srv/compass/b", kind=HARDLINK, link=target)
    found, left_out = unpacked(tmp_path, [Layer([Entry("srv/compass/a", b"a"), linked])])
    assert found == ({"a": "a", "b": "a"} if copied else {"a": "a"})
    assert left_out == (0 if copied else 1)


@pytest.mark.parametrize(
    "layer",
    [
        b"",
        b"no archive at all",
        b"\x1f\x8bno gzip",
        gzip.compress(b"no archive in it" * 100),
        gzip.compress(compass(a="a" * 100_000).tar)[:-60],
        compass(a="a" * 100_000).tar[:50_000],
    ],
    # gzip writes the time, and a test has to have the same name in each process.
    ids=["nothing", "text", "no-gzip", "no-archive", "cut-gzip", "cut-archive"],
)
def test_broken_layer_is_said(layer: bytes, tmp_path: Path) -> None:
    with pytest.raises(NavigatorError, match="cannot be unpacked"):
        unpacked(tmp_path, [layer])


def test_layer_packed_with_zstd_is_said(tmp_path: Path) -> None:
    with pytest.raises(NavigatorError, match="zstd"):
        unpacked(tmp_path, [b"\x28\xb5\x2f\xfd\x00"])


def test_image_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    bomb = files({"var/zeros": bytes(20_000_000)})
    assert len(gzip.compress(bomb.tar)) < 30_000
    with pytest.raises(NavigatorError, match="too large"):
        unpacked(tmp_path, [compass(a="a"), bomb], limit=10_000_000)
