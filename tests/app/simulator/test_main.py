"""The command line: flags become options, and the process serves until it is told to stop."""

import asyncio
import subprocess
import sys

import aiohttp

from app.simulator import SimulatorOptions
from app.simulator.__main__ import parse, to_options


def test_flags_become_options() -> None:
    timed = ["--step-time", "0.1", "--api-auth", "a:b"]
    flags = parse([*timed, "--nowebui", "--unpatched", "--no-drawing"])
    assert to_options(flags) == SimulatorOptions(
        step_time_s=0.1, ui=False, patched=False, api_auth="a:b", draw=False
    )
    assert to_options(parse([])) == SimulatorOptions()


async def test_process_serves_and_ends() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.simulator", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
        url = line.removeprefix("Running on local URL:").strip()
        async with aiohttp.ClientSession() as http, http.get(f"{url}/internal/ping") as response:
            assert await response.json() == {}
    finally:
        process.terminate()
        await process.wait()


def test_nothing_heavy_is_imported_before_a_picture_is_drawn() -> None:
    code = "import sys, app.simulator; print('PIL' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
