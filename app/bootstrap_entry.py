"""Builds what lets people in, for `bootstrap.py`."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from app.accounts.accounts import Accounts
from app.accounts.invitations import Invitations
from app.accounts.login import Logins
from app.accounts.notices import Notices
from app.accounts.providers import DemoProvider, DiscordProvider, InvitationProvider
from app.accounts.tokens import Tokens
from app.clients.discord import DiscordClient
from app.clients.web_http import web_session
from app.clients.webhook import Webhook
from app.events import EventBus
from app.settings import Settings


@dataclass(frozen=True)
class Entry:
    """What lets people in."""

    accounts: Accounts
    logins: Logins
    invitations: Invitations
    discord: DiscordClient


async def open_entry(
    stack: contextlib.AsyncExitStack,
    settings: Settings,
    events: EventBus,
    programs: Mapping[str, str],
) -> Entry:
    """Opens it on `stack`; see `navigator` for `programs`."""
    tokens = Tokens(settings.secret_key, settings.token_expiration_time_s)
    accounts = Accounts(
        tokens,
        superuser_token=settings.superuser_admin_token,
        demo_user=settings.enable_demo_user,
        programs=programs,
    )
    await accounts.ensure_system_users()
    web = await stack.enter_async_context(web_session())
    discord = DiscordClient(
        web,
        api_base=settings.discord_api_base,
        client_id=settings.discord_client_id,
        client_secret=settings.discord_client_secret,
        bot_token=settings.discord_bot_token,
    )
    invitations = Invitations()
    providers = (
        DemoProvider(enabled=settings.enable_demo_user),
        InvitationProvider(invitations, lifetime_s=settings.local_token_expiration_time_s),
        DiscordProvider(discord),
    )
    if settings.notify_webhook_url is not None:
        notices = Notices(Webhook(web, settings.notify_webhook_url))
        await stack.enter_async_context(notices.sending(events))
    return Entry(accounts, Logins(tokens, events, providers), invitations, discord)
