"""Who knocks: accounts that wait for the owner's decision."""

from app.accounts.models import User
from app.accounts.roles import Approval


async def count_pending() -> int:
    """How many have logged in and wait to be let in; those that were forgotten do not."""
    return await User.filter(
        approval=Approval.PENDING, knocked_at__isnull=False, forgotten_at__isnull=True
    ).count()
