"""The HTTP routes of a simulated Forge: reads a request, asks the parts, writes the answer."""

import asyncio
from collections.abc import Awaitable, Callable

import orjson
from aiohttp import web

from app.simulator import builtin_lists, generation, progress, schema
from app.simulator.errors import ConnectionDropped, ForgeError, response_validation_failed
from app.simulator.forge import Forge
from app.simulator.infotext_parser import png_info
from app.simulator.loader import CHECKPOINT, MODULES, Listed

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Recorder = Callable[[str, object, int], None]

API = "/sdapi/v1"
OPEN_PATHS = frozenset({f"{API}/loras", f"{API}/refresh-loras"})
"""Routes of extensions: `--api-auth` does not cover them (recording `auth/loras_*`)."""


def answer(body: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")


class Routes:
    """The handlers, bound to one Forge. `record` is told of each generation request."""

    def __init__(self, forge: Forge, record: Recorder) -> None:
        self._forge = forge
        self._record = record
        self._runs: set[asyncio.Task[None]] = set()

    def table(self) -> list[web.RouteDef]:
        get: dict[str, Handler] = {
            f"{API}/options": self.get_options,
            f"{API}/cmd-flags": self.get_cmd_flags,
            f"{API}/progress": self.get_progress,
            f"{API}/memory": self.get_memory,
        }
        lists: dict[str, Callable[[], object]] = {
            "sd-models": lambda: [each.shown() for each in self._listed.checkpoints],
            "sd-modules": lambda: [each.shown() for each in self._listed.modules],
            "loras": lambda: [each.shown() for each in self._listed.loras],
            "embeddings": self._embeddings,
            "samplers": lambda: self._forge.disk.samplers,
            "schedulers": lambda: self._forge.disk.schedulers,
            "upscalers": lambda: self._forge.disk.upscalers,
            "latent-upscale-modes": lambda: [
                {"name": name} for name in builtin_lists.LATENT_UPSCALE_MODES
            ],
            "scripts": builtin_lists.scripts,
        }
        get |= {f"{API}/{name}": _shows(make) for name, make in lists.items()}
        post: dict[str, Handler] = {
            f"{API}/txt2img": self.post_txt2img,
            f"{API}/img2img": self.post_img2img,
            f"{API}/png-info": self.post_png_info,
            f"{API}/options": self.post_options,
            f"{API}/interrupt": self.post_interrupt,
            f"{API}/skip": self.post_skip,
            f"{API}/refresh-checkpoints": self.post_refresh_checkpoints,
            f"{API}/refresh-vae": self.post_refresh_vae,
            f"{API}/refresh-embeddings": self.post_refresh_embeddings,
            f"{API}/refresh-loras": self.post_refresh_loras,
            f"{API}/unload-checkpoint": self.post_unload,
            f"{API}/reload-checkpoint": _shows(dict),
        }
        if self._forge.settings.ui:
            get["/internal/pending-tasks"] = self.get_pending_tasks
            get["/internal/ping"] = _shows(dict)
            get["/"] = self.get_page
            post["/internal/progress"] = self.post_task_progress
        return [
            *(web.get(path, handler, allow_head=False) for path, handler in get.items()),
            *(web.post(path, handler) for path, handler in post.items()),
        ]

    @property
    def _listed(self) -> Listed:
        return self._forge.loader.listed

    def _embeddings(self) -> object:
        return {
            "loaded": {each.name: each.shown() for each in self._listed.embeddings},
            "skipped": {},
        }

    async def get_page(self, request: web.Request) -> web.Response:
        page = "<!doctype html><title>Stable Diffusion</title><p>A simulated Forge.</p>"
        return web.Response(text=page, content_type="text/html")

    async def get_options(self, request: web.Request) -> web.Response:
        return answer(self._forge.options.shown())

    async def post_options(self, request: web.Request) -> web.Response:
        changes = schema.validate_dict(await _body(request))
        options, loader = self._forge.options, self._forge.loader
        options.check_keys(list(changes))
        for key, value in changes.items():
            if key == CHECKPOINT:
                loader.require(value)
            options.save(key, loader.module_paths(value) if key == MODULES else value)
        if CHECKPOINT in changes or MODULES in changes:
            loader.refresh_wanted()
        return answer(None)

    async def get_cmd_flags(self, request: web.Request) -> web.Response:
        settings = self._forge.settings
        flags = {
            "api": True,
            "nowebui": not settings.ui,
            "api_auth": settings.api_auth,
            "port": None,
            "listen": False,
            "server_name": None,
            "subpath": None,
            "data_dir": "/forge",
            "models_dir": None,
            "ckpt": "/forge/model.ckpt",
            "ckpt_dir": None,
            "vae_dir": None,
            "text_encoder_dir": None,
            "embeddings_dir": "/forge/embeddings",
            "lora_dir": "/forge/models/Lora",
            "hypernetwork_dir": "/forge/models/hypernetworks",
            "always_cpu": True,
            "api_log": False,
            "api_server_stop": False,
            "timeout_keep_alive": 30,
            "no_hashing": False,
            "ui_settings_file": "/forge/config.json",
            "tls_keyfile": None,
            "skip_prepare_environment": True,
        }
        if settings.port_flag:
            message = "Input should be a valid string"
            raise response_validation_failed("port", "string_type", message, 7860)
        return answer(flags)

    async def get_memory(self, request: web.Request) -> web.Response:
        total, idle, loaded = 25276510208, 705130496, 7907151872
        used = idle + (loaded if self._forge.loader.model else 0)
        ram = {"free": float(total - used), "used": used, "total": float(total)}
        return answer({"ram": ram, "cuda": self._cuda()})

    def _cuda(self) -> object:
        """Not recorded, but from Forge's `modules/api/api.py`, `get_memory`; shortened."""
        size = self._forge.settings.gpu_memory_bytes
        if not size:
            return {"error": "unavailable"}
        held = int(size * 0.6) if self._forge.loader.is_on_gpu else 8519680
        system = {"free": size - held, "used": held, "total": size}
        return {"system": system, "allocated": {"current": held, "peak": held}}

    async def get_progress(self, request: web.Request) -> web.Response:
        skip = request.query.get("skip_current_image", "").lower() in ("true", "1", "yes", "on")
        return answer(await progress.overall(self._forge, skip_image=skip))

    async def post_task_progress(self, request: web.Request) -> web.Response:
        asked = schema.validate(schema.TaskProgress, await _body(request))
        return answer(await progress.of_task(self._forge, asked))

    async def get_pending_tasks(self, request: web.Request) -> web.Response:
        waiting = list(self._forge.tasks.pending)
        return answer({"size": len(waiting), "tasks": waiting})

    async def post_interrupt(self, request: web.Request) -> web.Response:
        self._forge.interrupted_tasks.append(self._forge.tasks.current)
        self._forge.state.interrupted = True
        return answer({})

    async def post_unload(self, request: web.Request) -> web.Response:
        """Does not wait for a run. The model stays in memory and selected, only not on the GPU."""
        if self._forge.state.job_count != 0:
            self._forge.unloads_during.append(self._forge.tasks.current or "")
        self._forge.loader.is_on_gpu = False
        return answer({})

    async def post_skip(self, request: web.Request) -> web.Response:
        self._forge.state.skipped = True
        return answer(None)

    async def post_refresh_checkpoints(self, request: web.Request) -> web.Response:
        async with self._forge.lock:
            self._forge.loader.refresh_checkpoints()
        return answer(None)

    async def post_refresh_vae(self, request: web.Request) -> web.Response:
        # Does not rescan what sd-modules shows (recording post/sd-modules_after_refresh-vae).
        async with self._forge.lock:
            return answer(None)

    async def post_refresh_embeddings(self, request: web.Request) -> web.Response:
        async with self._forge.lock:
            self._listed.embeddings = Listed.scan(self._forge.disk).embeddings
        return answer(None)

    async def post_refresh_loras(self, request: web.Request) -> web.Response:
        self._listed.loras = Listed.scan(self._forge.disk).loras
        return answer(None)

    async def post_png_info(self, request: web.Request) -> web.Response:
        asked = schema.validate(schema.PngInfo, await _body(request))
        return answer(await self._forge.in_thread(png_info, asked.image, self._listed.loras))

    async def post_txt2img(self, request: web.Request) -> web.Response:
        return await self._generate(request, schema.Txt2Img)

    async def post_img2img(self, request: web.Request) -> web.Response:
        return await self._generate(request, schema.Img2Img)

    async def _generate(
        self, request: web.Request, kind: type[schema.Txt2Img] | type[schema.Img2Img]
    ) -> web.Response:
        raw = await request.read()
        body = schema.parse_body(raw, request.headers.get("Content-Type", ""))
        self._record(request.path, body, len(raw))
        asked = schema.validate(kind, body)
        # The run is a task of its own: Forge does not stop it when the client goes away.
        result: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        run = asyncio.create_task(self._run(request.path, asked, result))
        self._runs.add(run)
        run.add_done_callback(self._runs.discard)
        return web.Response(body=await result, content_type="application/json")

    async def _run(
        self, path: str, asked: schema.Generation, result: asyncio.Future[bytes]
    ) -> None:
        def drop() -> None:
            if not result.done():
                result.set_exception(ConnectionDropped())

        try:
            data = await generation.generate(self._forge, path, asked, drop)
        except ForgeError as error:
            if not result.done():
                result.set_exception(error)
        except asyncio.CancelledError:
            drop()
            raise
        else:
            if not result.done():
                result.set_result(data)

    async def stop_runs(self) -> None:
        """Ends all runs as the end of the process would; their connections are cut."""
        runs = list(self._runs)
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)


async def _body(request: web.Request) -> object:
    return schema.parse_body(await request.read(), request.headers.get("Content-Type", ""))


def _shows(make: Callable[[], object]) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        return answer(make())

    return handle
