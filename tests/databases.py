"""Databases for tests: SQLite files and a private MariaDB server. Knows no table."""

import asyncio
import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from uuid import uuid4

from app.setting_types import DatabaseLocation

MODEL_MODULES = (
    "app.accounts.models",
    "app.jobs.models",
    "app.generation.models",
    "app.library.models",
)
# Below the ports that Linux, macOS and Windows hand out; each of up to 16 workers has its own.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS_PORTS = range(10_000 + _WORKER % 16, 32_768, 16)
_PORTS = cycle(random.sample(_WORKERS_PORTS, len(_WORKERS_PORTS)))
MARIADB_PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb")

# Debian keeps the server in a folder that is not in every user's PATH.
_PATH = ":".join(("/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin", "/bin"))
_FAST = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=16M",
    "--innodb-fast-shutdown=2",
    "--performance-schema=0",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--lock-wait-timeout=20",
)


def missing_mariadb() -> str | None:
    """What to install when there is no MariaDB server on this machine."""
    missing = [name for name in MARIADB_PROGRAMS if shutil.which(name, path=_PATH) is None]
    return f"{missing[0]} not found: apt install mariadb-server" if missing else None


class PrivateMariadb:
    """A MariaDB server of our own: own folder, socket and port, user `root` without password."""

    def __init__(self, options: Sequence[str] = _FAST) -> None:
        """`options` of the server are read at each start."""
        self.options = options
        # Short, because the path of a socket may have 107 bytes only.
        self.folder = Path(tempfile.mkdtemp(prefix="navigator-mariadb-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the server, on the same folder and port each time, and waits until it answers."""
        if not self._data.exists():
            self._install()
        command = [
            *self._ending_with_us(),
            *(_program("mariadbd"), "--no-defaults", *self._as_user()),
            *(*self._folders, f"--socket={self.folder / 'socket'}"),
            *(f"--pid-file={self.folder / 'pid'}", f"--port={self.port}"),
            *("--bind-address=127.0.0.1", *self.options),
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError((self.folder / "log").read_text()[-4000:])
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends the server and waits for its end. It can be started again."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Ends the server and removes its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def location(self, name: str | None = None) -> DatabaseLocation:
        """The database `name`, or one that no other test has."""
        return DatabaseLocation(
            "mysql",
            host="127.0.0.1",
            port=self.port,
            user="root",
            name=name or f"test_{uuid4().hex}",
        )

    def sql(self, statements: str, *, database: str = "") -> str:
        """What the client `mariadb` prints for the statements: a line a row, columns by tab."""
        return _output(
            *("mariadb", "--no-defaults", f"--socket={self.folder / 'socket'}", "--user=root"),
            *("--batch", "--skip-column-names", "--default-character-set=utf8mb4"),
            *([database] if database else []),
            statements=statements,
        )

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _folders(self) -> tuple[str, str]:
        # A server that starts removes the temporary tables of others in a folder that they share.
        return (f"--datadir={self._data}", f"--tmpdir={self.folder}")

    def _install(self) -> None:
        _output(
            *("mariadb-install-db", "--no-defaults", *self._folders, *self._as_user()),
            *("--auth-root-authentication-method=normal", "--skip-test-db"),
            "--innodb-log-file-size=16M",
        )

    def _answers(self) -> bool:
        # By the socket in our folder, which nobody else's server has. It listens after the port.
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self.folder / "socket"))
                return bool(connection.recv(1))
        except OSError:
            return False

    @staticmethod
    def _as_user() -> list[str]:
        return ["--user=root"] if os.geteuid() == 0 else []

    @staticmethod
    def _ending_with_us() -> list[str]:
        # Our own ending is enough unless we are killed; this one is done by the kernel.
        setpriv = shutil.which("setpriv")
        return [] if setpriv is None else [setpriv, "--pdeathsig", "KILL", "--"]


def _program(name: str) -> str:
    path = shutil.which(name, path=_PATH)
    if path is None:
        raise RuntimeError(f"{name} not found")
    return path


def _output(program: str, *arguments: str, statements: str = "") -> str:
    done = subprocess.run(
        [_program(program), *arguments],
        input=statements,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")
    return done.stdout


def free_port() -> int:
    """A port of the loopback address where nobody listens.

    No other process of the same test run is given it, and no system gives it to whoever asks for
    any port.
    """
    while True:
        port = next(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


async def python(code: str, *arguments: str) -> str:
    """What a new Python process prints for `code`; raises RuntimeError when it fails."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-c", code, *arguments),
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    printed, errors = await child.communicate()
    if child.returncode != 0:
        raise RuntimeError(errors.decode())
    return printed.decode()


def url_of(location: DatabaseLocation) -> str:
    """The setting `DB_URL` that names `location`, for a process of its own."""
    if location.dialect == "sqlite":
        return f"sqlite://{location.path}"
    return f"mysql://{location.user}@{location.host}:{location.port}/{location.name}"
