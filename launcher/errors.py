"""What the launcher tells a person."""


class LauncherError(Exception):
    """Something that cannot be done; `message` is a sentence for a person."""

    def __init__(self, message: str):
        super().__init__(message)
        self.message = message


class SettingsInvalid(LauncherError):
    """A setting has an impossible value; starting again will not help."""
