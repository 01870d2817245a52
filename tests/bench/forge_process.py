"""A simulated Forge in a process of its own that remembers when requests came and answers left.

`python -m tests.bench.forge_process PORT [PNG_PADDING_BYTES [LORAS]]`; times at `/bench/times`.
"""

import asyncio
import sys
import time

from aiohttp import web

from app.simulator import Simulator, SimulatorOptions
from app.simulator.catalogue import Lora
from app.simulator.loader import Catalogue

GENERATION = "/sdapi/v1/txt2img"


async def main(port: int, padding_bytes: int = 0, loras: int = 0) -> None:
    """Serves until it is killed."""
    installed = Catalogue()
    if loras:
        installed.loras = [
            Lora(f"lora{number}.safetensors", {"sshs_model_hash": f"{number:012x}" + "0" * 52})
            for number in range(loras)
        ]
    simulator = Simulator(
        SimulatorOptions(
            step_time_s=0, checkpoint_load_time_s=0, draw=False, png_padding_bytes=padding_bytes
        ),
        installed,
    )
    answered_s: list[float] = []

    async def note(request: web.Request, _response: web.StreamResponse) -> None:
        if request.path == GENERATION:
            answered_s.append(time.monotonic())

    async def times(_request: web.Request) -> web.Response:
        arrived_s = [request.at_s for request in simulator.requests]
        return web.json_response({"arrived_s": arrived_s, "answered_s": answered_s})

    simulator.app.on_response_prepare.append(note)
    simulator.app.router.add_get("/bench/times", times)
    async with simulator.serving(port=port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*(int(number) for number in sys.argv[1:])))
