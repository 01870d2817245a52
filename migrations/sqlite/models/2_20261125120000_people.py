"""Who knocked, invitations, the audit log, and the pause of a lane of the queue."""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
        ALTER TABLE "account" ADD COLUMN "provider" VARCHAR(16);
        ALTER TABLE "account" ADD COLUMN "avatar" VARCHAR(255);
        ALTER TABLE "account" ADD COLUMN "knocked_at" TIMESTAMP;
        ALTER TABLE "account" ADD COLUMN "knock_address" VARCHAR(64);
        ALTER TABLE "account" ADD COLUMN "noticed_at" TIMESTAMP;
        ALTER TABLE "account" ADD COLUMN "last_login_at" TIMESTAMP;
        ALTER TABLE "account" ADD COLUMN "forgotten_at" TIMESTAMP;
        CREATE TABLE "invitation" (
            "id" VARCHAR(16) NOT NULL PRIMARY KEY,
            "code_sha256" VARCHAR(64) NOT NULL UNIQUE,
            "role" SMALLINT NOT NULL,
            "name" VARCHAR(255) NOT NULL,
            "is_preapproved" INT NOT NULL,
            "max_uses" INT NOT NULL,
            "uses" INT NOT NULL,
            "expires_at" TIMESTAMP,
            "revoked_at" TIMESTAMP,
            "user_id" VARCHAR(64) REFERENCES "account" ("id") ON DELETE CASCADE,
            "created_by" VARCHAR(64) NOT NULL,
            "created_at" TIMESTAMP NOT NULL
        );
        CREATE INDEX "invitation_of_user" ON "invitation" ("user_id");
        CREATE TABLE "invitation_use" (
            "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
            "invitation_id" VARCHAR(16) NOT NULL REFERENCES "invitation" ("id") ON DELETE CASCADE,
            "user_id" VARCHAR(64) NOT NULL REFERENCES "account" ("id") ON DELETE CASCADE,
            "address" VARCHAR(64) NOT NULL,
            "used_at" TIMESTAMP NOT NULL
        );
        CREATE INDEX "use_of_invitation" ON "invitation_use" ("invitation_id");
        CREATE INDEX "use_of_user" ON "invitation_use" ("user_id");
        CREATE TABLE "audit_entry" (
            "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
            "happened_at" TIMESTAMP NOT NULL,
            "actor" VARCHAR(64) NOT NULL,
            "address" VARCHAR(64),
            "action" VARCHAR(32) NOT NULL,
            "subject" VARCHAR(64),
            "details" JSON NOT NULL
        );
        CREATE INDEX "audit_subject" ON "audit_entry" ("subject", "id");
        CREATE TABLE "lane_pause" (
            "lane" VARCHAR(32) NOT NULL PRIMARY KEY,
            "paused_at" TIMESTAMP NOT NULL,
            "resumes_at" TIMESTAMP
        );
    """


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        DROP TABLE "lane_pause";
        DROP TABLE "audit_entry";
        DROP TABLE "invitation_use";
        DROP TABLE "invitation";
        ALTER TABLE "account" DROP COLUMN "forgotten_at";
        ALTER TABLE "account" DROP COLUMN "last_login_at";
        ALTER TABLE "account" DROP COLUMN "noticed_at";
        ALTER TABLE "account" DROP COLUMN "knock_address";
        ALTER TABLE "account" DROP COLUMN "knocked_at";
        ALTER TABLE "account" DROP COLUMN "avatar";
        ALTER TABLE "account" DROP COLUMN "provider";
    """
