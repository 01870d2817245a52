"""Reads bodies safely: whatever a client sends is a JSON object or a clear 400, never a 500."""

from typing import Any

import orjson
from quart import Request

from app.errors import InvalidInput


class NavigatorRequest(Request):
    """A request whose JSON is parsed by orjson.

    It refuses lone surrogates, NaN and deep nesting, where the standard library's parser accepts
    the first two and overflows the stack at the third.
    """

    async def get_json(
        self,
        force: bool = False,
        silent: bool = False,
        cache: bool = True,
    ) -> Any:
        """The body as an object; `{}` when its content type is not JSON, as recorded.

        Raises `InvalidInput` when it is not an object.
        """
        content = await self.get_data(cache=True)
        if not self.is_json or not content.strip():
            return {}
        try:
            body = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise InvalidInput(
                f"The body is not valid JSON: {str(error).partition(':')[0]}.",
                code="MALFORMED_JSON",
            ) from error
        if not isinstance(body, dict):
            raise InvalidInput("The body must be a JSON object.", code="MALFORMED_JSON")
        return body
