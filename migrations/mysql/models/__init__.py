"""Migrations of the app `models`, which is all of Navigator."""
