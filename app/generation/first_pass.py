"""Whether Forge takes a picture in place of the first pass: only with our patch (`forge_patches`).

It cannot be asked (its schema shows the field either way), so it is found out by trying.
"""

from app.clients.forge_http import ForgeBroken
from app.errors import UpstreamUnavailable

# Forge recordings, section 6; the rest of the text is the whole picture.
_UNPATCHED = "could not convert string to float"


class FirstPassRefused(UpstreamUnavailable):
    """This Forge is not patched. Nothing was drawn; the job is to be sent in another way."""

    code = "FIRST_PASS_REFUSED"


class FirstPass:
    """What is known of this Forge; forgotten when it starts anew."""

    def __init__(self) -> None:
        self.is_refused = False

    def forget(self) -> None:
        """Forge may be another one now."""
        self.is_refused = False

    def refused(self, error: ForgeBroken) -> FirstPassRefused | None:
        """What to raise instead of `error` if it says that Forge is not patched."""
        if _UNPATCHED not in error.message:
            return None
        self.is_refused = True
        return FirstPassRefused("Forge draws the first pass anew.", service="forge")
