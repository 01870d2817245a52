"""What a person can want, from the menu or a notification. Only data."""

from dataclasses import dataclass

FORGE, NAVIGATOR = "forge", "navigator"


@dataclass(frozen=True)
class OpenCompass:
    """Show Compass, or our own page, in the browser, with its owner logged in."""


@dataclass(frozen=True)
class CopyAddress:
    """Put the address that friends need on the clipboard."""

    url: str


@dataclass(frozen=True)
class Invite:
    """Show the page with a link and its QR code."""


@dataclass(frozen=True)
class Approve:
    """Let a friend in who waits."""

    user_id: str


@dataclass(frozen=True)
class Deny:
    """Refuse a friend who waits."""

    user_id: str


@dataclass(frozen=True)
class Disable:
    """Shut a user out."""

    user_id: str


@dataclass(frozen=True)
class PauseQueue:
    """Start no more jobs, for so many minutes or until it is resumed."""

    minutes: float | None = None


@dataclass(frozen=True)
class ResumeQueue:
    """Start jobs again, now."""


@dataclass(frozen=True)
class CancelJob:
    """Stop the job that runs."""

    job_id: str


@dataclass(frozen=True)
class FreeGpu:
    """Pause, and free the GPU once the running job has ended."""

    minutes: float | None = None


@dataclass(frozen=True)
class Share:
    """Let other machines reach Navigator, or not."""

    with_others: bool


@dataclass(frozen=True)
class KeepSharing:
    """Sharing works: it does not go back by itself."""


@dataclass(frozen=True)
class Start:
    """Start Forge or Navigator."""

    service: str


@dataclass(frozen=True)
class Stop:
    """End Forge or Navigator."""

    service: str


@dataclass(frozen=True)
class Restart:
    """End Forge or Navigator and start it again."""

    service: str


@dataclass(frozen=True)
class OpenLog:
    """Show the log of Forge, Navigator or the launcher."""

    name: str


@dataclass(frozen=True)
class OpenSettings:
    """Show the page with all settings."""


@dataclass(frozen=True)
class BeginAnew:
    """Read the settings again, which were impossible, and start with them."""


@dataclass(frozen=True)
class ProveSharing:
    """Find out whether friends can reach what is shared already."""


@dataclass(frozen=True)
class InstallCompass:
    """Get the web client that friends use."""


@dataclass(frozen=True)
class OpenFirstRun:
    """Show the page of the first run, for the first time or again."""


@dataclass(frozen=True)
class StartAtLogin:
    """Start with the session of this user, or not."""

    wanted: bool


@dataclass(frozen=True)
class Quit:
    """End everything. `is_sure`: also while jobs run."""

    is_sure: bool = False


Command = (
    OpenCompass
    | CopyAddress
    | Invite
    | Approve
    | Deny
    | Disable
    | PauseQueue
    | ResumeQueue
    | CancelJob
    | FreeGpu
    | Share
    | KeepSharing
    | Start
    | Stop
    | Restart
    | OpenLog
    | OpenSettings
    | BeginAnew
    | StartAtLogin
    | OpenFirstRun
    | ProveSharing
    | InstallCompass
    | Quit
)
