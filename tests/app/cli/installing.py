"""`navigator compass install` as a real process, and what it installed."""

from pathlib import Path

from tests.processes import Ended, child


async def install(data_dir: Path, *options: str, **environ: str) -> Ended:
    """How `navigator compass install` ended."""
    arguments = ("compass", "install", f"--data-dir={data_dir}", *options)
    with child(*arguments, environ={"NO_PROXY": "127.0.0.1,localhost", **environ}) as started:
        return await started.ended()


def contents(folder: Path) -> dict[str, bytes]:
    """All files below the folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
