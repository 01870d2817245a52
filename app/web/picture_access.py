"""Who may see a picture: whoever has its link; with `PUBLIC_IMAGE_LINKS` off, who logged in."""

from app.accounts.accounts import Accounts
from app.accounts.roles import Role
from app.errors import NotAuthenticated
from app.setting_types import Networks
from app.web import session_cookie
from app.web.address import client_address
from app.web.asgi import Scope, header

# The access rule of such a route, as it is declared and documented.
PICTURE = "PICTURE"
# No copy may outlive a login, and none is for others; asking again costs a 304.
PROTECTED_CACHE_CONTROL = "private, no-cache"


class PictureAccess:
    """Decides it. Any user who is let in may see every picture whose id they know.

    A browser sends no header for the pictures of a page, so there the cookie of a login counts.
    That opens nothing to pages of others. `Access-Control-Allow-Origin: *` lets no page read what
    was answered to a request with cookies, and a request without them gets nothing here; and the
    cookie is `SameSite=Lax`, so pages of other sites do not even get the picture shown.
    """

    def __init__(self, accounts: Accounts, *, public: bool, trusted_proxies: Networks):
        """With `public` links nobody is asked for anything."""
        self.is_public = public
        self._accounts = accounts
        self._trusted_proxies = trusted_proxies

    async def check(self, scope: Scope) -> None:
        """Raises `NotAuthenticated`, `NotApproved` or `Throttled` to who may not see pictures."""
        if self.is_public:
            return
        given = header(scope, b"authorization")
        token = session_cookie.token_of(scope) if given is None else None
        if given is not None:
            address = client_address(scope, self._trusted_proxies)
            caller = await self._accounts.authenticate(given, address=address)
        elif token is not None:
            caller = await self._accounts.authenticate_token(token)
        else:
            raise NotAuthenticated("Unauthorized")
        caller.require(Role.APPRENTICE)
