"""A CivitAI that knows models, their versions and one key.

Written after the one that the contract was recorded with: five models of two versions, whose
first pages are those of contract [276] and [277].
"""

import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from tests.fakes.file_host import FileHost
from tests.fakes.serving import Fault, served

API_KEY = "civitai-key-of-tests"
PUBLIC_BASE = "https://civitai.com/api/v1"
TYPES = {1: "LORA", 2: "LORA", 3: "Checkpoint", 4: "TextualInversion", 5: "Poses"}
# Where the recorded one said that its pictures are.
_PICTURES = "http://127.0.0.1:17862/img"
_API = "/api/v1"


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str  # below `/api/v1/`
    query: Mapping[str, str]
    headers: Mapping[str, str]
    target: str  # as it was sent, with everything


def model(model_id: int, **changes: Any) -> dict[str, Any]:
    """A model with two versions."""
    made = {
        "id": model_id,
        "name": f"Fake Model {model_id}",
        "description": "<p>fake</p>",
        "type": TYPES.get(model_id, "LORA"),
        "nsfw": False,
        "tags": ["style", "anime"],
        "mode": None,
        "stats": {"downloadCount": 3},
        "creator": {"username": "creator1", "image": f"{_PICTURES}/avatar.png"},
        "modelVersions": [
            version(model_id * 100 + 1, "v2.0"),
            version(model_id * 100 + 2, "v1.0"),
        ],
    }
    return made | changes


def version(version_id: int, name: str, **changes: Any) -> dict[str, Any]:
    """A version of a model, of one file and two pictures."""
    url = f"https://civitai.com/api/download/models/{version_id}"
    hashes = {
        "AutoV1": "AAAA",
        "AutoV2": "BBBBBBBBBB",
        "AutoV3": "AAAABBBBCCCC",
        "SHA256": "AB" * 32,
        "CRC32": "CRC",
        "BLAKE3": "CD" * 32,
    }
    made = {
        "id": version_id,
        "modelId": version_id // 100,
        "name": name,
        "createdAt": "2024-05-01T00:00:00.000Z",
        "updatedAt": "2024-05-02T00:00:00.000Z",
        "status": "Published",
        "publishedAt": "2024-05-01T00:00:00.000Z",
        "trainedWords": ["wordone, wordtwo", "wordthree"],
        "baseModel": "SDXL 1.0",
        "description": "<p>fake version</p>",
        "stats": {"downloadCount": 1, "rating": 5},
        "files": [
            {
                "id": version_id * 10,
                "sizeKB": 64,
                "name": f"model_{version_id}.safetensors",
                "type": "Model",
                "pickleScanResult": "Success",
                "virusScanResult": "Success",
                "metadata": {"format": "SafeTensor"},
                "hashes": hashes,
                "downloadUrl": url,
                "primary": True,
            }
        ],
        "images": [_picture(f"{version_id}a"), _picture(f"{version_id}b")],
        "downloadUrl": url,
    }
    return made | changes


def _picture(name: str) -> dict[str, Any]:
    url = f"{_PICTURES}/{name}.png"
    return {
        "url": url, "nsfwLevel": 1, "width": 512, "height": 512, "hash": "U", "type": "image",
    }  # fmt: skip


@dataclass
class FakeCivitai:
    """What it knows, what it does wrong, and what it was asked.

    `faults` says by path (`*` is all of them) what is answered there, one for each request, the
    last one for ever. `cache_control` goes along with answers; `etags` says whether an ETag does.
    """

    models: dict[int, dict[str, Any]] = field(
        default_factory=lambda: {number: model(number) for number in TYPES}
    )
    api_key: str = API_KEY
    cache_control: str | None = None
    etags: bool = True
    tells_model: bool = True
    next_page_base: str = PUBLIC_BASE
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    requests: list[Asked] = field(default_factory=list)
    host: FileHost = field(default_factory=FileHost)
    url: str = ""

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["FakeCivitai"]:
        """Answers at `url`, which is what `CIVITAI_API_BASE` has to be."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._handle)
        async with served(app) as origin:
            self.url = origin + _API
            yield self

    def offer(self, version_id: int, content: bytes, **changes: Any) -> str:
        """Has a file for a version; `changes` are of what is told of it. Gives its path at `host`.

        To be called while it serves.
        """
        path = f"api/download/models/{version_id}"
        self.host.files[path] = content
        url = f"{self.url.removesuffix(_API)}/{path}"
        for one in self.models.values():
            for found in one["modelVersions"]:
                if found["id"] == version_id:
                    file = found["files"][0]
                    hashes = file["hashes"] | {
                        "SHA256": hashlib.sha256(content).hexdigest().upper()
                    }
                    told = {"sizeKB": len(content) / 1024, "hashes": hashes, "downloadUrl": url}
                    found["files"] = [file | told | changes]
                    found["downloadUrl"] = url
        return path

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/api/download/"):
            return await self.host.answer(request)
        path = request.path.removeprefix(f"{_API}/")
        asked = Asked(path, dict(request.query), dict(request.headers), request.raw_path)
        self.requests.append(asked)
        faults = self.faults.get(path) or self.faults.get("*")
        if faults:
            fault = faults[0] if len(faults) == 1 else faults.pop(0)
            return await fault.answer(request)
        authorization = request.headers.get("Authorization")
        is_known = authorization == f"Bearer {self.api_key}"
        if (authorization is not None and not is_known) or (
            "hidden" in request.query and not is_known
        ):
            return _error(401, "Unauthorized")
        return self._cached(request, self._answer(path, request.query))

    def _cached(self, request: web.Request, answer: web.Response) -> web.Response:
        if answer.status != 200:
            return answer
        if self.etags:
            assert isinstance(answer.body, bytes)
            etag = f'W/"{hashlib.sha256(answer.body).hexdigest()[:12]}"'
            if request.headers.get("If-None-Match") == etag:
                answer = web.Response(status=304)
            answer.headers["ETag"] = etag
        if self.cache_control is not None:
            answer.headers["Cache-Control"] = self.cache_control
        return answer

    def _answer(self, path: str, query: Mapping[str, str]) -> web.Response:
        match path.split("/"):
            case ["models"]:
                return self._search(query)
            case ["models", text]:
                found = self.models.get(int(text)) if text.isdecimal() else None
                return _json(found) if found else _error(404, f"No model with id {text}")
            case ["model-versions", "by-hash", text]:
                return self._version(lambda one: text.upper() in _hashes(one))
            case ["model-versions", text]:
                return self._version(lambda one: str(one["id"]) == text)
        return _error(404, "Not Found")

    def _version(self, fits: Any) -> web.Response:
        for one in self.models.values():
            for found in one["modelVersions"]:
                if fits(found):
                    about = {
                        "name": one["name"],
                        "type": one["type"],
                        "nsfw": one["nsfw"],
                        "poi": False,
                    }
                    return _json(found | ({"model": about} if self.tells_model else {}))
        return _error(404, "Model not found")

    def _search(self, query: Mapping[str, str]) -> web.Response:
        limit, cursor = query.get("limit", "100"), query.get("cursor", "0")
        if not (limit.isdecimal() and cursor.isdecimal() and 0 < int(limit[:4]) <= 100):
            return _error(400, "Invalid limit or cursor")
        fitting = list(self._fitting(query))
        start, end = int(cursor) * int(limit), (int(cursor) + 1) * int(limit)
        metadata: dict[str, Any] = {"pageSize": int(limit)}
        if end < len(fitting):
            following = str(int(cursor) + 1)
            rest = "&".join(f"{key}={query[key]}" for key in query if key != "cursor")
            metadata["nextCursor"] = following
            metadata["nextPage"] = f"{self.next_page_base}/models?{rest}&cursor={following}"
        return _json({"items": fitting[start:end], "metadata": metadata})

    def _fitting(self, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        for one in self.models.values():
            if (
                query.get("query", "").lower() in one["name"].lower()
                and query.get("tag", one["tags"][0]) in one["tags"]
                and query.get("types", one["type"]) == one["type"]
                and query.get("ids", str(one["id"])) == str(one["id"])
            ):
                yield one


def _hashes(found: Mapping[str, Any]) -> set[str]:
    return {value.upper() for file in found["files"] for value in file["hashes"].values()}


def _json(found: object) -> web.Response:
    return web.Response(body=orjson.dumps(found), content_type="application/json")


def _error(status: int, sentence: str) -> web.Response:
    body = orjson.dumps({"error": sentence})
    return web.Response(status=status, body=body, content_type="application/json")
