"""Tests of `launcher/patch_file.py`: what a patch adds, and who has that already."""

from pathlib import Path

import pytest

from launcher.patch_file import Patch, has_the_like
from tests.launcher.forges import FILE, OTHER, PATCH, PATCHED, UNPATCHED

TRY = b"                try:\n"
IMG2IMG = b"""
def img2imgapi(self, request):
    init = [decode_base64_to_image(image) for image in request.init_images]
    with closing(StableDiffusionProcessingImg2Img(**args)) as p:
        p.outpath_samples = opts.outdir_img2img_samples
        try:
            start_task(task_id)
        finally:
            shared.state.end()
"""
ASSIGNED = b"                p.firstpass_image = decode_base64_to_image(p.firstpass_image)\n"


def has_it(content: bytes) -> bool:
    return has_the_like({FILE: content}, Patch.read(PATCH))


def test_patch_is_read_with_its_file_and_lines() -> None:
    patch = Patch.read(PATCH)
    assert (patch.name, patch.files) == ("txt2img-first-pass-image", [FILE])
    (hunk,) = patch.hunks
    assert hunk.added == [
        "if p.firstpass_image is not None:",
        "p.firstpass_image = decode_base64_to_image(p.firstpass_image)",
    ]
    assert hunk.replaced[:2] == [
        "p.outpath_grids = opts.outdir_txt2img_grids",
        "p.outpath_samples = opts.outdir_txt2img_samples",
    ]
    assert len(hunk.replaced) == 6


def test_only_lines_of_hunks_get_crlf() -> None:
    patch = Patch.read(PATCH)
    assert patch.lf == PATCH.read_bytes()
    assert patch.crlf.replace(b"\r\n", b"\n") == patch.lf
    changed = [line[:1] for line in patch.crlf.split(b"\n") if line.endswith(b"\r")]
    assert changed == [b" ", b" ", b"+", b"+", b" ", b" ", b" ", b" "]


def test_patch_with_crlf_is_the_same_patch(tmp_path: Path) -> None:
    copy = tmp_path / PATCH.name
    copy.write_bytes(PATCH.read_bytes().replace(b"\n", b"\r\n"))
    assert Patch.read(copy) == Patch.read(PATCH)


def test_lines_that_look_like_headers_belong_to_their_hunk(tmp_path: Path) -> None:
    path = tmp_path / "sql.patch"
    path.write_text(
        "--- a/one\n+++ b/one\n@@ -1,2 +1,2 @@\n a\n--- b/none\n+++ b/none\n"
        "--- a/two\n+++ b/two\n@@ -1 +1 @@\n-a\n+b\n"
    )
    patch = Patch.read(path)
    assert patch.files == ["one", "two"]
    assert [len(hunk.lines) for hunk in patch.hunks] == [3, 2]


@pytest.mark.parametrize(
    "own",
    [
        ASSIGNED,
        b"                if isinstance(p.firstpass_image, str):\n    " + ASSIGNED,
        b"                p.firstpass_image = decode_base64_to_image(\n request.firstpass_image)\n",
        b"                first = decode_base64_to_image(request.firstpass_image)\n",
    ],
    ids=["without-if", "other-if", "several-lines", "other-variable"],
)
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_same_in_other_words_is_found(own: bytes, ends: bytes) -> None:
    content = (OTHER + IMG2IMG).replace(TRY, own + TRY, 1)
    assert has_it(content.replace(b"\n", ends))


def test_comments_and_signs_may_differ(tmp_path: Path) -> None:
    content = OTHER.replace(TRY, ASSIGNED + TRY)
    for end in (b"_grids\n", b'"scripts_txt2img")\n', b"start_task(task_id)\n"):
        assert end in content
        content = content.replace(end, end[:-1] + b"  # why\n")
    assert has_it(content + IMG2IMG)

    path = tmp_path / "sum.patch"
    path.write_text(
        "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,3 @@\n def f():\n     a = 1\n+    a += new\n"
    )
    assert has_the_like({"a.py": b"def f():\n    a = 1\n    a = a + new\n"}, Patch.read(path))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        UNPATCHED,
        OTHER + IMG2IMG,
        OTHER.replace(TRY, b"                # " + ASSIGNED.lstrip() + TRY),
        OTHER.replace(TRY, b'                "' + ASSIGNED.strip() + b'"\n' + TRY),
        OTHER.replace(TRY, b"                p.firstpass_image = None\n" + TRY)
        + b"                image = decode_base64_to_image(request.image)\n",
        OTHER + IMG2IMG.replace(b"        try:\n", ASSIGNED[8:] + b"        try:\n"),
        OTHER + ASSIGNED.lstrip(),
        b"def decoded(p):\n" + ASSIGNED,
        ASSIGNED.lstrip(),
        b"def text2imgapi(self):\n    '''not Python any more\n" + ASSIGNED,
    ],
    ids=[
        "nothing",
        "as-published",
        "names-of-img2img",
        "comment",
        "string",
        "one-by-one",
        "other-function",
        "no-function",
        "function-with-nothing-else",
        "no-function-at-all",
        "not-python",
    ],
)
def test_something_else_is_not_taken_for_it(content: bytes) -> None:
    assert not has_it(content)
    assert has_it(PATCHED)


def test_patch_that_brings_no_name_is_never_found_in_other_words(tmp_path: Path) -> None:
    path = tmp_path / "more.patch"
    path.write_text(
        "--- a/one.py\n+++ b/one.py\n@@ -1,2 +1,2 @@\n def steps():\n-    return 1\n+    return 2\n"
    )
    assert not has_the_like({"one.py": b"def steps():\n    return 2\n"}, Patch.read(path))
