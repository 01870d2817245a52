"""The first run in a terminal: the same questions as on the page, and Enter takes what is there."""

from collections.abc import Callable, Mapping
from pathlib import Path

import click

from launcher import env_file, first_run
from launcher.controller import FOLDER
from launcher.first_run import Answers
from launcher.forge_install import find, usual_places
from launcher.settings import SIMULATOR, LauncherSettings
from launcher.sharing import LanSharing


def set_up(
    settings: LauncherSettings,
    environ: Mapping[str, str],
    *,
    install_compass: Callable[[], tuple[int, str]],
) -> None:
    """Asks, and writes the answers. Raises OSError, and `click.Abort` for Ctrl-C."""
    found = find(usual_places(Path.home(), Path.cwd()))
    answers = first_run.defaults(found, settings.told, is_shared=False)
    click.echo("Welcome to Navigator. Press Enter to take what stands in brackets.")
    if found is None and answers.forge == SIMULATOR:
        click.echo(f"No Forge was found; {SIMULATOR} is one that only pretends.")
    while True:
        answers = _asked(answers)
        wrong = first_run.problems(answers, environ, settings.told)
        if not wrong:
            break
        for sentence in wrong.values():
            click.echo(sentence)
    env_file.update(settings.env_file, answers.changes(settings.told))
    LanSharing.remember(settings.data_dir / FOLDER, is_on=answers.is_shared)
    if answers.installs_compass:
        click.echo("Installing Compass …")
        code, said = install_compass()
        click.echo("Compass is installed." if code == 0 else f"It is not installed: {said}")


def _asked(before: Answers) -> Answers:
    forge = click.prompt("Forge's folder", default=before.forge)
    is_shared = click.confirm("Let friends in your network use it?", default=before.is_shared)
    compass = click.confirm("Install Compass, the web page for friends?", default=True)
    civitai = discord_id = discord_secret = ""
    if click.confirm("Enter keys of CivitAI or Discord, which nobody needs to begin?"):
        civitai = _key("CivitAI API key", before.civitai_key)
        discord_id = click.prompt("Discord client id", default=before.discord_id or "", type=str)
        discord_secret = _key("Discord client secret", before.discord_secret)
    return Answers(
        forge.strip(),
        is_shared=is_shared,
        civitai_key=civitai.strip(),
        discord_id=discord_id.strip(),
        discord_secret=discord_secret.strip(),
        installs_compass=compass,
    )


def _key(label: str, before: str) -> str:
    """Typed without being seen; nothing keeps what is set."""
    return str(click.prompt(label, default=before, hide_input=True, show_default=False))
