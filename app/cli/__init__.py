"""The command `navigator`. Each sub-command has a file of its own, imported when it is called."""

import click

from app import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="navigator")
def main() -> None:
    """Share your GPU with friends: Navigator in front of Stable Diffusion WebUI Forge."""


def _add_commands() -> None:
    from app.cli import compass, demo, invite, serve, settings, users

    main.add_command(serve.serve)
    main.add_command(demo.demo)
    main.add_command(compass.compass)
    main.add_command(users.users)
    main.add_command(invite.invite)
    main.add_command(settings.settings)


_add_commands()
