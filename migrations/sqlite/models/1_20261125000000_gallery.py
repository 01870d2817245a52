"""Categories of pictures, what waiting jobs hold on disk, names that the owner gives checkpoints."""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        CREATE TABLE "image_category" (
            "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
            "owner_id" VARCHAR(64) NOT NULL REFERENCES "account" ("id") ON DELETE RESTRICT,
            "name" VARCHAR(255) NOT NULL
        );
        CREATE INDEX "category_owner" ON "image_category" ("owner_id", "id");
        ALTER TABLE "generated_image" ADD COLUMN "category_id" BIGINT
            REFERENCES "image_category" ("id") ON DELETE SET NULL;
        CREATE INDEX "image_owner_category"
            ON "generated_image" ("owner_id", "category_id", "created_at", "id");
        CREATE INDEX "image_of_category" ON "generated_image" ("category_id");
        ALTER TABLE "job" ADD COLUMN "input_bytes" BIGINT;
        CREATE TABLE "known_checkpoint" (
            "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
            "model_name" VARCHAR(255) NOT NULL UNIQUE,
            "friendly_name" VARCHAR(255),
            "is_restricted" INT NOT NULL
        );
    """


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        DROP TABLE "known_checkpoint";
        ALTER TABLE "job" DROP COLUMN "input_bytes";
        DROP INDEX "image_of_category";
        DROP INDEX "image_owner_category";
        ALTER TABLE "generated_image" DROP COLUMN "category_id";
        DROP TABLE "image_category";
    """
