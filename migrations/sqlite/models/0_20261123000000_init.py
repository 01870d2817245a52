"""The first tables: users, jobs, pictures."""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE "aerich" (
            "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
            "version" VARCHAR(255) NOT NULL,
            "app" VARCHAR(100) NOT NULL,
            "content" JSON NOT NULL
        );
        CREATE TABLE "account" (
            "id" VARCHAR(64) NOT NULL PRIMARY KEY,
            "name" VARCHAR(255) NOT NULL,
            "role" SMALLINT NOT NULL,
            "approval" VARCHAR(16) NOT NULL,
            "token_epoch" INT NOT NULL,
            "created_at" TIMESTAMP NOT NULL,
            "updated_at" TIMESTAMP NOT NULL
        );
        CREATE TABLE "job" (
            "number" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
            "id" VARCHAR(64) NOT NULL UNIQUE,
            "kind" VARCHAR(32) NOT NULL,
            "lane" VARCHAR(32) NOT NULL,
            "status" VARCHAR(16) NOT NULL,
            "position" BIGINT NOT NULL,
            "owner_id" VARCHAR(64) NOT NULL REFERENCES "account" ("id") ON DELETE RESTRICT,
            "origin" VARCHAR(64) NOT NULL,
            "parameters" JSON NOT NULL,
            "attempts" INT NOT NULL,
            "runs" INT NOT NULL,
            "cancel_requested" INT NOT NULL,
            "error" TEXT,
            "created_at" TIMESTAMP NOT NULL,
            "started_at" TIMESTAMP,
            "finished_at" TIMESTAMP
        );
        CREATE INDEX "job_lane_status_position" ON "job" ("lane", "status", "position");
        CREATE INDEX "job_owner_status" ON "job" ("owner_id", "status");
        CREATE TABLE "generated_image" (
            "id" VARCHAR(64) NOT NULL PRIMARY KEY,
            "owner_id" VARCHAR(64) NOT NULL REFERENCES "account" ("id") ON DELETE RESTRICT,
            "file_name" VARCHAR(128) NOT NULL,
            "media_type" VARCHAR(32) NOT NULL,
            "size_bytes" BIGINT NOT NULL,
            "sha256" VARCHAR(64) NOT NULL,
            "width" INT NOT NULL,
            "height" INT NOT NULL,
            "infotext" TEXT NOT NULL,
            "parameters" JSON NOT NULL,
            "created_at" TIMESTAMP NOT NULL
        );
        CREATE INDEX "image_owner_created" ON "generated_image" ("owner_id", "created_at", "id");
    """


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        DROP TABLE "generated_image";
        DROP TABLE "job";
        DROP TABLE "account";
        DROP TABLE "aerich";
    """
