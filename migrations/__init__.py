"""The migrations of the database, one folder per dialect, in aerich's file format.

Applied in order at start by `app/database/migration.py`. Their SQL is written by hand: aerich's
drafts lose constraints on SQLite and are wrong for some changes on MySQL. A file that was shared
is never edited; write the next one, for both dialects and with the same name.

SQLite: a file is applied whole or not at all, with foreign keys off and checked at its end.
MySQL: every DDL statement commits by itself and a file cut off half-way is run again, so write
statements that may be repeated (IF NOT EXISTS) and one ALTER per file.
"""
