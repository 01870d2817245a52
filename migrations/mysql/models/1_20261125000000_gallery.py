"""Categories of pictures, what waiting jobs hold on disk, names that the owner gives checkpoints."""

from tortoise import BaseDBAsyncClient

# Every statement commits by itself anyway.
RUN_IN_TRANSACTION = False


async def upgrade(db: BaseDBAsyncClient) -> str:
    # MySQL, unlike MariaDB, has no ADD COLUMN IF NOT EXISTS; a run that was cut off is repeated.
    statements = [
        """
        CREATE TABLE IF NOT EXISTS `image_category` (
            `id` BIGINT NOT NULL PRIMARY KEY AUTO_INCREMENT,
            `owner_id` VARCHAR(64) NOT NULL,
            `name` VARCHAR(255) NOT NULL,
            CONSTRAINT `owner_of_category` FOREIGN KEY (`owner_id`)
                REFERENCES `account` (`id`) ON DELETE RESTRICT,
            KEY `category_owner` (`owner_id`, `id`)
        ) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
        """,
        """
        CREATE TABLE IF NOT EXISTS `known_checkpoint` (
            `id` BIGINT NOT NULL PRIMARY KEY AUTO_INCREMENT,
            `model_name` VARCHAR(255) NOT NULL UNIQUE,
            `friendly_name` VARCHAR(255),
            `is_restricted` BOOL NOT NULL
        ) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
        """,
    ]
    if not await _has_column(db, "generated_image", "category_id"):
        statements.append(
            """
            ALTER TABLE `generated_image`
                ADD COLUMN `category_id` BIGINT,
                ADD KEY `image_owner_category` (`owner_id`, `category_id`, `created_at`, `id`),
                ADD KEY `image_of_category` (`category_id`),
                ADD CONSTRAINT `image_of_category` FOREIGN KEY (`category_id`)
                    REFERENCES `image_category` (`id`) ON DELETE SET NULL
            """
        )
    if not await _has_column(db, "job", "input_bytes"):
        statements.append("ALTER TABLE `job` ADD COLUMN `input_bytes` BIGINT")
    return ";".join(statements)


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        DROP TABLE IF EXISTS `known_checkpoint`;
        ALTER TABLE `job` DROP COLUMN `input_bytes`;
        ALTER TABLE `generated_image`
            DROP FOREIGN KEY `image_of_category`,
            DROP KEY `image_of_category`,
            DROP KEY `image_owner_category`,
            DROP COLUMN `category_id`;
        DROP TABLE IF EXISTS `image_category`;
    """


async def _has_column(db: BaseDBAsyncClient, table: str, column: str) -> bool:
    found, _ = await db.execute_query(
        "SELECT 1 FROM information_schema.columns"
        f" WHERE table_schema = DATABASE() AND table_name = '{table}' AND column_name = '{column}'"
    )
    return found > 0
