"""The table of jobs. Only `queue.py` writes it."""

from enum import StrEnum
from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from app.events import JobSnapshot


class JobKind(StrEnum):
    """What a job does; each kind has one handler."""

    TXT2IMG = "txt2img"
    IMG2IMG = "img2img"
    DOWNLOAD = "download"


class Lane(StrEnum):
    """Jobs of one lane start in their order; lanes run beside each other."""

    GENERATION = "generation"
    DOWNLOAD = "download"


LANE_OF_KIND = {
    JobKind.TXT2IMG: Lane.GENERATION,
    JobKind.IMG2IMG: Lane.GENERATION,
    JobKind.DOWNLOAD: Lane.DOWNLOAD,
}


class JobStatus(StrEnum):
    """Where a job is. The last three are final, but a failed job can be retried."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(Model):
    """One piece of accepted work.

    `position` orders the queue. `attempts` counts runs that failed on the third party's side;
    `runs` counts every start, also those that a restart of ours cut off, so that the name of a
    run is never used twice. `input_bytes` is what files of its own hold until it ends.
    """

    number = fields.BigIntField(primary_key=True)
    id = fields.CharField(max_length=64, unique=True)
    kind = fields.CharEnumField(JobKind, max_length=32, description="see JobKind")
    lane = fields.CharEnumField(Lane, max_length=32, description="see Lane")
    status = fields.CharEnumField(JobStatus, max_length=16, description="see JobStatus")
    position = fields.BigIntField()
    owner: fields.ForeignKeyRelation[Model] = fields.ForeignKeyField(
        "models.User", related_name=False, on_delete=fields.RESTRICT
    )
    owner_id: str
    origin = fields.CharField(max_length=64)
    parameters: Any = fields.JSONField()
    input_bytes = fields.BigIntField(null=True)
    attempts = fields.IntField(default=0)
    runs = fields.IntField(default=0)
    cancel_requested = fields.BooleanField(default=False)
    error = fields.TextField(null=True)
    created_at = fields.DatetimeField(auto_now_add=True)
    started_at = fields.DatetimeField(null=True)
    finished_at = fields.DatetimeField(null=True)

    class Meta:
        table = "job"
        indexes = (
            Index(fields=("lane", "status", "position"), name="job_lane_status_position"),
            Index(fields=("owner_id", "status"), name="job_owner_status"),
        )

    def snapshot(self) -> JobSnapshot:
        """What events tell of this job."""
        return JobSnapshot(
            id=self.id,
            kind=self.kind.value,
            owner_id=self.owner_id,
            origin=self.origin,
            parameters=self.parameters,
        )


class LanePause(Model):
    """That no job of a lane is started, since when, and until when (None: until somebody says)."""

    lane = fields.CharField(primary_key=True, max_length=32)
    paused_at = fields.DatetimeField(auto_now_add=True)
    resumes_at = fields.DatetimeField(null=True)

    class Meta:
        table = "lane_pause"
