"""Navigator's users, as far as the tray shows them and decides about them."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from launcher.navigator_api import NavigatorApi, NavigatorAway
from launcher.view import Friend

_SHOWN = 50
_OWNERS_ROLE = 4
_LINK_S = 600


@dataclass(frozen=True)
class Invitation:
    """A link that lets a friend in, and its QR code, an SVG document."""

    link: str = field(repr=False)
    qr_svg: str = field(repr=False)


class People:
    """Asks and tells Navigator. All of it raises `NavigatorAway`."""

    def __init__(self, api: NavigatorApi):
        self._api = api

    async def waiting(self) -> tuple[Friend, ...]:
        """Those who knock."""
        return await self._list("pending")

    async def users(self) -> tuple[Friend, ...]:
        """Those who are in, the newest first."""
        return await self._list("approved")

    async def decide(self, user_id: str, decision: str) -> Friend:
        """`approve`, `deny` or `disable` a user; who it was."""
        path = f"/api/admin/users/{quote(user_id, safe='')}/{decision}"
        return _friend(await self._api.ask("POST", path, {}))

    async def invite(self) -> Invitation:
        """A new link for one friend."""
        told = await self._api.ask("POST", "/api/admin/invitations", {})
        return Invitation(str(told.get("link")), str(told.get("qr_svg")))

    async def owners_code(self, known_id: str | None, name: str) -> tuple[str, str | None]:
        """A code that logs the owner of this machine in, and the id of the invitation it is of.

        `known_id` is their account, None if it is not made yet. Then the code makes it.
        """
        if known_id is not None:
            path = f"/api/admin/users/{quote(known_id, safe='')}/login-link"
            told = await self._api.ask("POST", path, {"expires_in_s": _LINK_S})
            return str(told["code"]), None
        wish = {"role": _OWNERS_ROLE, "name": name, "uses": 1, "expires_in_s": _LINK_S}
        told = await self._api.ask("POST", "/api/admin/invitations", wish)
        return str(told["code"]), str(told["id"])

    async def used(self, invitation_id: str) -> str | None:
        """The account that an invitation was used for; None if it was not."""
        log = await self._api.ask("GET", "/api/admin/audit?limit=100")
        for entry in log.get("entries", []):
            is_it = entry.get("details", {}).get("invitation") == invitation_id
            if entry.get("action") == "use-invitation" and is_it:
                return str(entry["subject"])
        return None

    async def _list(self, state: str) -> tuple[Friend, ...]:
        told = await self._api.ask("GET", f"/api/admin/users?state={state}&limit={_SHOWN}")
        try:
            return tuple(_friend(one) for one in told["users"])
        except (KeyError, TypeError) as error:
            raise NavigatorAway("Navigator's users cannot be understood.") from error


def _friend(told: dict[str, Any]) -> Friend:
    return Friend(str(told["id"]), str(told.get("name") or ""), told.get("knock_address"))
