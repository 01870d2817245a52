"""Tests of `launcher/masking.py`."""

import pytest

from launcher.masking import without_secrets


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("Launching Web UI with arguments: --api-auth me:hunter22 --port 7860",
         "Launching Web UI with arguments: --api-auth *** --port 7860"),
        ("--gradio-auth=a:b,c:d --api", "--gradio-auth=*** --api"),
        ("arguments: --api-auth 'me:two words' --api", "arguments: --api-auth *** --api"),
        ('--api-auth "me:\\"two\\" words" --api', "--api-auth *** --api"),
        ("--api-auth 'me:never closed", "--api-auth ***"),
        ("['launch.py', '--api-auth', 'me:plainpass']", "['launch.py', '--api-auth', ***]"),
        ("Authorization: Basic bWU6eA==", "Authorization: Basic ***"),
        ("fetching https://me:secret@example.org/x", "fetching https://***@example.org/x"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("GET /x?token=abc&y=1", "GET /x?token=***&y=1"),
        ("'api_key': 'abc', 'y': 1", "'api_key': '***', 'y': 1"),
        ("own is topsecret here", "own is *** here"),
        ("short is abc here", "short is abc here"),
        ("100%|████| 20/20 [00:01<00:00]", "100%|████| 20/20 [00:01<00:00]"),
        ("Running on local URL:  http://127.0.0.1:7860",
         "Running on local URL:  http://127.0.0.1:7860"),
    ],
)  # fmt: skip
def test_secrets_are_masked_and_the_rest_stays(line: str, masked: str) -> None:
    assert without_secrets(line, ["topsecret", "abc", ""]) == masked


def test_secret_that_begins_with_another_is_masked_as_a_whole() -> None:
    assert without_secrets("is topsecret-and-more", ["topsecret", "topsecret-and-more"]) == "is ***"
