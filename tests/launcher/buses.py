"""D-Bus buses of a test's own."""

import contextlib
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

from tests.launcher.children import listens
from tests.waiting import until

_BUS = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>{kind}</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""


@contextlib.asynccontextmanager
async def private_bus(folder: Path, kind: str = "session") -> AsyncIterator[str]:
    """The address of a bus, of kind `session` or `system`, that ends with the block."""
    path, settings = folder / kind, folder / f"{kind}.conf"
    settings.write_text(_BUS.format(path=path, kind=kind))
    daemon = subprocess.Popen(
        ["dbus-daemon", f"--config-file={settings}", "--nofork"], stderr=subprocess.DEVNULL
    )
    try:
        await until(lambda: listens(path))
        yield f"unix:path={path}"
    finally:
        daemon.terminate()
        daemon.wait()
