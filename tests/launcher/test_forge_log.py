"""Tests of `launcher/forge_log.py`."""

import pytest

from launcher.forge_log import cause, of_taken_port


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("launch.py: error: unrecognized arguments: --xformer",
         "Forge does not know the flag --xformer; take it out of COMMANDLINE_ARGS."),
        ("RuntimeError: Torch is not able to use GPU; add --skip-torch-cuda-test", "driver"),
        ("torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate", "GPU's memory"),
        ("CUDA error: an illegal memory access was encountered",
         "The GPU failed (an illegal memory access was encountered)."),
        ("OSError: [Errno 28] No space left on device", "The disk is full."),
        ("ERROR: This script must not be launched as root, aborting...", "as root"),
        ("ModuleNotFoundError: No module named 'torch'", "lacks the module torch"),
    ],
)  # fmt: skip
def test_causes_are_known(line: str, sentence: str) -> None:
    assert sentence in str(cause(["Startup", line, "Traceback ended here"]))


def test_newest_cause_counts_and_others_are_none() -> None:
    assert cause(["No space left on device", "MemoryError"]) == "The machine's memory was full."
    assert cause(["100%", "Something else"]) is None
    assert cause([]) is None


@pytest.mark.parametrize(
    "line",
    ["OSError: Cannot find empty port in range: 7860-7860. You can specify a different port",
     "ERROR:    [Errno 98] error while attempting to bind on address: address already in use"],
)  # fmt: skip
def test_taken_port_is_recognised(line: str) -> None:
    assert of_taken_port(["Launching", line]) == [line]
    assert of_taken_port(["Launching"]) == []
