"""POST txt2img and img2img from the validated request to the answer's bytes.

Sequence, with the leaks of the original (forge recordings, section 9): check -> pending -> lock ->
decode -> current -> load, sample -> finished -> encode -> answer.
"""

import base64
import json
import random
import string
from collections.abc import Callable, Sequence

import orjson
from pydantic import BaseModel

from app.simulator import checks, png
from app.simulator import picture as pictures
from app.simulator.errors import DetailError
from app.simulator.faults import IN_THE_ANSWER, FaultKind
from app.simulator.forge import Forge
from app.simulator.infotext_parser import decode_image
from app.simulator.options import SimulatorOptions
from app.simulator.sampling import Inputs, Sampled, Sampling, sampling_fault
from app.simulator.schema import Generation, Img2Img, Txt2Img

_FORMATS = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp"}


async def generate(forge: Forge, path: str, request: Generation, drop: Callable[[], None]) -> bytes:
    """Gives the JSON bytes of the answer. Calls `drop` when the connection is to be cut."""
    tab = path.rsplit("/", 1)[-1]
    inputs = Inputs()
    if isinstance(request, Img2Img):
        if request.init_images is None:
            raise DetailError(404, "Init image not found")
        if request.mask:
            inputs.mask = await forge.in_thread(decode_image, request.mask)
    checks.check_scripts(request, tab)
    task_id = request.force_task_id or f"task({tab}-{_random_name()})"
    state, tasks = forge.state, forge.tasks
    tasks.add(task_id)
    async with forge.lock:
        await _decode(forge, request, inputs)
        sampling = Sampling(forge, request, inputs, sampling_fault(forge, path), drop)
        state.begin(f"scripts_{tab}")
        tasks.start(task_id)
        try:
            used = await sampling.run()
            tasks.finish(task_id)
        finally:
            state.end()
    images = await _images(forge, request, inputs, sampling.pictures)
    fault = forge.faults.take(path, IN_THE_ANSWER)
    if fault is not None and fault.kind is FaultKind.NO_IMAGES:
        images = []
    elif fault is not None:
        images = [image[: len(image) // 2 // 4 * 4] for image in images]
    infotexts = [sampled.infotext for sampled in sampling.pictures]
    answer = {"images": images, "parameters": _echo(request), "info": used.info(infotexts)}
    try:
        return orjson.dumps(answer)
    except TypeError:
        # Integers beyond 64 bits are fine for Forge.
        return json.dumps(answer).encode()


async def _decode(forge: Forge, request: Generation, inputs: Inputs) -> None:
    """Reads pictures after queueing and before the start: what fails here stays pending."""
    if isinstance(request, Img2Img):
        for text in request.init_images or []:
            if isinstance(text, str) and text.startswith(("http://", "https://")):
                # Forge fetches public addresses; the simulator never does.
                raise DetailError(500, "Request to local resource not allowed")
            inputs.initial.append(await forge.in_thread(decode_image, text))
    elif request.firstpass_image is not None and forge.settings.patched:
        inputs.first_pass = await forge.in_thread(decode_image, request.firstpass_image)


async def _images(
    forge: Forge, request: Generation, inputs: Inputs, sampled: Sequence[Sampled]
) -> list[str]:
    if not request.send_images:
        return []
    chosen = forge.options.values["samples_format"]
    if chosen not in _FORMATS:
        raise DetailError(500, "Invalid image format")
    image_format = _FORMATS[chosen]
    images = []
    for position, each in enumerate(sampled):
        if not forge.settings.draw and image_format == "png":
            number = each.scene.number() % png.GRADIENTS
            plain = png.gradient(each.width, each.height, number)
        else:
            plain = await forge.in_thread(_drawn, each, request, inputs, position, image_format)
        images.append(_finished(plain, image_format, each.infotext, forge.settings))
    return images


def _finished(data: bytes, image_format: str, infotext: str, settings: SimulatorOptions) -> str:
    if image_format == "png":
        data = png.finish(data, infotext, settings.png_padding_bytes)
    return base64.b64encode(data).decode()


def _drawn(
    sampled: Sampled, request: Generation, inputs: Inputs, position: int, image_format: str
) -> bytes:
    from PIL import Image

    size = (sampled.width, sampled.height)
    if inputs.first_pass is not None and isinstance(request, Txt2Img) and request.enable_hr:
        image = inputs.first_pass.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    else:
        image = pictures.draw(sampled.scene, *size)
    if isinstance(request, Img2Img) and inputs.initial:
        initial = inputs.initial[position % len(inputs.initial)].convert("RGB").resize(size)
        blended = Image.blend(initial, image, min(1.0, max(0.0, request.denoising_strength)))
        if inputs.mask is not None:
            blended = Image.composite(blended, initial, inputs.mask.convert("L").resize(size))
        image = blended
    image = pictures.unfinished(image, sampled.fraction)
    return pictures.encode(image, image_format, sampled.infotext)


def _echo(request: BaseModel) -> dict[str, object]:
    """Gives `parameters`: the request with defaults, not what was used."""
    echo = request.model_dump()
    if isinstance(request, Img2Img) and not request.include_init_images:
        echo["init_images"] = echo["mask"] = None
    return echo


def _random_name() -> str:
    return "".join(random.choices(string.ascii_uppercase + string.digits, k=7))
