"""The first run: what is asked, what holds if nothing is answered, and what is written. Pure.

The pages and the terminal ask the same.
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from launcher.forge_install import NoForge, read
from launcher.settings import SIMULATOR, LauncherSettings

_LONGEST = 500
_FORM = """
<h1>Welcome to Navigator</h1>
<p>Press Enter to take what is there. Everything can be changed later.</p>
<form method="post">
{forge}
<fieldset><legend>Who can use it</legend>{own}{lan}</fieldset>
<label class="choice">{compass}</label>
<details><summary>Keys, which nobody needs to begin</summary>
{civitai}{discord_id}{discord_secret}
</details>
<button autofocus>Start</button>
</form>
"""


@dataclass(frozen=True)
class Answers:
    """What the owner wants. `forge` is a folder, or `simulator` for one that only pretends.

    A secret that is not typed stays as it is.
    """

    forge: str
    is_shared: bool = False
    civitai_key: str = field(default="", repr=False)
    discord_id: str = ""
    discord_secret: str = field(default="", repr=False)
    installs_compass: bool = True

    def changes(self, told: Mapping[str, str]) -> dict[str, str | None]:
        """The settings that differ from what holds; None takes one out of the file."""
        wanted = {"FORGE_DIR": self.forge, "DISCORD_CLIENT_ID": self.discord_id}
        changes: dict[str, str | None] = {
            name: value or None
            for name, value in wanted.items()
            if value != told.get(name, "").strip()
        }
        secrets = {
            "CIVITAI_API_KEY": self.civitai_key,
            "DISCORD_CLIENT_SECRET": self.discord_secret,
        }
        return changes | {name: value for name, value in secrets.items() if value}


def is_known(settings: LauncherSettings) -> bool:
    """Whether there is nothing to ask: a Forge is named, or Navigator was used before."""
    is_named = settings.forge_dir is not None or settings.is_simulated
    return is_named or settings.env_file.exists()


def defaults(found: Path | None, told: Mapping[str, str], *, is_shared: bool) -> Answers:
    """What Enter alone means: what holds now, and a Forge that was found, or the simulator."""
    forge = told.get("FORGE_DIR", "").strip() or (str(found) if found is not None else SIMULATOR)
    return Answers(
        forge=forge,
        is_shared=is_shared,
        discord_id=told.get("DISCORD_CLIENT_ID", "").strip(),
    )


def answers_of(form: Mapping[str, str]) -> Answers:
    """Those of a form as a browser sends it."""

    def text(name: str) -> str:
        return form.get(name, "").strip()

    return Answers(
        forge=text("forge") or SIMULATOR,
        is_shared=text("sharing") == "lan",
        civitai_key=text("civitai_key"),
        discord_id=text("discord_id"),
        discord_secret=text("discord_secret"),
        installs_compass=text("compass") == "on",
    )


def problems(
    answers: Answers, environ: Mapping[str, str], told: Mapping[str, str]
) -> dict[str, str]:
    """What is wrong, by the name of the field. `told` are the settings of now. Reads the folder."""
    found: dict[str, str] = {}
    for name in ("forge", "civitai_key", "discord_id", "discord_secret"):
        value = getattr(answers, name)
        if len(value) > _LONGEST or not value.isprintable():
            found[name] = "This cannot be right."
    if answers.forge != SIMULATOR and "forge" not in found:
        try:
            _ = read(Path(answers.forge).expanduser(), environ).arguments
        except NoForge as error:
            found["forge"] = error.message
    if answers.discord_id and not answers.discord_id.isdecimal():
        found["discord_id"] = "The client id of a Discord application is a number."
    has_secret = bool(answers.discord_secret or told.get("DISCORD_CLIENT_SECRET", "").strip())
    if bool(answers.discord_id) != has_secret and (answers.discord_id or answers.discord_secret):
        found.setdefault("discord_secret", "Discord needs both, the client id and its secret.")
    return found


def form(
    answers: Answers,
    found: Mapping[str, str],
    told: Mapping[str, str],
    *,
    forge_was_found: bool,
) -> str:
    """The page that asks, as HTML. Whoever presses Enter takes what is there."""

    def secret(name: str, label: str, setting: str, hint: str = "") -> str:
        if told.get(setting, "").strip():
            hint = f"{hint} It is set; leave this empty to keep it."
        return line(name, label, "", "password", hint)

    def line(name: str, label: str, value: str, kind: str = "text", hint: str = "") -> str:
        trouble = (
            f'<strong role="alert">{html.escape(found[name])}</strong>' if name in found else ""
        )
        return (
            f'<label for="{name}">{label}</label><input id="{name}" name="{name}" type="{kind}"'
            f' value="{html.escape(value, quote=True)}" autocomplete="off">'
            f"<small>{hint}</small>{trouble}"
        )

    def choice(value: str, label: str, *, is_chosen: bool) -> str:
        checked = " checked" if is_chosen else ""
        return (
            f'<label class="choice"><input type="radio" name="sharing" value="{value}"{checked}>'
            f" {label}</label>"
        )

    hint = (
        "The folder that your Stable Diffusion WebUI Forge is in."
        if forge_was_found or answers.forge != SIMULATOR
        else "No Forge was found. Write its folder, or leave <code>simulator</code>: a Forge that"
        " only pretends, to try everything out."
    )
    checked = " checked" if answers.installs_compass else ""
    compass = f'<input type="checkbox" name="compass" value="on"{checked}>'
    return _FORM.format(
        forge=line("forge", "Forge", answers.forge, hint=hint),
        own=choice("own", "Only this computer, for now", is_chosen=not answers.is_shared),
        lan=choice("lan", "Friends in my network", is_chosen=answers.is_shared),
        compass=f"{compass} Install Compass, the web page for friends",
        civitai=secret("civitai_key", "CivitAI API key", "CIVITAI_API_KEY",
                       "To download models."),
        discord_id=line("discord_id", "Discord client id", answers.discord_id,
                        hint="So that friends can log in with Discord."),
        discord_secret=secret("discord_secret", "Discord client secret", "DISCORD_CLIENT_SECRET"),
    )  # fmt: skip
