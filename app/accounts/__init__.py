"""Who may use Navigator: users, roles, tokens, login."""
