"""Runs Forge and Navigator together: joins everything, takes commands, gives snapshots."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp

from launcher.control import Refused, listening
from launcher.doctor import Doctor
from launcher.forge import Forge
from launcher.forge_plan import planned
from launcher.forge_probe import ForgeProbe
from launcher.keep_awake import KeepAwake
from launcher.left_behind import end_what_is_left
from launcher.navigator import Navigator, run_once
from launcher.navigator_api import NavigatorApi, NavigatorStatus
from launcher.output import Output
from launcher.program import Program
from launcher.record import RecordFile
from launcher.service import Service
from launcher.service_state import ServiceState
from launcher.settings import ForgeAddress, LauncherSettings
from launcher.simulated_forge import SimulatedForge
from launcher.snapshot import Snapshot

log = logging.getLogger(__name__)

FOLDER = "launcher"
_FORGE, _NAVIGATOR = "forge", "navigator"

Echo = Callable[[str, str], None]


class Controller:
    """Both services. Everything but `running` returns at once."""

    def __init__(
        self,
        settings: LauncherSettings,
        environ: Mapping[str, str],
        *,
        options: Sequence[str] = (),
        echo: Echo = lambda _, __: None,
        keep_awake: KeepAwake | None = None,
        is_headless: bool = True,
        is_lan: bool = False,
    ):
        """`options` are of `navigator serve`; `echo` hears each line of a service, by its name.

        Headless, `run` ends when Navigator is given up, and the command line reaches us. With
        `is_lan` others can reach Navigator."""
        self._settings = settings
        self._environ = environ
        self._options = options
        self._echo = echo
        self._keep_awake = keep_awake or KeepAwake()
        self._token = secrets.token_urlsafe(32)
        self._status: NavigatorStatus | None = None
        self._is_headless = is_headless
        self._is_lan = is_lan
        self._share_starts = 0
        self._stopping = asyncio.Event()
        self.ends_all: Callable[[], None] = self.stop  # for whoever adds something around us
        self.on_show: Callable[[], None] = lambda: None  # somebody has started us once more
        self.started = asyncio.Event()  # from then on there are snapshots
        self._changed = asyncio.Event()

    @property
    def folder(self) -> Path:
        """What the launcher keeps for itself."""
        return self._settings.data_dir / FOLDER

    @property
    def log_dir(self) -> Path:
        """Where all logs are."""
        return self._settings.log_dir

    @property
    def api(self) -> NavigatorApi:
        """Navigator's admin API, with the launcher's token."""
        return self._api

    def stop(self) -> None:
        """Ends both, and us."""
        self._stopping.set()

    @property
    def session(self) -> aiohttp.ClientSession:
        """For questions to others."""
        return self._session

    @property
    def is_shared(self) -> bool:
        """Whether Navigator listens where others can reach it, or will when it is started."""
        return self._is_lan or self._settings.is_shared or "--lan" in self._options

    @property
    def is_shared_by_settings(self) -> bool:
        """Whether it does whatever `share` says."""
        return self._settings.is_shared or "--lan" in self._options

    def hide(self, secrets: Sequence[str]) -> None:
        """From now on these do not get into the logs of the services."""
        for output in self._outputs.values():
            output.secrets = (*secrets, self._token, *self._plan.address.secrets)

    def reload(self, settings: LauncherSettings) -> None:
        """Takes settings that were read anew, as far as nothing has to begin anew for them."""
        self._settings = settings
        self.hide(settings.secrets)

    def share(self, with_others: bool) -> None:
        """Starts Navigator again where others can reach it, or not."""
        self._is_lan = with_others
        self._share_starts = self._navigator.snapshot.starts
        self._navigator.restart()

    def ready_url(self) -> str | None:
        """Navigator's own address, once it answers since the last `share`."""
        shown = self._navigator.snapshot
        is_new = shown.starts > self._share_starts
        return self._api.url if is_new and shown.state is ServiceState.RUNNING else None

    async def run_navigator(self, *arguments: str) -> tuple[int, str]:
        """Runs `navigator` with these arguments; its exit code, and what it said last."""
        data_dir = f"--data-dir={self._settings.data_dir}"
        return await asyncio.to_thread(run_once, (*arguments, data_dir), self._environ)

    def start_service(self, name: str) -> None:
        """Starts Forge or Navigator, whatever became of it before."""
        self._services[name].start()

    def stop_service(self, name: str) -> None:
        """Ends Forge or Navigator."""
        self._services[name].stop()

    def restart_service(self, name: str) -> None:
        """Ends Forge or Navigator, and starts it again."""
        self._services[name].restart()

    def snapshot(self) -> Snapshot:
        """How things are now."""
        return Snapshot(
            forge=self._forge.snapshot,
            navigator=self._navigator.snapshot,
            status=self._status,
            treatments=self._doctor.treatments,
            url=self._api.url if self._navigator.state is ServiceState.RUNNING else None,
            forge_url=self._plan.address.url,
            keeps_awake=self._keep_awake.is_holding,
            notice=self._plan.notice,
        )

    async def run(self) -> int:
        """Runs both until `stop`, or until Navigator is given up; gives our exit code."""
        async with self._running():
            while not self._stopping.is_set():
                self._changed.clear()
                if self._navigator.state is ServiceState.FAILED and self._is_headless:
                    break
                await self._until_something_happens()
            failed = self._navigator.snapshot
        if failed.state is not ServiceState.FAILED:
            return 0
        return failed.exit_code if failed.exit_code == 78 else 1

    @contextlib.asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            if self._is_headless:  # first, so that it hears us while we begin and end
                await stack.enter_async_context(listening(self.folder, self.command))
            session = await stack.enter_async_context(aiohttp.ClientSession())
            self._session = session
            records = {name: RecordFile(self.folder / f"{name}.json") for name in
                       (_FORGE, _NAVIGATOR)}  # fmt: skip
            await asyncio.to_thread(end_what_is_left, records, first=_NAVIGATOR)
            self._plan = await planned(session, self._settings, self._environ)
            if self._plan.notice is not None:
                log.warning("%s", self._plan.notice)
            probe = ForgeProbe(session, self._plan.address)
            outputs = self._outputs = {
                _FORGE: self._output(_FORGE, _FORGE, stack),
                # Navigator keeps a log of its own, navigator.log.
                _NAVIGATOR: self._output(_NAVIGATOR, "navigator-output", stack),
            }
            self._api = NavigatorApi(session, self._settings.data_dir, self._token)
            lines = outputs[_FORGE].lines
            forge: Program = (
                SimulatedForge(probe, self._environ, lines)
                if self._settings.is_simulated
                else Forge(
                    probe,
                    self._plan.folder,
                    self._environ,
                    lines,
                    silence_s=self._settings.forge_silence_s,
                    has_own_login=self._settings.forge_auth is not None,
                    moved=self._forge_moved,
                )
            )
            server = Navigator(
                self._api,
                self._settings.data_dir,
                self._environ,
                token=self._token,
                forge_settings=self._forge_settings,
                options=self._navigator_options,
            )
            programs: tuple[tuple[str, Program], ...] = ((_FORGE, forge), (_NAVIGATOR, server))
            self._forge, self._navigator = (
                Service(
                    program,
                    outputs[name],
                    records[name],
                    policy=self._settings.policy,
                    changed=self._changed.set,
                )
                for name, program in programs
            )
            self._services = {_FORGE: self._forge, _NAVIGATOR: self._navigator}
            self._doctor = Doctor(
                self._forge,
                self._api,
                probe.answers,
                draws=probe.draws,
                ram_limit_bytes=self._settings.forge_ram_limit_bytes,
                saw=self._saw,
            )
            stack.push_async_callback(self._keep_awake.want, False)
            # Navigator ends before Forge, so that the running job goes back to the queue.
            for service in (self._forge, self._navigator):
                service.start()
                await stack.enter_async_context(service.supervised())
            await stack.enter_async_context(self._doctor.on_duty())
            self.started.set()
            yield

    async def _until_something_happens(self) -> None:
        tasks = [asyncio.create_task(event.wait()) for event in (self._changed, self._stopping)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()

    async def command(self, asked: dict[str, Any]) -> Any:
        """What the command line wants. Raises `Refused`."""
        if not self.started.is_set() and asked.get("command") != "stop":
            raise Refused("The launcher is just starting.")
        match asked.get("command"):
            case "status" | "show" as name:
                if name == "show":
                    self.on_show()
                shown = self.snapshot()
                return {"text": shown.as_text(), "json": shown.as_json()}
            case "stop":
                self.ends_all()
                return None
            case "restart" if asked.get("service") in self._services:
                if self._services[asked["service"]].snapshot.is_foreign:
                    raise Refused("Forge was started by somebody else; restart it there.")
                self.restart_service(asked["service"])
                return None
        raise Refused("The running launcher does not know this command.")

    def _forge_moved(self, address: ForgeAddress) -> None:
        """Its owner has changed its login, which Navigator needs, too."""
        self._plan = replace(self._plan, address=address)
        self.hide(self._settings.secrets)
        self._navigator.restart()

    def _navigator_options(self) -> list[str]:
        added = ["--lan"] if self._is_lan and "--lan" not in self._options else []
        return [*self._options, *added]

    def _forge_settings(self) -> dict[str, str]:
        """What Navigator has to know of Forge."""
        address = self._plan.address
        if not address.is_here:
            return {}
        told = {"SD_API_HOST": f"{address.url}/sdapi/v1", "SD_API_BASE": address.url}
        return told | ({"SD_API_AUTH": address.auth} if address.auth else {})

    def _output(self, service: str, name: str, stack: contextlib.AsyncExitStack) -> Output:
        output = Output(
            name,
            self._settings.log_dir,
            secrets=(*self._settings.secrets, self._token, *self._plan.address.secrets),
            echo=lambda line: self._echo(service, line),
        )
        stack.callback(output.close)
        return output

    async def _saw(self, status: NavigatorStatus | None) -> None:
        self._status = status
        await self._keep_awake.want(status is not None and status.has_work)
