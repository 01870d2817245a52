"""Joins what the sources of settings say: the environment, the owner's `.env`, and the one near."""

import logging
from collections.abc import Mapping
from pathlib import Path

from app.env_files import read_env_file
from app.errors import SettingsInvalid
from app.setting_names import LAUNCHER_NAMES, SUCCESSORS, by_first_names

log = logging.getLogger(__name__)


def merged(
    own_file: Path,
    near_file: Path,
    environ: Mapping[str, str],
    *,
    names: frozenset[str],
    numbers: frozenset[str],
) -> dict[str, str]:
    """What they say, by the first name of each setting, for the server alone.

    `names` are all there are, `numbers` those for which nothing is no value. Raises
    `SettingsInvalid` for an unknown one in the owner's file.
    """
    own, near = read_env_file(own_file), read_env_file(near_file)
    if unknown := sorted(own.keys() - names - SUCCESSORS.keys()):
        raise SettingsInvalid(
            f"{own_file}: {unknown[0]} is not a setting of Navigator.",
            by_name=dict.fromkeys(unknown, "is not a setting of Navigator"),
        )
    for name in sorted(near.keys() - names - SUCCESSORS.keys()):
        log.warning("./.env: %s is not a setting of Navigator, ignored", name)
        del near[name]
    given = {k: v for k, v in environ.items() if k in names | SUCCESSORS.keys()}
    if not given.get("SECRET_KEY", "").strip():
        given.pop("SECRET_KEY", None)  # else the one that we generated would not be kept
    for source in (near, own, given):
        for name in [name for name in numbers & source.keys() if not source[name].strip()]:
            del source[name]
    found = by_first_names(near) | by_first_names(own) | by_first_names(given)
    for name in sorted(found.keys() & SUCCESSORS.keys()):
        log.warning("%s has no effect any more; its successor: %s", name, SUCCESSORS[name])
        del found[name]
    for name in ("NAVIGATOR_DATA_DIR", *LAUNCHER_NAMES):
        found.pop(name, None)
    return found
