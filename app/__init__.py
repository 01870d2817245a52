"""Navigator: lets friends use one workstation's Stable Diffusion WebUI Forge."""

__version__ = "0.1.0"
