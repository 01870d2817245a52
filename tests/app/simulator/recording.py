"""Recorded exchanges of a real Forge: reading them, sending them again, comparing answers.

Base64 texts were cut out of the recordings and replaced by `base64:<N bytes, sha256 …>`;
`Pictures` puts pictures of our own in their place, in requests and in expected answers alike.
"""

import base64
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from PIL import Image, PngImagePlugin

from app.simulator import Simulator, picture
from app.simulator.catalogue import Checkpoint, Embedding, Lora, Module
from app.simulator.loader import Catalogue

FOLDER = Path(__file__).parents[2] / "recordings" / "forge"
PLACEHOLDER = re.compile(r"base64:<(\d+) bytes, sha256 ([0-9a-f]{64})>")
SHA_A = "02dcc7a1b0c0385b2a8d27a10c83fce635f640adb06cc428084924101af403f2"
SHA_B = "e232e51d0cdce0f0c71b8054f934e4be6a284a30cda8b42909bdc97308fc1da8"


@dataclass(frozen=True)
class Recording:
    """One exchange; `name` is folder and stem."""

    name: str
    method: str
    path: str
    request_body: Any
    status: int
    headers: dict[str, str]
    body: Any

    @classmethod
    def load(cls, name: str) -> "Recording":
        data = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        if "requests" in data:  # a time series: its first request
            data = {"request": data["requests"]["A"], **data["requests"]["A"]}
        request, response = data["request"], data["response"]
        return cls(
            name,
            request["method"],
            request["path"],
            request["body"],
            response["status"],
            response.get("headers", {}),
            response["body"],
        )


def names(*folders: str) -> list[str]:
    found = [path for folder in folders for path in sorted((FOLDER / folder).glob("*.json"))]
    return [f"{path.parent.name}/{path.stem}" for path in found]


def series(name: str) -> dict[str, Any]:
    """Gives a recorded time series of polls."""
    data: dict[str, Any] = json.loads(
        (FOLDER / "progress" / f"{name}.json").read_text(encoding="utf-8")
    )
    return data


def recorded_install(*, hashed: bool = True) -> Catalogue:
    """Gives the files that lay on the disk of the recorded Forge."""
    loras = [
        Lora(entry["path"].removeprefix("/forge/models/Lora/"), entry["metadata"])
        for entry in Recording.load("get/loras").body
    ]
    embeddings = [
        Embedding(name, **fields)
        for name, fields in Recording.load("get/embeddings").body["loaded"].items()
    ]
    return Catalogue(
        checkpoints=[
            Checkpoint("randomA.safetensors", SHA_A, hashed),
            Checkpoint("randomB.safetensors", SHA_B, hashed),
            Checkpoint("sub/randomC.safetensors", SHA_B, hashed),
        ],
        modules=[Module("random_vae.safetensors"), Module("fake_te.safetensors", "text_encoder")],
        loras=loras,
        embeddings=embeddings,
    )


class Pictures:
    """Stand-ins for the pictures that were cut out, by the start of their SHA-256."""

    def __init__(self) -> None:
        whole = Recording.load("txt2img/success_first_after_start_full_png").body["images"][0]
        first = Image.open(io.BytesIO(base64.b64decode(whole)))
        scene = picture.Scene("a red fox", "", 1, "")
        self._made: dict[str, Callable[[], bytes]] = {
            "05855fed": lambda: base64.b64decode(whole),
            "530dd893": lambda: _png(Image.new("RGB", (96, 48), (90, 120, 150))),
            "ad862eea": lambda: _png(first.convert("RGBA")),
            "96c096f8": lambda: picture.encode(Image.new("RGB", (32, 32)), "jpeg"),
            "1363fd61": lambda: _png(
                Image.new("RGB", (64, 64)), Recording.load("png-info/hr_lora_png").body["info"]
            ),
            "7824d42a": lambda: picture.encode(
                picture.draw(scene, 64, 64), "webp", Recording.load("png-info/webp").body["info"]
            ),
        }

    def fill(self, value: Any) -> Any:
        """Gives the value with every placeholder in it replaced by base64 of our picture."""
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, str):
            return PLACEHOLDER.sub(lambda found: self._base64(found[2]), value)
        return value

    def _base64(self, sha256: str) -> str:
        return base64.b64encode(self._made[sha256[:8]]()).decode()


def _png(image: Image.Image, infotext: str = "") -> bytes:
    out = io.BytesIO()
    info = PngImagePlugin.PngInfo()
    if infotext:
        info.add_text("parameters", infotext)
    image.save(out, "PNG", pnginfo=info)
    return out.getvalue()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


async def send(
    session: aiohttp.ClientSession,
    recording: Recording,
    pictures: Pictures,
    credentials: str = "",
) -> Answer:
    """Sends a recorded request again, in the same form."""
    body = pictures.fill(recording.request_body)
    headers = {}
    if credentials:
        headers["Authorization"] = "Basic " + base64.b64encode(credentials.encode()).decode()
    data: bytes | None = None
    if isinstance(body, str):
        # The two requests that were no JSON values: broken text, and text as a form.
        is_form = recording.name.endswith("form_content_type")
        kind = "application/x-www-form-urlencoded" if is_form else "application/json"
        data = body.encode()
        headers["Content-Type"] = kind
    elif body is not None:
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    async with session.request(
        recording.method, recording.path, data=data, headers=headers
    ) as response:
        raw = await response.read()
        shown = {key.lower(): value for key, value in response.headers.items()}
        is_json = response.content_type == "application/json"
        return Answer(response.status, shown, json.loads(raw) if is_json else raw.decode())


def session_for(simulator: Simulator) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(simulator.url, skip_auto_headers=["Content-Type"])


def expand(body: Any) -> Any:
    """Gives an answer with `info`, which is JSON in a string, taken apart."""
    if isinstance(body, dict) and isinstance(body.get("info"), str) and "images" in body:
        return {**body, "info": json.loads(body["info"])}
    return body


def differences(expected: Any, given: Any, where: str = "") -> Iterator[str]:
    """Gives one line per difference in keys, JSON types, values.

    `__trimmed__` in a recorded object or list means that only a part of it was kept.
    """
    if type(expected) is not type(given):
        yield f"{where}: {type(expected).__name__} {expected!r} became {given!r}"
    elif isinstance(expected, dict):
        markers = {"__trimmed__", "__all_keys__"}
        missing = expected.keys() - given.keys() - markers
        surplus = given.keys() - expected.keys() if "__trimmed__" not in expected else set()
        for key in sorted(missing | surplus):
            yield f"{where}.{key}: {'missing' if key in missing else 'not recorded'}"
        for key in expected.keys() & given.keys():
            yield from differences(expected[key], given[key], f"{where}.{key}")
    elif isinstance(expected, list):
        kept = [item for item in expected if not (isinstance(item, dict) and "__trimmed__" in item)]
        if len(kept) == len(expected) != len(given):
            yield f"{where}: {len(expected)} entries became {len(given)}"
        for index, (one, other) in enumerate(zip(kept, given, strict=False)):
            yield from differences(one, other, f"{where}[{index}]")
    elif expected != given:
        yield f"{where}: {expected!r} became {given!r}"
