"""`navigator demo`: the whole way from a prompt to a picture, without a GPU or an account."""

import asyncio
import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.running import run
from app.errors import NavigatorError, UpstreamUnavailable

if TYPE_CHECKING:
    import socket

    from app.cli.client import NavigatorClient

_STEPS = 20
_STEP_TIME_S = 0.12
_HOST = "127.0.0.1"
_PREFERRED_PORT = 3333
_FORGE_PATIENCE_S = 30.0


@click.command()
@click.argument("prompt", default="a lighthouse at dusk")
@click.option("--once", is_flag=True, help="End when the picture is saved.")
def demo(prompt: str, once: bool) -> None:
    """Try Navigator: make a picture of PROMPT with a simulated Forge."""
    with tempfile.TemporaryDirectory(prefix="navigator-demo-") as folder:
        run(lambda stopped: _demo(prompt, Path(folder), stopped, once=once))


async def _demo(prompt: str, data_dir: Path, stopped: asyncio.Event, *, once: bool) -> None:
    from app import logs
    from app.accounts.caller import DEMO_CODE
    from app.bootstrap import navigator
    from app.settings import Settings
    from app.simulator import Simulator, SimulatorOptions
    from app.web.server import serve

    options = SimulatorOptions(step_time_s=_STEP_TIME_S)
    async with Simulator(options).serving() as forge:
        settings = Settings.load(
            {},
            data_dir=data_dir,
            working_dir=data_dir,
            overrides={
                "SD_API_HOST": f"{forge.url}/sdapi/v1",
                "ENABLE_DEMO_USER": True,
                "JOB_PROGRESS_CHECK_INTERVAL": 200,
            },
        )
        logs.configure(data_dir, secrets=settings.secrets, level=logging.WARNING)
        listening = _listen()
        url = f"http://{_HOST}:{listening.getsockname()[1]}"
        async with navigator(settings) as ours:
            try:
                await asyncio.wait_for(ours.health.wait_ready(), _FORGE_PATIENCE_S)
            except TimeoutError as error:
                raise UpstreamUnavailable(
                    "The simulated Forge does not answer.", service="forge"
                ) from error
            serving = asyncio.create_task(serve(ours.asgi, ours.realtime, [listening], stopped))
            drawing = asyncio.create_task(_draw(url, prompt))
            await asyncio.wait({serving, drawing}, return_when=asyncio.FIRST_COMPLETED)
            asked_to_stop = stopped.is_set()
            if drawing.done() and not drawing.exception() and not once:
                click.echo(f"Navigator runs at {url} (login code {DEMO_CODE}). Ctrl-C ends it.")
            else:
                stopped.set()
            await serving
            drawing.cancel()
            await asyncio.gather(drawing, return_exceptions=True)
    if not asked_to_stop:
        drawing.result()


def _listen() -> "socket.socket":
    from app.web.server import PortTaken, listen

    try:
        return listen(_HOST, _PREFERRED_PORT, setting="HTTP_API_PORT")
    except PortTaken:
        return listen(_HOST, 0, setting="HTTP_API_PORT")


async def _draw(url: str, prompt: str) -> None:
    from app.accounts.caller import DEMO_CODE
    from app.cli.client import ClientFailed, NavigatorClient

    click.echo(f"Drawing “{prompt}” with a simulated Forge …")
    try:
        async with NavigatorClient.logged_in(url, DEMO_CODE) as client:
            job_id = await client.generate(prompt, steps=_STEPS, width=512, height=512)
            path = await _follow(client, job_id)
            content = await client.image(path)
    except ClientFailed as error:
        raise NavigatorError(str(error)) from error
    here = Path.cwd()
    target = here / f"navigator-{job_id}.png"
    try:
        await asyncio.to_thread(target.write_bytes, content)
    except OSError as error:
        raise NavigatorError(
            f"The picture cannot be saved in the folder {here} ({error.strerror});"
            " call the demo from another one."
        ) from error
    click.echo(f"Saved {target}")
    click.echo(f"Also at {url}{path}")


async def _follow(client: "NavigatorClient", job_id: str) -> str:
    """Shows the job's progress; gives the address of its picture."""
    with click.progressbar(length=100, label="step 0") as bar:
        async for name, event in client.events(job_id):
            if name == "task-progress":
                eta_s = event["eta_relative"]
                bar.label = f"step {event['current_step']}/{event['total_steps']}, {eta_s:.0f} s"
                bar.update(max(0, int(event["progress"] * 100) - bar.pos))
            elif name == "task-finished":
                bar.label = f"step {_STEPS}/{_STEPS}"
                bar.update(100 - bar.pos)
                return str(event["img_path"])
            elif name == "task-failed":
                raise NavigatorError(f"The picture failed: {event['error']}")
    raise NavigatorError("The connection ended before the picture was there.")
