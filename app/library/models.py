"""The table of checkpoints that the owner has given a name."""

from tortoise import fields
from tortoise.models import Model


class KnownCheckpoint(Model):
    """What the owner says of a checkpoint: `model_name` is Forge's name of it.

    `is_restricted` is shown to clients and not enforced.
    """

    id = fields.BigIntField(primary_key=True)
    model_name = fields.CharField(max_length=255, unique=True)
    friendly_name = fields.CharField(max_length=255, null=True)
    is_restricted = fields.BooleanField(default=False)

    class Meta:
        table = "known_checkpoint"
