"""How source files look, as far as a machine can tell."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.conventions.tree import (
    PROJECT,
    PYTHON_FOLDERS,
    SOURCE_FOLDERS,
    python_files,
    relative,
    text_files,
)

MAX_LINES = 300
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "constants", "misc"}
# Where a system may be asked for, and why.
PLATFORM_FILES = {
    "app/cli/allocator.py": "the C library's allocator is glibc's on Linux only",
    "app/cli/running.py": "event loops and signals differ",
    "app/database/lock.py": "file locks differ",
    "app/files.py": "a folder can be flushed on POSIX only",
    "launcher/console.py": "what ends a program differs",
    "launcher/forge_install.py": "installs lie and look different",
    "launcher/instance.py": "file locks differ",
    "launcher/keep_awake.py": "each system has its own call",
    "launcher/autostart.py": "each system has its own place",
    "launcher/desktop.py": "a console's window can be closed on Windows",
    "launcher/firewall.py": "firewalls differ",
    "launcher/outside.py": "files are shown in three ways",
    "launcher/tray.py": "trays differ",
    "launcher/tray_pystray.py": "Windows gives & a meaning of its own",
    "launcher/process_tree.py": "groups of processes differ",
}
ENTRY_POINTS = ("app/cli/", "app/__main__.py", "app/simulator/__main__.py", "launcher/cli.py")
# What only tests/conftest.py may do: leave tests out whose server program is not installed.
SKIPPING_FILES = {"tests/conftest.py": 1}

_MACHINE_PATH = re.compile(
    r"(?<![\w.~>}])/(?:home|root|Users|work|workspace|builds|mnt|tmp)/\w|[A-Z]:\\Users\\"
)
_REGISTRY = re.compile(
    r"pypi\.(?:org|python)|pythonhosted|registry\.npmjs|index-url|find-links|trusted-host"
)


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = [relative(path) for path in python_files(*PYTHON_FOLDERS) if path.stem in VAGUE_NAMES]
    folders = {
        relative(path.parent)
        for path in python_files(*PYTHON_FOLDERS)
        if path.parent.name in VAGUE_NAMES
    }
    assert (named, folders) == ([], set())


def test_no_module_is_too_long_to_read() -> None:
    lengths = {
        relative(path): len(path.read_text("utf-8").splitlines())
        for path in python_files(*PYTHON_FOLDERS)
    }
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_every_module_says_what_it_owns() -> None:
    silent = [
        relative(path)
        for path in python_files(*PYTHON_FOLDERS)
        if (tree := ast.parse(path.read_text("utf-8"))).body
        and not ast.get_docstring(tree)
        # aerich's file format begins otherwise
        and not re.match(r"migrations/\w+/models/\d", relative(path))
    ]
    assert silent == []


def test_environment_is_read_by_entry_points_only() -> None:
    readers = [
        name
        for name, tree in _sources()
        if _uses(tree, {"os.environ", "os.getenv"}) and not name.startswith(ENTRY_POINTS)
    ]
    assert readers == []


def test_system_is_asked_for_only_where_it_matters() -> None:
    asking = {
        name
        for name, tree in _sources()
        if _uses(tree, {"sys.platform", "os.name", "platform.system"})
    }
    assert asking == set(PLATFORM_FILES)


def test_packaging_is_no_package() -> None:
    """With an `__init__.py` it would hide the library of the same name from pip and pytest."""
    assert list((PROJECT / "packaging").rglob("__init__.py")) == []


def test_no_path_of_one_machine_is_in_the_tree() -> None:
    found = []
    for path in _texts():
        matches = _MACHINE_PATH.finditer(path.read_text("utf-8"))
        found += [f"{relative(path)}: {match[0]}" for match in matches]
    assert found == []


def test_no_address_of_a_package_index_is_in_the_tree() -> None:
    found = [
        f"{relative(path)}: {match[0]}"
        for path in _texts()
        for match in _REGISTRY.finditer(path.read_text("utf-8"))
    ]
    assert found == []


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    skipping = {
        name: count
        for path in python_files("tests")
        if (name := relative(path)) and (count := _skips(ast.parse(path.read_text("utf-8"))))
    }
    assert skipping == SKIPPING_FILES


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for path in python_files(*SOURCE_FOLDERS):
        yield relative(path), ast.parse(path.read_text("utf-8"))


def _texts() -> list[Path]:
    """Not the patterns here, nor what a real Forge said about its own machine."""
    return [
        path
        for path in text_files()
        if path != Path(__file__) and not relative(path).startswith("tests/recordings/")
    ]


def _uses(tree: ast.AST, names: set[str]) -> bool:
    """Whether one of the dotted names is used, however it was imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            used = {ast.unparse(node)}
        elif isinstance(node, ast.ImportFrom):
            used = {f"{node.module}.{alias.name}" for alias in node.names}
        else:
            continue
        if used & names:
            return True
    return False


def _skips(tree: ast.AST) -> int:
    words = {"skip", "skipif", "xfail", "importorskip"}
    return sum(isinstance(node, ast.Attribute) and node.attr in words for node in ast.walk(tree))
