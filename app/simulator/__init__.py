"""A simulator of Stable Diffusion WebUI Forge for the demo and for tests.

Answers over HTTP as a recorded Forge did; it knows nothing of the rest of the application.
"""

from app.simulator.faults import Fault, FaultKind
from app.simulator.options import SimulatorOptions
from app.simulator.simulator import Simulator

__all__ = ["Fault", "FaultKind", "Simulator", "SimulatorOptions"]
