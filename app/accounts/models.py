"""The table of users."""

from tortoise import fields
from tortoise.models import Model

from app.accounts.roles import Approval, Role


class User(Model):
    """Somebody with an account. `id` is text (a Discord id or a name of ours), compared bytewise.

    A token is valid only while its epoch claim equals `token_epoch`.
    """

    id = fields.CharField(primary_key=True, max_length=64)
    name = fields.CharField(max_length=255, default="")
    role = fields.IntEnumField(Role, default=Role.NONE, description="see Role")
    approval = fields.CharEnumField(
        Approval, max_length=16, default=Approval.PENDING, description="see Approval"
    )
    token_epoch = fields.IntField(default=0)
    created_at = fields.DatetimeField(auto_now_add=True)
    updated_at = fields.DatetimeField(auto_now=True)

    class Meta:
        table = "account"
