"""An API that gives prepared answers, to test what our commands make of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.cli.admin_api import AdminApi


@dataclass
class Answers:
    """Answers by method and path with query; what is not there is `USER_NOT_FOUND`."""

    prepared: Mapping[str, Any]
    asked: list[str] = field(default_factory=list)

    @property
    def api(self) -> AdminApi:
        """The API that gives them."""
        return AdminApi(self._send, "the token")

    async def _send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        assert headers["Authorization"] == "the token"
        asked = f"{method} {target}"
        self.asked.append(f"{asked} {body.decode()}".strip())
        found = self.prepared.get(asked)
        if found is None:
            error = {"error": "There is no such user.", "error_code": "USER_NOT_FOUND"}
            return 404, json.dumps(error).encode()
        return 200, found if isinstance(found, bytes) else json.dumps(found).encode()
