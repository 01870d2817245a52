"""The tables of models: what the owner, CivitAI and our own jobs say of files."""

from typing import Any

from tortoise import fields
from tortoise.models import Model

PATH_CHARS = 700
ADMINISTRATORS = 3  # the role in tokens; a test compares it with that of accounts
NAME_CHARS = 255


class KnownCheckpoint(Model):
    """What the owner says of a checkpoint: `model_name` is Forge's name of it.

    A restricted one needs `required_role`, as in tokens; None is that of administrators. `tags` is
    a list of texts, None for none.
    """

    id = fields.BigIntField(primary_key=True)
    model_name = fields.CharField(max_length=NAME_CHARS, unique=True)
    friendly_name = fields.CharField(max_length=255, null=True)
    is_restricted = fields.BooleanField(default=False)
    required_role = fields.SmallIntField(null=True)
    tags: Any = fields.JSONField(null=True)

    @property
    def needed_role(self) -> int:
        """The role that whoever uses it needs, as in tokens; 0 when everybody may."""
        return (self.required_role or ADMINISTRATORS) if self.is_restricted else 0

    class Meta:
        table = "known_checkpoint"


class FileHash(Model):
    """The SHA-256 of a model file, in lower-case hexadecimal digits, and of which state of it.

    `path` is below `MODEL_DIR`, with slashes.
    """

    id = fields.BigIntField(primary_key=True)
    path = fields.CharField(max_length=PATH_CHARS, unique=True)
    size_bytes = fields.BigIntField()
    modified_ns = fields.BigIntField()
    sha256 = fields.CharField(max_length=64)

    class Meta:
        table = "file_hash"


class FileMetadata(Model):
    """What CivitAI and the owner say of the file with this hash; the owner's word goes first.

    `file_hash` is what clients call a LoRA by: 12 digits of AutoV3, a SHA-256, or an alias.
    `version` is CivitAI's model version, with a few of its pictures, and `version_id` its id; None
    for none found.
    `checked_at` is when CivitAI was asked last. `override` has the keys of the contract.
    """

    id = fields.BigIntField(primary_key=True)
    file_hash = fields.CharField(max_length=NAME_CHARS, unique=True)
    version_id = fields.BigIntField(null=True)
    version: Any = fields.JSONField(null=True)
    checked_at = fields.DatetimeField(null=True)
    updates_disabled = fields.BooleanField(default=False)
    override: Any = fields.JSONField(null=True)

    class Meta:
        table = "file_metadata"


class ModelUse(Model):
    """When a job used a model last. `kind` is a `ModelKind`, `name` is Forge's name of it."""

    id = fields.BigIntField(primary_key=True)
    kind = fields.CharField(max_length=32)
    name = fields.CharField(max_length=NAME_CHARS)
    last_used_at = fields.DatetimeField()

    class Meta:
        table = "model_use"
        unique_together = (("kind", "name"),)
