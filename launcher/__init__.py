"""The tray launcher: starts Forge and Navigator together. It talks to Navigator only over HTTP."""
