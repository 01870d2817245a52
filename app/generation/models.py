"""The tables of finished pictures and their categories. The bytes are files; see `images.py`."""

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

MAX_ID_CHARS = 64


class Category(Model):
    """A user's own drawer for pictures. Names need not be unique."""

    id = fields.BigIntField(primary_key=True)
    owner: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "models.User", related_name=False, on_delete=fields.RESTRICT
    )
    owner_id: str
    name = fields.CharField(max_length=255)

    class Meta:
        table = "image_category"
        indexes = (Index(fields=("owner_id", "id"), name="category_owner"),)


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
    category: fields.ForeignKeyNullableRelation[Category] = fields.ForeignKeyField(
        "models.Category", related_name=False, null=True, on_delete=fields.SET_NULL
    )
    category_id: int | None

    class Meta:
        table = "generated_image"
        indexes = (
            Index(fields=("owner_id", "created_at", "id"), name="image_owner_created"),
            Index(
                fields=("owner_id", "category_id", "created_at", "id"), name="image_owner_category"
            ),
            Index(fields=("category_id",), name="image_of_category"),
        )
