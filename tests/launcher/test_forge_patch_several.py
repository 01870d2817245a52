"""Tests of `launcher/forge_patch.py` with several patches, and with patches of several files."""

from pathlib import Path

import pytest

from launcher.forge_patch import ForgePatchError, PatchState, apply, check, revert
from tests.launcher.forges import (
    FILE,
    PATCH,
    PATCHED,
    UNPATCHED,
    commit,
    environ,
    git,
    make_forge,
    make_plain_forge,
    names_beside,
    read,
    write,
)

SECOND = b"""Import more

--- a/modules/api/api.py
+++ b/modules/api/api.py
@@ -484,2 +484,3 @@
 import json
+import base64

"""
# Longer than any name can be, once it has a suffix.
LONG = "b" * 246 + ".py"


def make_patch(folder: Path, name: str, content: bytes) -> Path:
    path = folder / f"{name}.patch"
    path.write_bytes(content)
    return path


def test_patches_of_one_file_are_no_changes_of_the_owner(tmp_path: Path) -> None:
    forge = make_forge(tmp_path / "forge")
    both = [PATCH, make_patch(tmp_path, "second", SECOND)]
    assert [one.state for one in check(forge, both, environ())] == [PatchState.NEEDED] * 2
    done = apply(forge, both, environ())
    assert [(one.name, one.state) for one in done] == [
        ("txt2img-first-pass-image", PatchState.APPLIED),
        ("second", PatchState.APPLIED),
    ]
    assert read(forge) == PATCHED.replace(b"import json\n", b"import json\nimport base64\n")
    assert [one.state for one in check(forge, both, environ())] == [PatchState.APPLIED] * 2
    (first,) = check(forge, [PATCH], environ())
    assert first.state is PatchState.DIRTY
    assert [one.name for one in revert(forge, both, environ())] == [both[0].stem, "second"]
    assert read(forge) == UNPATCHED


def test_patch_upon_another_is_applied_and_reverted(tmp_path: Path) -> None:
    forge = make_forge(tmp_path / "forge")
    third = SECOND.replace(b" import json\n", b" import base64\n").replace(
        b"+import base64", b"+import io"
    )
    chain = [make_patch(tmp_path, "second", SECOND), make_patch(tmp_path, "third", third)]
    assert {one.state for one in apply(forge, chain, environ())} == {PatchState.APPLIED}
    assert b"import json\nimport base64\nimport io\n" in read(forge)
    assert len([one for one in revert(forge, chain, environ()) if one.changed_files]) == 2
    assert read(forge) == UNPATCHED


@pytest.mark.posix
def test_patch_that_cannot_be_written_as_a_whole_is_not_written(tmp_path: Path) -> None:
    forge = make_plain_forge(tmp_path / "forge")
    (forge / "modules" / LONG).write_text("one\n")
    addition = f"--- a/modules/{LONG}\n+++ b/modules/{LONG}\n@@ -1 +1,2 @@\n one\n+two\n"
    both = make_patch(tmp_path, "both", SECOND + addition.encode())
    with pytest.raises(ForgePatchError, match=LONG):
        apply(forge, [both], environ())
    assert read(forge) == UNPATCHED
    assert (forge / "modules" / LONG).read_text() == "one\n"
    assert names_beside(forge) == [Path(FILE).name]


def test_patch_for_a_file_that_is_missing_does_not_fit(tmp_path: Path) -> None:
    forge = make_plain_forge(tmp_path / "forge")
    elsewhere = make_patch(tmp_path, "elsewhere", SECOND.replace(b"api/api.py", b"other.py"))
    found = check(forge, [PATCH, elsewhere], environ())
    assert [one.state for one in found] == [PatchState.NEEDED, PatchState.DOES_NOT_FIT]


def test_changes_of_the_owner_matter_to_the_patches_of_that_file_only(tmp_path: Path) -> None:
    forge = make_plain_forge(tmp_path / "forge")
    (forge / "webui.py").write_text("one\n")
    git(forge, "init", "-q")
    commit(forge)
    (forge / "webui.py").write_text("one\nof the owner\n")
    text = b"--- a/webui.py\n+++ b/webui.py\n@@ -1 +1,2 @@\n+two\n one\n"
    done = apply(forge, [make_patch(tmp_path, "webui", text), PATCH], environ())
    assert [one.state for one in done] == [PatchState.DIRTY, PatchState.APPLIED]
    assert (forge / "webui.py").read_text() == "one\nof the owner\n"


def test_broken_and_missing_patches_are_named(tmp_path: Path) -> None:
    forge = make_plain_forge(tmp_path / "forge")
    wrong_count = make_patch(tmp_path, "wrong", SECOND.replace(b"-484,2 +484,3", b"-484,3 +484,4"))
    with pytest.raises(ForgePatchError, match=r"the patch wrong: .*corrupt patch"):
        apply(forge, [wrong_count], environ())
    with pytest.raises(ForgePatchError, match=r"the patch nothing: .*No valid patches"):
        check(forge, [PATCH, make_patch(tmp_path, "nothing", b"words\n")], environ())
    with pytest.raises(ForgePatchError, match="utf-8"):
        check(forge, [make_patch(tmp_path, "binary", b"\xff\n")], environ())
    with pytest.raises(ForgePatchError, match=r"missing\.patch"):
        apply(forge, [tmp_path / "missing.patch"], environ())
    assert read(forge) == UNPATCHED


def test_file_that_was_made_writable_again_is_patched(tmp_path: Path) -> None:
    forge = make_plain_forge(tmp_path / "forge")
    write(forge, PATCHED)
    (forge / FILE).chmod(0o444)
    with pytest.raises(ForgePatchError):
        revert(forge, [PATCH], environ())
    (forge / FILE).chmod(0o644)
    revert(forge, [PATCH], environ())
    assert read(forge) == UNPATCHED
