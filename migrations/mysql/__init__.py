"""Migrations of the MySQL/MariaDB databases."""
