"""Why a Forge ended or will never be ready, from what it wrote. Pure.

Facts: forge-recordings README, section 11; messages of PyTorch, pip and Gradio.
"""

import re
from collections.abc import Sequence

_PORT_TAKEN = re.compile(r"Cannot find empty port|address already in use|Errno 98|WinError 10048")
_NO_GPU = (
    "PyTorch cannot use the GPU; is its driver installed? Without a GPU, Forge needs"
    " --always-cpu --skip-torch-cuda-test."
)
_CAUSES = (
    (re.compile(r"unrecognized arguments: (.+)"),
     r"Forge does not know the flag \1; take it out of COMMANDLINE_ARGS."),
    (re.compile(r"Torch is not able to use GPU"),
     _NO_GPU),
    (re.compile(r"CUDA out of memory|OutOfMemoryError"), "The GPU's memory was full."),
    (re.compile(r"CUDA error: (.+)"), r"The GPU failed (\1)."),
    (re.compile(r"Cannot allocate memory|MemoryError"), "The machine's memory was full."),
    (re.compile(r"No space left on device|not enough space on the disk"), "The disk is full."),
    (re.compile(r"must not be launched as root"), "Forge's webui.sh does not run as root."),
    (re.compile(r"Temporary failure in name resolution|Could not resolve host|"
                r"Failed to establish a new connection"),
     "Forge needs the internet for its first start, and does not reach it."),
    (re.compile(r"ModuleNotFoundError: No module named '(.+)'"),
     r"Forge's Python lacks the module \1; start Forge once by hand, or delete its folder venv."),
    (re.compile(r"Couldn't (?:install|clone|fetch|checkout) (.+)"),
     r"Forge could not install \1"),
)  # fmt: skip


def of_taken_port(lines: Sequence[str]) -> list[str]:
    """The lines that say that something else has a port.

    When that is Forge's own, it stays alive and serves nothing.
    """
    return [line for line in lines if _PORT_TAKEN.search(line)]


def cause(lines: Sequence[str]) -> str | None:
    """The newest cause that we know, as a sentence."""
    for line in reversed(lines):
        for pattern, sentence in _CAUSES:
            if (found := pattern.search(line)) is not None:
                return found.expand(sentence)
    return None
