"""The account of whoever owns this machine: made when it is first needed, and then the same."""

import asyncio
import getpass
import json
from pathlib import Path

from launcher.navigator_api import NavigatorRefuses
from launcher.people import People

_NAME = "owner.json"
_USER, _INVITATION = "user_id", "invitation_id"


class Owner:
    """Remembers the account in a file of the launcher's `folder`."""

    def __init__(self, folder: Path):
        self._file = folder / _NAME

    async def code(self, people: People) -> str:
        """A code that logs the owner in, once, within ten minutes. Raises `NavigatorAway`."""
        known = await asyncio.to_thread(self._read)
        if _USER not in known and _INVITATION in known:
            user_id = await people.used(known[_INVITATION])
            known |= {_USER: user_id} if user_id is not None else {}
        try:
            code, invitation_id = await people.owners_code(known.get(_USER), getpass.getuser())
        except NavigatorRefuses:  # the account was forgotten
            if _USER not in known:
                raise
            known = {}
            code, invitation_id = await people.owners_code(None, getpass.getuser())
        if invitation_id is not None:
            known[_INVITATION] = invitation_id
        await asyncio.to_thread(self._file.write_text, json.dumps(known), "utf-8")
        return code

    def _read(self) -> dict[str, str]:
        try:
            told = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        is_known = isinstance(told, dict) and all(isinstance(one, str) for one in told.values())
        return told if is_known else {}
