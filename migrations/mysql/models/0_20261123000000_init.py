"""The first tables: users, jobs, pictures. Texts are compared byte by byte."""

from tortoise import BaseDBAsyncClient

# Every CREATE TABLE commits by itself anyway.
RUN_IN_TRANSACTION = False


async def upgrade(db: BaseDBAsyncClient) -> str:
    # `aerich` comes first: tables of ours without it are somebody else's.
    return """
        CREATE TABLE IF NOT EXISTS `aerich` (
            `id` INT NOT NULL PRIMARY KEY AUTO_INCREMENT,
            `version` VARCHAR(255) NOT NULL,
            `app` VARCHAR(100) NOT NULL,
            `content` JSON NOT NULL
        ) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
        CREATE TABLE IF NOT EXISTS `account` (
            `id` VARCHAR(64) NOT NULL PRIMARY KEY,
            `name` VARCHAR(255) NOT NULL,
            `role` SMALLINT NOT NULL,
            `approval` VARCHAR(16) NOT NULL,
            `token_epoch` INT NOT NULL,
            `created_at` DATETIME(6) NOT NULL,
            `updated_at` DATETIME(6) NOT NULL
        ) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
        CREATE TABLE IF NOT EXISTS `job` (
            `number` BIGINT NOT NULL PRIMARY KEY AUTO_INCREMENT,
            `id` VARCHAR(64) NOT NULL UNIQUE,
            `kind` VARCHAR(32) NOT NULL,
            `lane` VARCHAR(32) NOT NULL,
            `status` VARCHAR(16) NOT NULL,
            `position` BIGINT NOT NULL,
            `owner_id` VARCHAR(64) NOT NULL,
            `origin` VARCHAR(64) NOT NULL,
            `parameters` JSON NOT NULL,
            `attempts` INT NOT NULL,
            `runs` INT NOT NULL,
            `cancel_requested` BOOL NOT NULL,
            `error` LONGTEXT,
            `created_at` DATETIME(6) NOT NULL,
            `started_at` DATETIME(6),
            `finished_at` DATETIME(6),
            CONSTRAINT `job_owner` FOREIGN KEY (`owner_id`)
                REFERENCES `account` (`id`) ON DELETE RESTRICT,
            KEY `job_lane_status_position` (`lane`, `status`, `position`),
            KEY `job_owner_status` (`owner_id`, `status`)
        ) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
        CREATE TABLE IF NOT EXISTS `generated_image` (
            `id` VARCHAR(64) NOT NULL PRIMARY KEY,
            `owner_id` VARCHAR(64) NOT NULL,
            `file_name` VARCHAR(128) NOT NULL,
            `media_type` VARCHAR(32) NOT NULL,
            `size_bytes` BIGINT NOT NULL,
            `sha256` VARCHAR(64) NOT NULL,
            `width` INT NOT NULL,
            `height` INT NOT NULL,
            `infotext` LONGTEXT NOT NULL,
            `parameters` JSON NOT NULL,
            `created_at` DATETIME(6) NOT NULL,
            CONSTRAINT `image_owner` FOREIGN KEY (`owner_id`)
                REFERENCES `account` (`id`) ON DELETE RESTRICT,
            KEY `image_owner_created` (`owner_id`, `created_at`, `id`)
        ) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
    """


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
        DROP TABLE IF EXISTS `generated_image`;
        DROP TABLE IF EXISTS `job`;
        DROP TABLE IF EXISTS `account`;
        DROP TABLE IF EXISTS `aerich`;
    """
