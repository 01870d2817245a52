"""The tests mirror the sources: `app/jobs/queue.py` is tested by `tests/app/jobs/test_queue.py`.

A large module may have several: `test_queue_limits.py` beside `test_queue.py`.
"""

from pathlib import Path

from tests.conventions.tree import (
    PROJECT,
    SOURCE_FOLDERS,
    has_logic,
    python_files,
    relative,
)

TESTED_ELSEWHERE = {
    "app/bootstrap.py": "it only joins; every end-to-end test runs it",
    "app/bootstrap_database.py": "a part of it",
    "app/bootstrap_downloads.py": "another one",
    "app/bootstrap_entry.py": "another one",
    "app/bootstrap_models.py": "another one",
    "app/bootstrap_shelf.py": "another one",
    "app/setting_sources.py": "tests/app/test_settings.py reads all sources",
    "launcher/program.py": "only what a program promises",
    "launcher/queue_commands.py": "test_desktop.py clicks all of it",
    "launcher/start_desktop.py": "test_desktop.py starts by it",
    "launcher/waiting_faces.py": "test_desktop.py and tests/e2e/test_first_run.py click them",
    "launcher/set_up.py": "tests/e2e/test_first_run.py does it in a browser",
    "launcher/simulated_forge.py": "tests/e2e/test_first_run.py begins with it",
    "launcher/desk.py": "test_desktop.py clicks all of it",
    "launcher/tray_face.py": "only what a tray promises",
    "launcher/errors.py": "two lines that every test of the launcher runs",
}

# Tests of a whole package through its outer interface.
OF_WHOLE_PACKAGES = {
    "tests/app/simulator/test_replay.py": "every recording of a real Forge, sent to the simulator",
}


def test_every_test_file_belongs_to_a_source_file() -> None:
    strays = [
        relative(path)
        for path in python_files(*(f"tests/{folder}" for folder in SOURCE_FOLDERS))
        if path.name.startswith("test_")
        and not _subjects(path)
        and relative(path) not in OF_WHOLE_PACKAGES
    ]
    assert strays == []


def test_every_module_with_logic_has_a_test_file() -> None:
    tested = {
        subject
        for path in python_files(*(f"tests/{folder}" for folder in SOURCE_FOLDERS))
        for subject in _subjects(path)
    }
    untested = [
        relative(path)
        for path in python_files(*SOURCE_FOLDERS)
        if has_logic(path) and path not in tested and relative(path) not in TESTED_ELSEWHERE
    ]
    assert untested == []


def test_exceptions_name_files_that_exist() -> None:
    names = [*TESTED_ELSEWHERE, *OF_WHOLE_PACKAGES]
    assert [name for name in names if not (PROJECT / name).is_file()] == []


def _subjects(test_file: Path) -> list[Path]:
    """The source file that a test file is about: the one with the longest fitting name.

    `test_init.py` is about the package itself, `test_main.py` about what runs with `python -m`.
    """
    folder = PROJECT / test_file.parent.relative_to(PROJECT / "tests")
    words = test_file.stem.removeprefix("test_").split("_")
    if words[0] in {"init", "main"} and (folder / f"__{words[0]}__.py").is_file():
        return [folder / f"__{words[0]}__.py"]
    for count in range(len(words), 0, -1):
        source = folder / ("_".join(words[:count]) + ".py")
        if source.is_file():
            return [source]
    return []
