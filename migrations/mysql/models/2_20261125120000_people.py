"""Who knocked, invitations, the audit log, and the pause of a lane of the queue."""

from tortoise import BaseDBAsyncClient

# Every statement commits by itself anyway.
RUN_IN_TRANSACTION = False

_TEXT = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"


async def upgrade(db: BaseDBAsyncClient) -> str:
    # MySQL, unlike MariaDB, has no ADD COLUMN IF NOT EXISTS; a run that was cut off is repeated.
    statements = [
        f"""
        CREATE TABLE IF NOT EXISTS `invitation` (
            `id` VARCHAR(16) NOT NULL PRIMARY KEY,
            `code_sha256` VARCHAR(64) NOT NULL UNIQUE,
            `role` SMALLINT NOT NULL,
            `name` VARCHAR(255) NOT NULL,
            `is_preapproved` BOOL NOT NULL,
            `max_uses` INT NOT NULL,
            `uses` INT NOT NULL,
            `expires_at` DATETIME(6),
            `revoked_at` DATETIME(6),
            `user_id` VARCHAR(64),
            `created_by` VARCHAR(64) NOT NULL,
            `created_at` DATETIME(6) NOT NULL,
            KEY `invitation_of_user` (`user_id`),
            CONSTRAINT `user_of_invitation` FOREIGN KEY (`user_id`)
                REFERENCES `account` (`id`) ON DELETE CASCADE
        ) {_TEXT}
        """,
        f"""
        CREATE TABLE IF NOT EXISTS `invitation_use` (
            `id` BIGINT NOT NULL PRIMARY KEY AUTO_INCREMENT,
            `invitation_id` VARCHAR(16) NOT NULL,
            `user_id` VARCHAR(64) NOT NULL,
            `address` VARCHAR(64) NOT NULL,
            `used_at` DATETIME(6) NOT NULL,
            KEY `use_of_invitation` (`invitation_id`),
            KEY `use_of_user` (`user_id`),
            CONSTRAINT `invitation_of_use` FOREIGN KEY (`invitation_id`)
                REFERENCES `invitation` (`id`) ON DELETE CASCADE,
            CONSTRAINT `user_of_use` FOREIGN KEY (`user_id`)
                REFERENCES `account` (`id`) ON DELETE CASCADE
        ) {_TEXT}
        """,
        f"""
        CREATE TABLE IF NOT EXISTS `audit_entry` (
            `id` BIGINT NOT NULL PRIMARY KEY AUTO_INCREMENT,
            `happened_at` DATETIME(6) NOT NULL,
            `actor` VARCHAR(64) NOT NULL,
            `address` VARCHAR(64),
            `action` VARCHAR(32) NOT NULL,
            `subject` VARCHAR(64),
            `details` JSON NOT NULL,
            KEY `audit_subject` (`subject`, `id`)
        ) {_TEXT}
        """,
        f"""
        CREATE TABLE IF NOT EXISTS `lane_pause` (
            `lane` VARCHAR(32) NOT NULL PRIMARY KEY,
            `paused_at` DATETIME(6) NOT NULL,
            `resumes_at` DATETIME(6)
        ) {_TEXT}
        """,
    ]
    if not await _has_column(db, "account", "provider"):
        statements.append(
            f"""
            ALTER TABLE `account`
                ADD COLUMN `provider` VARCHAR(16) {_TEXT},
                ADD COLUMN `avatar` VARCHAR(255) {_TEXT},
                ADD COLUMN `knocked_at` DATETIME(6),
                ADD COLUMN `knock_address` VARCHAR(64) {_TEXT},
                ADD COLUMN `noticed_at` DATETIME(6),
                ADD COLUMN `last_login_at` DATETIME(6),
                ADD COLUMN `forgotten_at` DATETIME(6)
            """
        )
    return ";".join(statements)


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        DROP TABLE IF EXISTS `lane_pause`;
        DROP TABLE IF EXISTS `audit_entry`;
        DROP TABLE IF EXISTS `invitation_use`;
        DROP TABLE IF EXISTS `invitation`;
        ALTER TABLE `account`
            DROP COLUMN `forgotten_at`,
            DROP COLUMN `last_login_at`,
            DROP COLUMN `noticed_at`,
            DROP COLUMN `knock_address`,
            DROP COLUMN `knocked_at`,
            DROP COLUMN `avatar`,
            DROP COLUMN `provider`;
    """


async def _has_column(db: BaseDBAsyncClient, table: str, column: str) -> bool:
    found, _ = await db.execute_query(
        "SELECT 1 FROM information_schema.columns"
        f" WHERE table_schema = DATABASE() AND table_name = '{table}' AND column_name = '{column}'"
    )
    return found > 0
