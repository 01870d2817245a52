"""The files of the project, as the convention tests see them."""

import ast
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent
SOURCE_FOLDERS = ("app", "launcher")
PYTHON_FOLDERS = (*SOURCE_FOLDERS, "tests", "migrations")
_OTHERS = {"__pycache__", "node_modules"}
_OWN_FOLDERS = (*PYTHON_FOLDERS, ".ci", ".github", "forge_patches", "packaging")


def relative(path: Path) -> str:
    """`path` as seen from the project's folder, with slashes on every system."""
    return path.relative_to(PROJECT).as_posix()


def python_files(*folders: str) -> list[Path]:
    """All Python files below the folders."""
    return sorted(
        path
        for folder in folders
        for path in (PROJECT / folder).rglob("*.py")
        if not _OTHERS.intersection(path.parts)
    )


def text_files() -> list[Path]:
    """All files of ours that hold text: not the environment, caches or what a run leaves behind."""
    top = [path for path in PROJECT.iterdir() if path.is_file()]
    below = [
        path
        for folder in _OWN_FOLDERS
        for path in (PROJECT / folder).rglob("*")
        if path.is_file() and not _OTHERS.intersection(path.parts)
    ]
    kept = [path for path in [*top, *below] if path.suffix not in {".png", ".ico", ".pyc"}]
    return sorted(path for path in kept if path.name not in {".env", ".coverage", ".git"})


def has_logic(path: Path) -> bool:
    """Whether a module defines a function or a method."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in nodes)
