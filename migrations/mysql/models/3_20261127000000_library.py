"""Attributes of checkpoints, hashes and metadata of model files, and when each was used last."""

from tortoise import BaseDBAsyncClient

# Every statement commits by itself anyway.
RUN_IN_TRANSACTION = False

_TEXT = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"


async def upgrade(db: BaseDBAsyncClient) -> str:
    # MySQL, unlike MariaDB, has no ADD COLUMN IF NOT EXISTS; a run that was cut off is repeated.
    statements = [
        f"""
        CREATE TABLE IF NOT EXISTS `file_hash` (
            `id` BIGINT NOT NULL PRIMARY KEY AUTO_INCREMENT,
            `path` VARCHAR(700) NOT NULL UNIQUE,
            `size_bytes` BIGINT NOT NULL,
            `modified_ns` BIGINT NOT NULL,
            `sha256` VARCHAR(64) NOT NULL
        ) {_TEXT}
        """,
        f"""
        CREATE TABLE IF NOT EXISTS `file_metadata` (
            `id` BIGINT NOT NULL PRIMARY KEY AUTO_INCREMENT,
            `file_hash` VARCHAR(255) NOT NULL UNIQUE,
            `version_id` BIGINT,
            `version` JSON,
            `checked_at` DATETIME(6),
            `updates_disabled` BOOL NOT NULL,
            `override` JSON
        ) {_TEXT}
        """,
        f"""
        CREATE TABLE IF NOT EXISTS `model_use` (
            `id` BIGINT NOT NULL PRIMARY KEY AUTO_INCREMENT,
            `kind` VARCHAR(32) NOT NULL,
            `name` VARCHAR(255) NOT NULL,
            `last_used_at` DATETIME(6) NOT NULL,
            UNIQUE KEY `uid_model_use_kind_222644` (`kind`, `name`)
        ) {_TEXT}
        """,
    ]
    if not await _has_column(db, "known_checkpoint", "required_role"):
        statements.append(
            """
            ALTER TABLE `known_checkpoint`
                ADD COLUMN `required_role` SMALLINT,
                ADD COLUMN `tags` JSON
            """
        )
    return ";".join(statements)


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        DROP TABLE IF EXISTS `model_use`;
        DROP TABLE IF EXISTS `file_metadata`;
        DROP TABLE IF EXISTS `file_hash`;
        ALTER TABLE `known_checkpoint` DROP COLUMN `tags`, DROP COLUMN `required_role`;
    """


async def _has_column(db: BaseDBAsyncClient, table: str, column: str) -> bool:
    found, _ = await db.execute_query(
        "SELECT 1 FROM information_schema.columns"
        f" WHERE table_schema = DATABASE() AND table_name = '{table}' AND column_name = '{column}'"
    )
    return found > 0
