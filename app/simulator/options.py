"""How a simulated Forge is started: its speed, its mode, what it draws. Holds no state."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SimulatorOptions:
    """The command line and the machine of a simulated Forge.

    Times are seconds. `step_time_s=0` with `draw=False` is an instant Forge for benchmarks.
    """

    step_time_s: float = 0.05
    checkpoint_load_time_s: float = 0.5
    startup_time_s: float = 0.0
    """Length of the startup window, with the UI: in its first half `/sdapi` is 404, in its
    second half `options` answers while `embeddings` is 500 and `loras` is 404."""
    ui: bool = True
    """False is `--nowebui`: no `/internal/*`, answers of 1000 bytes and more are compressed."""
    patched: bool = True
    """True when the first-pass patch of Navigator is in."""
    api_auth: str | None = None
    """`user:pass[,user2:pass2]`, as in `--api-auth`."""
    port_flag: bool = True
    """Started with `--port N`: then `cmd-flags` is a 500."""
    draw: bool = True
    """False gives a plain colour gradient without Pillow: far cheaper than a landscape."""
    png_padding_bytes: int = 0
    """Size of an ancillary PNG chunk of incompressible data added to every picture."""
    preview_every_n_steps: int = 1
    """Initial `show_progress_every_n_steps`. Forge's own default is 10; 1 shows more."""
    gpu_memory_bytes: int = 0
    """Size of the GPU's memory; 0 is a machine without CUDA, as recorded."""
    kept_requests: int = 5000
    kept_request_bytes: int = 64 * 1024 * 1024
    """Bounds of `Simulator.requests`: the oldest go first."""

    def users(self) -> dict[str, str]:
        """Gives user names and passwords that `api_auth` names."""
        pairs = (self.api_auth or "").split(",")
        return dict(pair.split(":", 1) for pair in pairs if ":" in pair)
