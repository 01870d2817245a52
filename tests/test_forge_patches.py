"""Tests of `forge_patches/`: each patch applies, and does what it says."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "forge_patches"
PATCHES = sorted(FOLDER.glob("*.patch"))
_HEADER = re.compile(r"@@ -(\d+),(\d+) \+(\d+),(\d+) @@.*")


def hunk_lines(patch: Path) -> list[str]:
    """The lines of the only hunk, its header first."""
    lines = patch.read_text().splitlines()
    return lines[next(index for index, line in enumerate(lines) if line.startswith("@@")) :]


def before(patch: Path) -> str:
    """A file that has what the patch looks for at another line than it says, as Forge has it."""
    kept = [line[1:] for line in hunk_lines(patch)[1:] if not line.startswith("+")]
    head = ["import json", "", "def text2imgapi(self, request):", "    with self.queue_lock:"]
    head.append("            with closing(StableDiffusionProcessingTxt2Img(**args)) as p:")
    after = ["                finally:", "                    shared.state.end()"]
    padding = [f"# {number}" for number in range(483)]
    return "\n".join([*padding, *head, *kept, *after, ""])


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "modules" / "api").mkdir(parents=True)
    return tmp_path


def git_apply(checkout: Path, patch: Path, *options: str) -> None:
    subprocess.run(["git", "apply", *options, str(patch)], cwd=checkout, check=True)


def test_there_are_patches_and_the_readme_names_them() -> None:
    words = (FOLDER / "README.md").read_text()
    assert PATCHES
    assert all(patch.name in words for patch in PATCHES)


@pytest.mark.parametrize("patch", PATCHES, ids=lambda path: path.name)
def test_header_counts_the_lines_of_its_hunk(patch: Path) -> None:
    """The patch of the earlier Navigator counts one too many, so that it cannot be applied."""
    header, *lines = hunk_lines(patch)
    match = _HEADER.fullmatch(header)
    assert match is not None
    removed = sum(not line.startswith("+") for line in lines)
    added = sum(not line.startswith("-") for line in lines)
    assert (int(match[2]), int(match[4])) == (removed, added)


def test_first_pass_patch_decodes_the_picture_and_can_be_taken_out_again(checkout: Path) -> None:
    (patch,) = [path for path in PATCHES if "first-pass" in path.name]
    file = checkout / "modules" / "api" / "api.py"
    file.write_text(before(patch))
    for options in (("--check",), ()):
        git_apply(checkout, patch, *options)
    patched = file.read_text()
    inserted = (
        "                if p.firstpass_image is not None:\n"
        "                    p.firstpass_image = decode_base64_to_image(p.firstpass_image)\n"
    )
    assert patched == before(patch).replace(
        "opts.outdir_txt2img_samples\n", "opts.outdir_txt2img_samples\n" + inserted
    )
    ast.parse(patched)
    git_apply(checkout, patch, "--reverse")
    assert file.read_text() == before(patch)
