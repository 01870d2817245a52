"""The table of finished pictures. The bytes are files; see `images.py`."""

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

MAX_ID_CHARS = 64


class Image(Model):
    """One stored picture; `id` is the id of the job that made it.

    `file_name` is relative to the folder of pictures, with `/`. `parameters` are the parsed
    infotext, values as text, plus what only Navigator knows.
    """

    id = fields.CharField(primary_key=True, max_length=MAX_ID_CHARS)
    owner: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "models.User", related_name=False, on_delete=fields.RESTRICT
    )
    owner_id: str
    file_name = fields.CharField(max_length=128)
    media_type = fields.CharField(max_length=32)
    size_bytes = fields.BigIntField()
    sha256 = fields.CharField(max_length=64)
    width = fields.IntField()
    height = fields.IntField()
    infotext = fields.TextField()
    parameters: Any = fields.JSONField()
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "generated_image"
        indexes = (Index(fields=("owner_id", "created_at", "id"), name="image_owner_created"),)
