"""Migrations of the SQLite databases."""
