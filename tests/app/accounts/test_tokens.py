"""Tests of `app/accounts/tokens.py`: which tokens are believed, and in which words others fall."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.models import User
from app.accounts.roles import Role
from app.accounts.tokens import Tokens
from app.errors import NotAuthenticated
from tests.waiting import until

SECRET = "a secret key of thirty-two characters"
CLAIMS: Mapping[str, Any] = {"discord_id": "1", "role": 1, "epoch": 0}


def tokens(lifetime_s: float | None = 3600) -> Tokens:
    """Tokens with the secret of these tests."""
    return Tokens(SECRET, lifetime_s)


def user(**changes: Any) -> User:
    """A user who is in no database."""
    return User(id="100000000000000001", role=Role.ARCHITECT, **changes)


def signed(claims: Mapping[str, Any], secret: str = SECRET, algorithm: str = "HS256") -> str:
    """A token of these claims."""
    return jwt.encode(dict(claims), secret, algorithm)


def part(value: object) -> str:
    """A part of a token, made by hand."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def refusal(token: str) -> NotAuthenticated:
    """How the token is refused."""
    with pytest.raises(NotAuthenticated) as caught:
        tokens().read(token)
    return caught.value


def test_issued_token_tells_who_and_until_when() -> None:
    before = int(time.time())
    claims = tokens(3600).read(tokens(3600).issue(user(token_epoch=7)))
    assert claims["discord_id"] == "100000000000000001"
    assert (claims["role"], claims["epoch"]) == (3, 7)
    assert before <= claims["iat"] <= time.time()
    assert claims["exp"] - claims["iat"] == 3600


@pytest.mark.parametrize(
    ("usual_s", "asked_s", "expected_s"),
    [(3600, -1, 3600), (None, -1, None), (3600, 60, 60), (3600, None, None), (None, 60, 60)],
)
def test_lifetime_is_the_usual_one_unless_another_is_asked_for(
    usual_s: float | None, asked_s: float | None, expected_s: float | None
) -> None:
    claims = tokens().read(tokens(usual_s).issue(user(), lifetime_s=asked_s))
    assert claims.get("exp", claims["iat"]) - claims["iat"] == (expected_s or 0)
    assert ("exp" in claims) == (expected_s is not None)


def test_token_of_the_earlier_navigator_counts_as_epoch_0() -> None:
    old = {"discord_id": "100000000000000001", "role": 4, "iat": 1795438032}
    assert tokens().read(signed(old))["epoch"] == 0


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "jwt malformed"),
        ("garbage", "jwt malformed"),
        ("a.b", "jwt malformed"),
        ("a.b.c", "jwt malformed"),
        ("a.b.c.d", "jwt malformed"),
        ("..", "jwt malformed"),
        ("é.é.é", "jwt malformed"),
        ("\0", "jwt malformed"),
        ("x" * 100_000, "jwt malformed"),
        (signed(CLAIMS, "another secret key of thirty-two ch"), "invalid signature"),
        (signed({**CLAIMS, "exp": 1}), "jwt expired"),
        (signed({**CLAIMS, "exp": int(time.time()) - 1}), "jwt expired"),
        (signed({**CLAIMS, "exp": "soon"}), "jwt malformed"),
        (signed({**CLAIMS, "nbf": int(time.time()) + 1000}), "jwt malformed"),
        (jwt.encode(dict(CLAIMS), None, "none"), "jwt signature is required"),
        (f"{part({'alg': 'none'})}.{part(CLAIMS)}.", "jwt signature is required"),
        (f"{part({'alg': 'None'})}.{part(CLAIMS)}.", "jwt signature is required"),
        (f"{part({'alg': 'HS256'})}.{part(CLAIMS)}.", "invalid signature"),
        (f"{part({'alg': None})}.{part(CLAIMS)}.", "jwt signature is required"),
        (f"{part({'alg': ['HS256']})}.{part(CLAIMS)}.xx", "jwt malformed"),
        (f"{part({})}.{part(CLAIMS)}.x", "jwt malformed"),
        (f"{part([])}.{part(CLAIMS)}.", "jwt malformed"),
        (f"{part('x')}.{part('y')}.{part('z')}", "jwt malformed"),
        (signed({"role": 4, "epoch": 0}), "jwt malformed"),
        (signed({**CLAIMS, "discord_id": 1}), "jwt malformed"),
        (signed({**CLAIMS, "discord_id": None}), "jwt malformed"),
        (signed({**CLAIMS, "discord_id": ["1"]}), "jwt malformed"),
        (signed({**CLAIMS, "epoch": "0"}), "jwt malformed"),
        (signed({**CLAIMS, "epoch": None}), "jwt malformed"),
        (signed({**CLAIMS, "epoch": 0.5}), "jwt malformed"),
    ],
)
def test_other_tokens_are_refused_in_the_known_words(token: str, reason: str) -> None:
    error = refusal(token)
    assert (error.status, error.message, error.summary) == (401, reason, "Unauthorized")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_other_algorithms_are_refused_even_with_our_secret(algorithm: str) -> None:
    long = SECRET * 2
    token = signed(CLAIMS, long, algorithm)
    with pytest.raises(NotAuthenticated):
        Tokens(long, None).read(token)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA", "HS1", "none ", "hs256"])
def test_algorithm_of_the_header_is_never_followed(algorithm: str) -> None:
    _, body, signature = tokens().issue(user()).split(".")
    assert refusal(f"{part({'alg': algorithm, 'typ': 'JWT'})}.{body}.{signature}").status == 401


@pytest.mark.parametrize("claim", ["discord_id", "role", "epoch", "exp", "iat"])
def test_tampered_claim_breaks_the_signature(claim: str) -> None:
    token = tokens().issue(user())
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    forged = f"{head}.{part({**claims, claim: 999999999999})}.{signature}"
    assert refusal(forged).message == "invalid signature"


@given(st.integers(0, 10_000), st.integers(1, 127))
def test_no_changed_token_is_believed(position: int, change: int) -> None:
    token = tokens().issue(user())
    position %= len(token)
    changed = chr(ord(token[position]) ^ change)
    forged = token[:position] + changed + token[position + 1 :]
    try:
        claims = tokens().read(forged)
    except NotAuthenticated:
        return
    # The last character of base64 has bits that mean nothing.
    assert position == len(token) - 1
    assert claims["discord_id"] == user().id


@given(st.text(max_size=50) | st.binary(max_size=50).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_refused_as_a_token(text: str) -> None:
    assert refusal(text).status == 401


async def test_token_that_was_believed_expires_all_the_same() -> None:
    ours = tokens()
    token = signed({**CLAIMS, "exp": int(time.time()) + 2})

    def is_refused() -> bool:
        try:
            ours.read(token)
        except NotAuthenticated:
            return True
        return False

    assert not is_refused()
    await until(is_refused, timeout_s=4)


def test_what_is_remembered_belongs_to_one_secret() -> None:
    token = tokens().issue(user())
    assert tokens().read(token) == tokens().read(token)
    with pytest.raises(NotAuthenticated):
        Tokens("another secret key of thirty-two ch", None).read(token)


def test_many_tokens_are_all_believed() -> None:
    ours = tokens()
    issued = [ours.issue(User(id=str(number), role=Role.APPRENTICE)) for number in range(1500)]
    assert [ours.read(token)["discord_id"] for token in issued] == [str(n) for n in range(1500)]
    assert ours.read(issued[0])["discord_id"] == "0"


def test_token_from_before_the_clock_went_back_is_believed() -> None:
    claims = {**CLAIMS, "iat": int(time.time()) + 86400}
    assert tokens().read(signed(claims))["discord_id"] == "1"


@pytest.mark.parametrize("claim", ["iat", "exp"])
@pytest.mark.parametrize("value", ["9999999999", None, [1], {"a": 1}])
def test_time_that_is_no_number_is_malformed(claim: str, value: object) -> None:
    token = signed({**CLAIMS, claim: value})
    assert refusal(token).message == "jwt malformed"
