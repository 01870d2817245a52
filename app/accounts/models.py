"""The tables of people: users, invitations and their uses, and who decided what."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from app.accounts.roles import Approval, Role

ID_CHARS = 64


class User(Model):
    """Somebody with an account. `id` is text (a Discord id or a name of ours), compared bytewise.

    A token is valid only while its epoch claim equals `token_epoch`. `provider` says who vouches
    for them: `discord`, `local` (an invitation), None for what Navigator made by itself.
    """

    id = fields.CharField(primary_key=True, max_length=ID_CHARS)
    name = fields.CharField(max_length=255, default="")
    role = fields.IntEnumField(Role, default=Role.NONE, description="see Role")
    approval = fields.CharEnumField(
        Approval, max_length=16, default=Approval.PENDING, description="see Approval"
    )
    token_epoch = fields.IntField(default=0)
    provider = fields.CharField(max_length=16, null=True)
    avatar = fields.CharField(max_length=255, null=True)
    knocked_at = fields.DatetimeField(null=True)
    knock_address = fields.CharField(max_length=64, null=True)
    noticed_at = fields.DatetimeField(null=True)
    last_login_at = fields.DatetimeField(null=True)
    forgotten_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField(auto_now_add=True)
    updated_at = fields.DatetimeField(auto_now=True)

    class Meta:
        table = "account"


class Invitation(Model):
    """A link that lets somebody in. Of its code only the SHA-256 is kept.

    With `user` it is a way back in for that account; otherwise each use makes an account.
    """

    id = fields.CharField(primary_key=True, max_length=16)
    code_sha256 = fields.CharField(max_length=64, unique=True)
    role = fields.IntEnumField(Role, description="see Role")
    name = fields.CharField(max_length=255)
    is_preapproved = fields.BooleanField()
    max_uses = fields.IntField()
    uses = fields.IntField(default=0)
    expires_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)
    user: fields.ForeignKeyNullableRelation[User] = fields.ForeignKeyField(
        "models.User", related_name="login_links", null=True, on_delete=fields.CASCADE
    )
    user_id: str | None
    created_by = fields.CharField(max_length=ID_CHARS)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "invitation"
        indexes = (Index(fields=("user_id",), name="invitation_of_user"),)


class InvitationUse(Model):
    """That somebody came in with an invitation, from which address, and when."""

    id = fields.BigIntField(primary_key=True)
    invitation: fields.ForeignKeyRelation[Invitation] = fields.ForeignKeyField(
        "models.Invitation", related_name="used", on_delete=fields.CASCADE
    )
    invitation_id: str
    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "models.User", related_name="came_with", on_delete=fields.CASCADE
    )
    user_id: str
    address = fields.CharField(max_length=64)
    used_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "invitation_use"
        indexes = (
            Index(fields=("invitation_id",), name="use_of_invitation"),
            Index(fields=("user_id",), name="use_of_user"),
        )


class AuditEntry(Model):
    """Who did what to whom, when, from where. `actor` and `subject` are ids, also of users that
    were forgotten."""

    id = fields.BigIntField(primary_key=True)
    happened_at = fields.DatetimeField(auto_now_add=True)
    actor = fields.CharField(max_length=ID_CHARS)
    address = fields.CharField(max_length=64, null=True)
    action = fields.CharField(max_length=32)
    subject = fields.CharField(max_length=ID_CHARS, null=True)
    details: fields.Field[dict[str, object]] = fields.JSONField()

    class Meta:
        table = "audit_entry"
        indexes = (Index(fields=("subject", "id"), name="audit_subject"),)
