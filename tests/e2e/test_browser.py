"""Tests of `browser.py`: what a page does wrong is noticed."""

import pytest

from tests.e2e.browser import Browser, PageFailed, missing_browser


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("console.error('this is wrong')", "console: this is wrong"),
        ("setTimeout(() => nothing.there)", "error: ReferenceError: nothing is not defined"),
        ("fetch('http://127.0.0.1:9').catch(() => 0)", "request to another host: 127.0.0.1:9"),
    ],
)
async def test_complaints_and_requests_to_other_hosts_are_noticed(
    browser: Browser, script: str, complaint: str
) -> None:
    with pytest.raises(AssertionError, match=complaint):
        await visit(browser, script)


async def test_expected_complaint_is_none(browser: Browser) -> None:
    async with browser.page() as page:
        page.expect("is wrong")
        await page.open("data:text/html,<script>console.error('this is wrong')</script>")


async def test_failed_command_leaves_the_page_usable(browser: Browser) -> None:
    async with browser.page() as page:
        await page.open("data:text/html,<p>hello")
        with pytest.raises(PageFailed, match="reading 'login'"):
            await page.call("login")
        assert await page.text("p") == "hello"


def test_missing_program_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert missing_browser() == "node not found: apt install nodejs"


async def visit(browser: Browser, script: str) -> None:
    """Opens a page that runs the script, and leaves it when it had the time to complain."""
    after = "setTimeout(() => document.body.append('done'), 50)"
    async with browser.page() as page:
        await page.open(f"data:text/html,<body><script>{script};{after}</script>")
        await page.see("body", "done")
