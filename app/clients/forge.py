"""Stable Diffusion WebUI Forge over HTTP: the only code that knows its URLs.

Facts about Forge come from recordings of commit 5e1dcd35; their names stand in brackets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from app.clients.forge_http import (
    ForgeHttp,
    JsonObject,
    MissingRoute,
    decoded,
    json_object,
    json_objects,
    well_formed,
)
from app.errors import UpstreamFailed

# Forge sends no byte until the picture is done; whether it still works is seen by its progress.
_RESCAN_TIMEOUT = aiohttp.ClientTimeout(total=600, connect=5)
_GENERATION_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=10)


@dataclass(frozen=True)
class Generated:
    """What a generation gave: the pictures' bytes as Forge made them, and its `info` object."""

    images: Sequence[bytes] = field(repr=False)
    info: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class TaskProgress:
    """Forge's answer about one task id [progress/02].

    `fraction` in [0, 1] and `eta_s` are None while it does not run. `preview` holds the bytes of
    a new preview picture, None when there is none newer than the one asked about.
    """

    active: bool
    queued: bool
    completed: bool
    fraction: float | None
    eta_s: float | None
    preview_id: int
    preview: bytes | None = field(repr=False)


@dataclass(frozen=True)
class GlobalProgress:
    """Forge's answer about whatever runs [progress/02]; it does not tell whose it is.

    `job_count` is 0 when idle and -1 while a checkpoint loads. `begun_at` is when what runs, or ran
    last, began: text, to the second, by Forge's clock.
    """

    fraction: float
    eta_s: float
    job_count: int
    job_number: int
    step: int
    steps: int
    begun_at: str
    preview: bytes | None = field(repr=False)


@dataclass(frozen=True)
class GpuMemory:
    """The GPU's memory. `allocated_bytes` is what Forge itself holds in use."""

    free_bytes: int
    total_bytes: int
    allocated_bytes: int


class ForgeClient:
    """One Forge. Every method raises `UpstreamUnavailable` when nothing answers there, and
    `UpstreamFailed` when the answer is an error, nonsense, or breaks off."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        api_url: str,
        root_url: str,
        auth: str | None = None,
    ):
        """`api_url` ends in `/sdapi/v1`, `root_url` is the origin, `auth` is `user:password`."""
        self._http = ForgeHttp(session, auth=auth)
        self._api_url = api_url
        self._root_url = root_url

    async def options(self) -> JsonObject:
        """All options, about 330 keys [get/options]."""
        return json_object(await self._get("/options"))

    async def checkpoints(self) -> list[JsonObject]:
        """`[{title, model_name, hash, sha256, filename, config}]` [get/sd-models_all_hashed]."""
        return json_objects(await self._get("/sd-models"))

    async def modules(self) -> list[JsonObject]:
        """`[{model_name, filename}]`: VAEs and text encoders [get/sd-modules]."""
        return json_objects(await self._get("/sd-modules"))

    async def samplers(self) -> list[JsonObject]:
        """`[{name, aliases, options}]` [get/samplers]."""
        return json_objects(await self._get("/samplers"))

    async def schedulers(self) -> list[JsonObject]:
        """`[{name, label, ...}]` [get/schedulers]."""
        return json_objects(await self._get("/schedulers"))

    async def upscalers(self) -> list[JsonObject]:
        """`[{name, model_name, model_path, model_url, scale}]` [get/upscalers]."""
        return json_objects(await self._get("/upscalers"))

    async def loras(self) -> list[JsonObject]:
        """`[{name, alias, path, metadata}]` [get/loras]."""
        return json_objects(await self._get("/loras"))

    async def embeddings(self) -> list[str]:
        """Names of the loaded ones [get/embeddings]."""
        loaded = json_object(await self._get("/embeddings")).get("loaded")
        return [str(name) for name in json_object(loaded)]

    async def rescan(self) -> None:
        """Makes Forge look for new checkpoints, embeddings and LoRAs on its disk.

        The first two wait until a running generation is done (README, section 2), hence the
        patience. A fork may lack one of them.
        """
        failed: UpstreamFailed | None = None
        for path in ("/refresh-loras", "/refresh-checkpoints", "/refresh-embeddings"):
            try:
                await self._http.request("POST", self._api_url + path, timeout=_RESCAN_TIMEOUT)
            except MissingRoute:
                pass
            except UpstreamFailed as error:  # of one extension, say: the others shall look
                failed = error
        if failed is not None:
            raise failed

    async def interrupt(self) -> None:
        """Stops whatever runs now before its next step; without effect while idle."""
        await self._http.request("POST", self._api_url + "/interrupt")

    async def unload(self) -> None:
        """Frees the GPU's memory; the checkpoint stays selected and the next run just works.

        Never while something runs: it would pull the weights away under it (README, section 5).
        """
        await self._http.request("POST", self._api_url + "/unload-checkpoint")

    async def gpu_memory(self) -> GpuMemory | None:
        """What the GPU's memory looks like; None for a Forge without CUDA [get/memory].

        With CUDA: Forge `modules/api/api.py`, `get_memory`.
        """
        cuda = json_object(json_object(await self._get("/memory")).get("cuda"))
        if "error" in cuda:
            return None
        with well_formed():
            return GpuMemory(
                free_bytes=int(cuda["system"]["free"]),
                total_bytes=int(cuda["system"]["total"]),
                allocated_bytes=int(cuda["allocated"]["current"]),
            )

    async def progress(self, *, preview: bool = False) -> GlobalProgress:
        """What runs now, whoever started it."""
        path = "/progress" if preview else "/progress?skip_current_image=true"
        answer = json_object(await self._get(path))
        with well_formed():
            state = answer["state"]
            return GlobalProgress(
                fraction=float(answer["progress"]),
                eta_s=float(answer["eta_relative"]),
                job_count=int(state["job_count"]),
                job_number=int(state["job_no"]),
                step=int(state["sampling_step"]),
                steps=int(state["sampling_steps"]),
                begun_at=str(state["job_timestamp"]),
                preview=await decoded(answer.get("current_image")),
            )

    async def task_progress(self, task_id: str, *, preview_id: int = -1) -> TaskProgress:
        """What became of the task `task_id`.

        `preview_id` is the last preview that the caller has. Raises `MissingRoute` when Forge runs
        with `--nowebui` [nowebui/internal-progress].
        """
        body = {"id_task": task_id, "id_live_preview": preview_id, "live_preview": True}
        url = self._root_url + "/internal/progress"
        answer = json_object(await self._http.request("POST", url, body=body))
        with well_formed():
            fraction, eta_s = answer["progress"], answer["eta"]
            return TaskProgress(
                active=bool(answer["active"]),
                queued=bool(answer["queued"]),
                completed=bool(answer["completed"]),
                fraction=None if fraction is None else float(fraction),
                eta_s=None if eta_s is None else float(eta_s),
                preview_id=int(answer["id_live_preview"]),
                preview=await decoded(answer.get("live_preview")),
            )

    async def txt2img(self, payload: Mapping[str, Any]) -> Generated:
        """Makes pictures; returns when they are done. Nothing is read from Forge before that.

        Cancelling the call does not stop Forge (it ignores disconnects); use `interrupt`.
        """
        return await self._generated("/txt2img", payload)

    async def img2img(self, payload: Mapping[str, Any]) -> Generated:
        """As `txt2img`, from a picture."""
        return await self._generated("/img2img", payload)

    async def _generated(self, path: str, payload: Mapping[str, Any]) -> Generated:
        answer = json_object(
            await self._http.request(
                "POST", self._api_url + path, body=payload, timeout=_GENERATION_TIMEOUT
            )
        )
        with well_formed():
            info = orjson.loads(answer["info"])
            if not isinstance(info, dict):
                raise TypeError("info is not an object")
            images = [await decoded(image) for image in answer["images"]]
        return Generated([image for image in images if image is not None], info)

    async def _get(self, path: str) -> object:
        return await self._http.request("GET", self._api_url + path)
