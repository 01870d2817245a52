"""`navigator serve`: the server, until it is told to stop."""

import asyncio
import contextlib
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app import __version__
from app.cli import server_file
from app.cli.instance import only_instance
from app.cli.running import exits, run, unless_stopped

if TYPE_CHECKING:
    from app.settings import Settings

log = logging.getLogger(__name__)


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of everything we keep.")
@click.option("--host", help="Address to listen on (HTTP_API_HOST).")
@click.option("--http-port", type=int, help="Port of the HTTP API (HTTP_API_PORT).")
@click.option("--rt-port", type=int, help="Second port, socket.io only (RT_API_PORT).")
@click.option("--lan", is_flag=True, help="Listen on every interface of this machine.")
@click.option("--exit-with-parent", is_flag=True, help="Stop when the standard input is closed.")
def serve(
    *,
    data_dir: Path | None,
    host: str | None,
    http_port: int | None,
    rt_port: int | None,
    lan: bool,
    exit_with_parent: bool,
) -> None:
    """Run the server."""
    given = {"HTTP_API_HOST": host, "HTTP_API_PORT": http_port, "RT_API_PORT": rt_port}
    overrides: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    from app.settings import Settings, data_dir_of

    with exits():
        folder = data_dir or data_dir_of(os.environ)
        # First of all, so that two of them cannot both write the secrets or the log.
        with only_instance(folder), server_file.removed_around(folder):
            settings = Settings.load(
                os.environ, data_dir=folder, overrides=overrides | {"lan": lan}
            )
            run(lambda stopped: _serve(settings, stopped), until_stdin_closes=exit_with_parent)


async def _serve(settings: "Settings", stopped: asyncio.Event) -> None:
    from app import logs
    from app.accounts.caller import COMMAND_LINE_ID, LAUNCHER_ID
    from app.bootstrap import navigator
    from app.web.server import listen, shown_address
    from app.web.server import serve as serve_sockets

    token = server_file.new_token()
    programs = {token: COMMAND_LINE_ID}
    if settings.launcher_token is not None:
        programs[settings.launcher_token] = LAUNCHER_ID
    logs.configure(settings.data_dir, secrets=(*settings.secrets, token))
    log.info("Navigator %s, data in %s, database %s", __version__, settings.data_dir,
             settings.database)  # fmt: skip
    if settings.enable_demo_user and settings.is_shared:
        log.warning("everybody on the network can log in as the demo user: ENABLE_DEMO_USER is on")
    sockets = [listen(settings.bind_host, settings.http_api_port, setting="HTTP_API_PORT")]
    if settings.rt_api_port != settings.http_api_port:
        sockets.append(listen(settings.bind_host, settings.rt_api_port, setting="RT_API_PORT"))
    address, port = sockets[0].getsockname()[:2]

    async def announce() -> None:
        try:
            await asyncio.to_thread(
                server_file.write, settings.data_dir, server_file.own_url(address, port), token
            )
        except OSError as error:
            log.warning("navigator users and navigator invite will not find us: %s", error)
        log.info("listening on %s", shown_address(settings.bind_host, port))

    async with contextlib.AsyncExitStack() as stack:
        async with unless_stopped(stopped):
            ours = await stack.enter_async_context(navigator(settings, programs=programs))
        await serve_sockets(
            ours.asgi,
            ours.realtime,
            sockets,
            stopped,
            on_listening=announce,
            on_stopping=ours.stop_waiting,
        )
