"""The command `navigator-launcher`."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from launcher.errors import LauncherError, SettingsInvalid

if TYPE_CHECKING:
    from launcher.settings import LauncherSettings

EXIT_FAILED = 1
EXIT_SETTINGS_INVALID = 78  # EX_CONFIG: starting again will not help
_FOLDER = "launcher"


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--headless", is_flag=True, help="Without a tray icon, in this terminal.")
@click.option("--forge-dir", type=click.Path(path_type=Path), help="Forge's folder (FORGE_DIR).")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of everything we keep.")
@click.option("--host", help="Address that Navigator listens on (HTTP_API_HOST).")
@click.option("--http-port", type=int, help="Port of Navigator (HTTP_API_PORT).")
@click.option("--rt-port", type=int, help="Second port, socket.io only (RT_API_PORT).")
@click.option("--lan", is_flag=True, help="Let other machines reach Navigator.")
@click.option("--at-login", is_flag=True, hidden=True, help="Started by the system.")
@click.pass_context
def main(
    context: click.Context,
    *,
    headless: bool,
    forge_dir: Path | None,
    data_dir: Path | None,
    host: str | None,
    http_port: int | None,
    rt_port: int | None,
    lan: bool,
    at_login: bool,
) -> None:
    """Start Forge and Navigator together, keep both up, and end both."""
    context.obj = data_dir
    if context.invoked_subcommand is not None:
        return
    given = {"--host": host, "--http-port": http_port, "--rt-port": rt_port}
    options = [f"{name}={value}" for name, value in given.items() if value is not None]
    options += ["--lan"] if lan else []
    if not headless:
        from launcher.outside import has_screen
        from launcher.start_desktop import run_desktop

        if not has_screen(os.environ):
            _first_run(data_dir, forge_dir)

        try:
            code = run_desktop(
                os.environ,
                data_dir=data_dir,
                forge_dir=forge_dir,
                options=options,
                at_login=at_login,
            )
        except SettingsInvalid as error:
            _fail(error.message, EXIT_SETTINGS_INVALID)
        except LauncherError as error:
            _fail(error.message, EXIT_FAILED)
        sys.exit(code)
    from launcher.running import run_headless

    _first_run(data_dir, forge_dir)
    _run(run_headless(os.environ, data_dir=data_dir, forge_dir=forge_dir, options=options))


def _first_run(data_dir: Path | None, forge_dir: Path | None) -> None:
    """Asks what has to be known, if somebody is there to answer."""
    from launcher import first_run
    from launcher.navigator import run_once
    from launcher.terminal_set_up import set_up

    if not sys.stdin.isatty():
        return
    settings = _settings(data_dir, forge_dir)
    if first_run.is_known(settings):
        return
    arguments = ("compass", "install", f"--data-dir={settings.data_dir}")
    try:
        set_up(settings, os.environ, install_compass=lambda: run_once(arguments, os.environ))
    except OSError as error:
        _fail(f"{settings.env_file} cannot be written ({error.strerror}).", EXIT_FAILED)
    except LauncherError as error:
        _fail(error.message, EXIT_FAILED)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def status(data_dir: Path | None, *, as_json: bool) -> None:
    """Show what the running launcher does."""
    import json

    told = _ask(data_dir, "status")
    click.echo(json.dumps(told["json"], indent=2) if as_json else told["text"])


@main.command()
@click.argument("service", type=click.Choice(["forge", "navigator"]))
@click.pass_obj
def restart(data_dir: Path | None, service: str) -> None:
    """End one of the two and start it again."""
    _ask(data_dir, "restart", service=service)
    click.echo(f"{service.capitalize()} is restarted.")


@main.command()
@click.pass_obj
def stop(data_dir: Path | None) -> None:
    """End the running launcher, and Forge and Navigator with it."""
    from launcher.running import stop as stop_running

    _run(stop_running(_folder(data_dir)))
    click.echo("All is stopped.")


@main.group()
def forge() -> None:
    """Put our changes into Forge, or take them out."""


def _patching(name: str, sentence: str) -> None:
    """Adds a command that does this with all patches."""

    @forge.command(name, help=sentence)
    @click.option("--forge-dir", type=click.Path(path_type=Path), help="Forge's folder.")
    @click.pass_obj
    def command(data_dir: Path | None, *, forge_dir: Path | None) -> None:
        from launcher import forge_patch
        from launcher.forge_install import folder_of

        # Given before the command, it means the same: never patch another Forge than the named one.
        forge_dir = forge_dir or click.get_current_context().find_root().params["forge_dir"]
        try:
            settings = _settings(data_dir, forge_dir)
            root = folder_of(settings.forge_dir, os.environ)
            act = getattr(forge_patch, name)
            done = act(root, forge_patch.patches_in(), os.environ)
        except LauncherError as error:
            _fail(error.message, EXIT_FAILED)
        for patch in done:
            click.echo(f"{patch.name}: {patch.sentence}")
        is_well = {forge_patch.PatchState.APPLIED, forge_patch.PatchState.UPSTREAM}
        if name != "revert" and any(patch.state not in is_well for patch in done):
            sys.exit(EXIT_FAILED)


_patching("check", "Tell which of our changes to Forge are in it.")
_patching("apply", "Put them in, where Forge lacks them and they fit.")
_patching("revert", "Take them out.")


def _ask(data_dir: Path | None, name: str, **options: Any) -> Any:
    from launcher.control import ask

    async def asking() -> None:
        answers.append(await ask(_folder(data_dir), name, **options))

    answers: list[Any] = []
    _run(asking())
    return answers[0]


def _folder(data_dir: Path | None) -> Path:
    """Where the running launcher is found, whatever else the settings say."""
    from launcher.settings import LauncherSettings, bare

    try:
        settings = LauncherSettings.load(os.environ, data_dir=data_dir)
    except SettingsInvalid:
        settings = bare(os.environ, data_dir)
    return settings.data_dir / _FOLDER


def _settings(data_dir: Path | None, forge_dir: Path | None = None) -> "LauncherSettings":
    from launcher.settings import LauncherSettings

    try:
        return LauncherSettings.load(os.environ, data_dir=data_dir, forge_dir=forge_dir)
    except SettingsInvalid as error:
        _fail(error.message, EXIT_SETTINGS_INVALID)


def _run(work: Coroutine[Any, Any, int | None]) -> None:
    """Runs it; ends the program when it fails, or says so."""
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            code = runner.run(work)
    except SettingsInvalid as error:
        _fail(error.message, EXIT_SETTINGS_INVALID)
    except LauncherError as error:
        _fail(error.message, EXIT_FAILED)
    if code:
        sys.exit(code)


def _loop_factory() -> Any:
    # Named, since aerich, of all things, changes which one is taken on Windows.
    return getattr(asyncio, "ProactorEventLoop", asyncio.SelectorEventLoop)


def _fail(sentence: str, code: int) -> NoReturn:
    click.echo(f"navigator-launcher: {sentence}", err=True)
    sys.exit(code)
