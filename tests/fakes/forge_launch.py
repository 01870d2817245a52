"""`launch.py` of a `FakeForge`: a simulator that starts, fails and ends as Forge does."""

import asyncio
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, "PROJECT_OF_THE_TEST")
HERE = Path(__file__).parent
LOOK_S = 0.02
GROWTH_BYTES = 200_000_000
SHOWN = (
    "COMMANDLINE_ARGS", "SD_WEBUI_RESTART", "SD_WEBUI_RESTARTING", "VIRTUAL_ENV", "PYTHONPATH",
    "LD_LIBRARY_PATH", "NAVIGATOR_LAUNCHER_TOKEN", "SECRET_KEY", "_PYI_ARCHIVE_FILE",
)  # fmt: skip


def main() -> None:
    sys.argv += shlex.split(os.environ.get("COMMANDLINE_ARGS", ""))
    behaviour = json.loads((HERE / "behaviour.json").read_text("utf-8"))
    start = {
        "pid": os.getpid(),
        "arguments": sys.argv[1:],
        "cwd": str(Path.cwd()),
        "environ": {name: os.environ[name] for name in SHOWN if name in os.environ},
    }
    with (HERE / "starts.jsonl").open("a") as file:
        file.write(json.dumps(start) + "\n")
    (HERE / "tmp" / "restart").unlink(missing_ok=True)
    for number in range(behaviour["installs"]):
        print(f"Installing requirements {number}", flush=True)
        time.sleep(0.1)
    if behaviour["crashes"]:
        behaviour["crashes"] -= 1
        (HERE / "behaviour.json").write_text(json.dumps(behaviour), "utf-8")
        sys.exit(behaviour["crash_says"])
    if behaviour["ignores_sigterm"]:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if behaviour["forks"]:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print(f"Launching Web UI with arguments: {shlex.join(sys.argv[1:])}", flush=True)
    port = int(flag("--port") or 7860)
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            print(f"OSError: Cannot find empty port in range: {port}-{port}.", flush=True)
            time.sleep(600)
    time.sleep(behaviour["starts_after_s"])
    threading.Thread(target=obey, daemon=True).start()
    asyncio.run(serve(port, behaviour))


def flag(name: str) -> str | None:
    found = [index for index, one in enumerate(sys.argv) if one == name]
    return sys.argv[found[-1] + 1] if found else None


async def serve(port: int, behaviour: dict[str, float]) -> None:
    from app.simulator import Simulator, SimulatorOptions

    options = SimulatorOptions(
        step_time_s=behaviour["step_time_s"],
        checkpoint_load_time_s=0.01,
        startup_time_s=behaviour["window_s"],
        ui="--nowebui" not in sys.argv,
        api_auth=flag("--api-auth"),
        draw=False,
    )
    async with Simulator(options).serving("127.0.0.1", port) as simulator:
        print(f"Running on local URL:  {simulator.url}", flush=True)
        print("Startup time: 1.0s (launcher: 0.5s).", flush=True)
        threading.Thread(target=draw_bars, daemon=True).start()
        await asyncio.Event().wait()


def draw_bars() -> None:
    for step in range(10_000_000):
        print(f"\r{step % 20}/20 [00:01<00:00, 20.0it/s]", end="", file=sys.stderr, flush=True)
        time.sleep(1)


def obey() -> None:
    memory = []
    while True:
        time.sleep(LOOK_S)
        try:
            word = (HERE / "word").read_text("utf-8")
            (HERE / "word").unlink()
        except OSError:
            continue
        if word == "crash":
            print("CUDA error: an illegal memory access was encountered", flush=True)
            os._exit(1)
        if word == "restart":
            (HERE / "tmp" / "restart").touch()
            os._exit(0)
        if word == "grow":
            memory.append(b"x" * GROWTH_BYTES)
        if word == "hang":
            os.kill(os.getpid(), signal.SIGSTOP)


if __name__ == "__main__":
    main()
