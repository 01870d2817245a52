"""Third parties over HTTP, one per file. Nothing above sees an aiohttp exception."""
