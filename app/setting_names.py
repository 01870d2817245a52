"""Names of settings that are not what they seem, and how a bad value is told. Reads nothing."""

from collections.abc import Mapping

from pydantic import ValidationError

# Two names of one setting; the second is the one that counts if both have a value.
ALIASES = {"BOT_TOKEN": "DISCORD_BOT_TOKEN", "ENABLE_LORA_SUPPORT": "ENABLE_LORA_REQUESTS"}
SUCCESSORS = {
    "NAVIGATOR_IGNORE_MIGRATION_MISMATCH": "nothing (a database newer than Navigator is refused)",
}
# Settings of the launcher, which reads the same files. The server knows no more of them.
LAUNCHER_NAMES = frozenset({"FORGE_DIR", "FORGE_RAM_LIMIT", "FORGE_START_MINUTES", "RESTART_LIMIT"})
# Drawn by the launcher at each start, and handed over in the environment alone.
LAUNCHER_TOKEN = "NAVIGATOR_LAUNCHER_TOKEN"  # noqa: S105 - its name


def by_first_names(values: Mapping[str, str]) -> dict[str, str]:
    """The values with one name for each setting."""
    named = {name: value for name, value in values.items() if name not in ALIASES}
    for name, first in ALIASES.items():
        if name in values and not named.get(first, "").strip():
            named[first] = values[name]
    return named


def problems_of(error: ValidationError) -> dict[str, str]:
    """What is wrong, by the name of the setting; `settings` for what concerns several."""
    found: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_input=False):
        name = str(problem["loc"][0]) if problem["loc"] else "settings"
        reason = problem["msg"].removeprefix("Value error, ")
        found.setdefault(name, f"{reason[0].lower()}{reason[1:]}")
    return found


def sentence(problems: Mapping[str, str]) -> str:
    """The same for a person."""
    return "; ".join(f"{name}: {reason}" for name, reason in problems.items()) + "."
