"""Attributes of checkpoints, hashes and metadata of model files, and when each was used last."""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "known_checkpoint" ADD COLUMN "required_role" SMALLINT;
        ALTER TABLE "known_checkpoint" ADD COLUMN "tags" JSON;
        CREATE TABLE "file_hash" (
            "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
            "path" VARCHAR(700) NOT NULL UNIQUE,
            "size_bytes" BIGINT NOT NULL,
            "modified_ns" BIGINT NOT NULL,
            "sha256" VARCHAR(64) NOT NULL
        );
        CREATE TABLE "file_metadata" (
            "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
            "file_hash" VARCHAR(255) NOT NULL UNIQUE,
            "version_id" BIGINT,
            "version" JSON,
            "checked_at" TIMESTAMP,
            "updates_disabled" INT NOT NULL,
            "override" JSON
        );
        CREATE TABLE "model_use" (
            "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
            "kind" VARCHAR(32) NOT NULL,
            "name" VARCHAR(255) NOT NULL,
            "last_used_at" TIMESTAMP NOT NULL,
            CONSTRAINT "uid_model_use_kind_222644" UNIQUE ("kind", "name")
        );
    """


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        DROP TABLE "model_use";
        DROP TABLE "file_metadata";
        DROP TABLE "file_hash";
        ALTER TABLE "known_checkpoint" DROP COLUMN "tags";
        ALTER TABLE "known_checkpoint" DROP COLUMN "required_role";
    """
