"""Where Forge fails, and with which words: the checks that its code does without meaning to.

Each error is a recording's (`txt2img/*`, `img2img/*`), unless it says otherwise.
"""

from typing import TYPE_CHECKING

from app.simulator.builtin_lists import (
    LATENT_UPSCALE_MODES,
    always_on_scripts,
    selectable_scripts,
)
from app.simulator.errors import DetailError, PythonError
from app.simulator.loader import Catalogue
from app.simulator.schema import Generation, Img2Img, Txt2Img

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage


def check_scripts(request: Generation, tab: str) -> None:
    """Raises 422 for an unknown script, before the task is queued."""
    if request.script_name and request.script_name.lower() not in selectable_scripts(tab):
        raise DetailError(422, f"Script '{request.script_name}' not found")
    for title in request.alwayson_scripts:
        if title.lower() not in always_on_scripts(tab):
            raise DetailError(422, f"Script '{title}' not found")


def check_numbers(request: Generation) -> None:
    """Raises what nulls and impossible numbers lead to, once the checkpoint is loaded."""
    if request.prompt is None:
        raise PythonError("AssertionError", "")
    if request.n_iter is None or request.batch_size is None:  # not recorded
        raise PythonError("TypeError", "unsupported operand type(s) for *: 'int' and 'NoneType'")
    if request.n_iter <= 0 or request.batch_size <= 0:
        raise PythonError("IndexError", "list index out of range")
    if request.width is None or request.height is None:
        raise PythonError("TypeError", "unsupported operand type(s) for //: 'NoneType' and 'int'")
    if request.cfg_scale is None:
        raise PythonError("TypeError", "must be real number, not NoneType")
    if request.steps is None:  # not recorded
        raise PythonError("TypeError", "unsupported operand type(s) for +: 'NoneType' and 'int'")
    if request.steps == 0:
        raise PythonError("ZeroDivisionError", "integer division or modulo by zero")
    rows, columns = request.height // 8, request.width // 8
    if rows < 0 or columns < 0:
        raise PythonError(
            "RuntimeError",
            f"Trying to create tensor with negative dimension {min(rows, columns)}: "
            f"[4, {rows}, {columns}]",
        )
    if rows == 0 or columns == 0:
        raise PythonError(
            "RuntimeError",
            f"Calculated padded input size per channel: ({rows + 2} x {columns + 2}). Kernel "
            "size: (3 x 3). Kernel size can't be greater than actual input size",
        )
    if request.steps < 0:
        raise PythonError("RuntimeError", "number of steps must be non-negative")


def check_hires_start(request: Txt2Img, disk: Catalogue) -> None:
    """Raises at once for an upscaler that is not there."""
    known = {str(upscaler["name"]) for upscaler in disk.upscalers} | set(LATENT_UPSCALE_MODES)
    if request.hr_upscaler is not None and request.hr_upscaler not in known:
        raise PythonError("Exception", f"could not find upscaler named {request.hr_upscaler}")


def check_first_pass(request: Txt2Img, first_pass: "PilImage | None", *, patched: bool) -> None:
    """Raises for a first-pass picture that this Forge or this upscaler cannot take."""
    if request.firstpass_image is None:
        return
    if not patched:
        raise PythonError(
            "ValueError", f"could not convert string to float: '{request.firstpass_image}'"
        )
    if first_pass is None:
        return
    channels = len(first_pass.getbands())
    if channels < 3:
        raise PythonError("AxisError", "source: axis 2 is out of bounds for array of dimension 2")
    latent = request.hr_upscaler is None or request.hr_upscaler in LATENT_UPSCALE_MODES
    if channels == 4 and latent:
        raise PythonError(
            "RuntimeError",
            "Given groups=1, weight of size [128, 3, 3, 3], expected input[1, 4, "
            f"{request.height}, {request.width}] to have 3 channels, but got 4 channels instead",
        )


def check_second_pass(request: Txt2Img) -> None:
    """Raises for the two fields that the second pass needs: after the whole first pass."""
    if request.hr_additional_modules is None:
        raise PythonError("TypeError", "argument of type 'NoneType' is not iterable")
    if request.denoising_strength is None:
        raise PythonError(
            "TypeError", "'>' not supported between instances of 'NoneType' and 'int'"
        )


def check_initial_images(request: Img2Img, count: int) -> None:
    """Raises for a mask that is empty text and for a wrong number of initial pictures."""
    if request.mask == "":
        raise PythonError("AttributeError", "'str' object has no attribute 'mode'")
    if count == 0:
        raise PythonError(
            "IndexError", "Dimension out of range (expected to be in range of [-1, 0], but got 1)"
        )
    if count > (request.batch_size or 1):
        raise PythonError(
            "RuntimeError",
            f"bad number of images passed: {count}; expecting {request.batch_size} or less",
        )
