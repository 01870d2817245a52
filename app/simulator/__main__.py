"""`python -m app.simulator`: a simulated Forge for developers without a GPU."""

import argparse
import asyncio
import contextlib
from pathlib import Path

from app.simulator import Simulator, SimulatorOptions
from app.simulator.loader import Catalogue
from app.simulator.models_dir import FolderCatalogue


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m app.simulator", description="Serve a simulated Stable Diffusion Forge."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--step-time", type=float, default=0.05, help="seconds per step")
    parser.add_argument("--load-time", type=float, default=0.5, help="seconds per checkpoint load")
    parser.add_argument("--startup-time", type=float, default=0.0, help="seconds until it is ready")
    parser.add_argument("--nowebui", action="store_true", help="without the /internal routes")
    parser.add_argument("--unpatched", action="store_true", help="without the first-pass patch")
    parser.add_argument("--no-drawing", action="store_true", help="plain gradients, much cheaper")
    parser.add_argument("--api-auth", help="user:password, as Forge's flag")
    parser.add_argument("--models-dir", type=Path, help="list the files of this folder `models`")
    return parser.parse_args(arguments)


def to_options(flags: argparse.Namespace) -> SimulatorOptions:
    return SimulatorOptions(
        step_time_s=flags.step_time,
        checkpoint_load_time_s=flags.load_time,
        startup_time_s=flags.startup_time,
        ui=not flags.nowebui,
        patched=not flags.unpatched,
        draw=not flags.no_drawing,
        api_auth=flags.api_auth,
    )


async def serve(flags: argparse.Namespace) -> None:
    catalogue = FolderCatalogue(folder=flags.models_dir) if flags.models_dir else Catalogue()
    simulated = Simulator(to_options(flags), catalogue)
    async with simulated.serving(flags.host, flags.port) as simulator:
        print(f"Running on local URL:  {simulator.url}", flush=True)  # noqa: T201
        await asyncio.Event().wait()


def main() -> None:
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parse()))


if __name__ == "__main__":
    main()
