"""Routes are found whatever their case and with one slash at the end, as clients rely on.

Only the fixed parts of a route are brought into its spelling; ids stay as they are.
"""

import re
from collections.abc import Iterable

from app.web.asgi import App, Receive, Scope, Send

_PARAMETER = re.compile(r"<[^*>][^>]*>")
_REST = re.compile(r"<path:[^>]+>")
_ANY = "<>"  # where a route has a parameter
_ALL = "<*>"  # where it has one that takes all that follows


class CanonicalPaths:
    """Rewrites the path of a request into the spelling of the route that it means."""

    def __init__(self, app: App, rules: Iterable[str]):
        """`rules` are routes such as `/api/images/<image_id>/info`."""
        self._app = app
        self._routes = [
            tuple(_PARAMETER.sub(_ANY, _REST.sub(_ALL, rule)).split("/")) for rule in rules
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = str(scope["path"])
            if not path.startswith("/"):  # a target such as `foo`, at which the framework stumbles
                path = f"/{path}"
                scope = {**scope, "path": path, "raw_path": path.encode()}
            if path != "/" and (path.endswith("/") or path != path.lower()):
                scope = {**scope, "path": self.canonical(path)}
                scope["raw_path"] = scope["path"].encode()
        await self._app(scope, receive, send)

    def canonical(self, path: str) -> str:
        """`path` as its route is written; unchanged when there is no such route."""
        parts = path.removesuffix("/").split("/")
        for route in self._routes:
            rest = parts[len(route) - 1 :] if route[-1] == _ALL else []
            fixed_parts = (*route[:-1], *[_ANY] * len(rest)) if rest else route
            if len(fixed_parts) == len(parts) and all(
                part if fixed == _ANY else fixed == part.lower()
                for fixed, part in zip(fixed_parts[1:], parts[1:], strict=True)
            ):
                pairs = zip(fixed_parts, parts, strict=True)
                return "/".join(part if fixed == _ANY else fixed for fixed, part in pairs)
        return path
