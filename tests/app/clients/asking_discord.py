"""A client of the fake Discord, and the ways to ask it about the tester."""

from typing import Any

import aiohttp

from app.clients.discord import DiscordClient
from tests.fakes.discord import BOT_TOKEN, CLIENT_ID, CLIENT_SECRET, TESTER_ID

REDIRECT_URI = "https://navigator.example.org/"
CODE = f"USER:{TESTER_ID}:a-secret-code"


def client(connections: aiohttp.ClientSession, url: str, **changes: Any) -> DiscordClient:
    """A client with the credentials that the fake knows."""
    options: dict[str, Any] = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "bot_token": BOT_TOKEN,
    }
    return DiscordClient(connections, api_base=url, **options | changes)


async def by_code(discord: DiscordClient, code: str = CODE) -> object:
    """The profile of whoever logs in with this code."""
    return await discord.profile_of_code(code, redirect_uri=REDIRECT_URI)


async def by_id(discord: DiscordClient) -> object:
    """The profile that the tester's id has."""
    return await discord.profile_of_id(TESTER_ID)
