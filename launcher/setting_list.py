"""The owner's settings: what there are, whether a change is possible, and writing it.

What the server's are is asked of `navigator settings`, also while Navigator does not run: it may be
a setting that keeps it from starting.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from launcher import env_file
from launcher.errors import SettingsInvalid
from launcher.forge_install import NoForge, read
from launcher.navigator import NoAnswer, ask_once
from launcher.settings import SIMULATOR, LauncherSettings

OWN = "data folder"
ENVIRONMENT = "environment"
COMMAND_LINE = "command line"
FIXED = frozenset({ENVIRONMENT, COMMAND_LINE})  # which the owner's file has no say against
_OF_OPTIONS = {
    "--host": "HTTP_API_HOST",
    "--http-port": "HTTP_API_PORT",
    "--rt-port": "RT_API_PORT",
    "--forge-dir": "FORGE_DIR",
    "--lan": "HTTP_API_HOST",
}
GENERAL = "settings"  # what is wrong with no single one
# Other names of settings, and one that cannot stand in the data folder.
_HIDDEN = frozenset({"BOT_TOKEN", "ENABLE_LORA_SUPPORT", "NAVIGATOR_DATA_DIR"})


@dataclass(frozen=True)
class Setting:
    """A setting as people see it.

    `value` is what holds, None for a secret; `is_set`: it holds more than nothing. `said_by` is the
    source: `data folder`, `environment`, `command line`, `./.env`, None for its default. `meaning`
    is Markdown, `remark` a sentence on the value.
    """

    section: str
    name: str
    unit: str
    default: str
    meaning: str
    is_secret: bool
    value: str | None = field(repr=False)
    is_set: bool
    said_by: str | None
    remark: str = ""

    @property
    def own(self) -> str:
        """What the owner's file says of it; empty for nothing, and for a secret."""
        return (self.value or "") if self.said_by == OWN else ""


class SettingList:
    """The settings of one data folder."""

    def __init__(self, data_dir: Path, environ: Mapping[str, str], *, options: Sequence[str] = ()):
        """`options` are those of the command line that win over the settings."""
        self._data_dir = data_dir
        self._environ = environ
        self._given = dict(_given(options))

    async def read(self) -> list[Setting]:
        """All that the owner can change. Raises `NoAnswer`."""
        told = await asyncio.to_thread(
            ask_once, ("settings", "list", f"--data-dir={self._data_dir}"), self._environ
        )
        try:
            found = [_remarked(Setting(**one)) for one in told["settings"]]
            unknown = [_unknown(str(name)) for name in told["unknown"]]
        except (KeyError, TypeError) as error:
            raise NoAnswer("navigator settings says what cannot be understood.") from error
        found = [
            one
            for one in found
            if one.name not in _HIDDEN or (one.said_by == OWN and one.name != "NAVIGATOR_DATA_DIR")
        ]
        return unknown + [
            replace(one, value=self._given[one.name], is_set=True, said_by=COMMAND_LINE)
            if one.name in self._given
            else one
            for one in found
        ]

    async def change(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        """Writes the changes, None for taking one out, if all is possible then.

        Else gives what is wrong, by name; `settings` for what concerns no single one. Raises
        `NoAnswer`, `EnvFileUnclear` and OSError.
        """
        return await asyncio.to_thread(self._change, changes)

    def _change(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        own = self._data_dir / ".env"
        if odd := {name for name, value in changes.items() if not (value or "").isprintable()}:
            return dict.fromkeys(odd, "one line of plain text, please")
        self._data_dir.mkdir(parents=True, exist_ok=True)
        # In the data folder, and closed to others: it holds secrets.
        folder = Path(tempfile.mkdtemp(prefix=".settings-", dir=self._data_dir))
        try:
            candidate = folder / "candidate.env"
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(own, candidate)
            env_file.update(candidate, changes)
            if problems := self._problems(candidate):
                return problems
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        env_file.update(own, changes)
        return {}

    def _problems(self, candidate: Path) -> dict[str, str]:
        told = ask_once(
            ("settings", "check", f"--data-dir={self._data_dir}", f"--env-file={candidate}"),
            self._environ,
        )
        found = {str(name): str(reason) for name, reason in (told.get("problems") or {}).items()}
        if not told.get("valid") and not found:
            found[GENERAL] = str(told.get("problem"))
        try:
            settings = LauncherSettings.load(
                self._environ, data_dir=self._data_dir, own_file=candidate
            )
        except SettingsInvalid as error:
            name, colon, reason = error.message.partition(": ")
            found.setdefault(name if colon else GENERAL, reason if colon else error.message)
            return found
        if settings.forge_dir is not None:
            try:
                _ = read(settings.forge_dir, self._environ).arguments
            except NoForge as error:
                found.setdefault("FORGE_DIR", error.message)
        return found


def _remarked(one: Setting) -> Setting:
    """With a word on a folder that is not there: its disk may be away, so that it is no error."""
    if one.unit != "folder" or not one.value or one.value == SIMULATOR:
        return one
    if Path(one.value).expanduser().is_dir():
        return one
    return replace(one, remark="This folder is not there now. ")


def _given(options: Sequence[str]) -> Iterator[tuple[str, str]]:
    for option in options:
        name, _, value = option.partition("=")
        if name in _OF_OPTIONS:
            yield _OF_OPTIONS[name], value or "every address (--lan)"


def _unknown(name: str) -> Setting:
    """A line of the owner's file that is no setting. What it holds is nobody's business."""
    return Setting(
        section="Lines that are no settings of Navigator",
        name=name,
        unit="unknown",
        default="",
        meaning="Nothing can be saved as long as it is there.",
        is_secret=True,
        value=None,
        is_set=True,
        said_by=OWN,
    )
