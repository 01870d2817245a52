"""The database: connection, migrations, the copy before them. Knows no feature."""
