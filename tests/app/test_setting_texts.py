"""Tests of `app/setting_texts.py`. That the README says the same: tests/conventions."""

from pathlib import Path

from app.setting_names import LAUNCHER_NAMES
from app.setting_texts import setting_texts
from app.settings import Settings, setting_names


def test_every_setting_has_a_text() -> None:
    texts = setting_texts()
    assert len(texts) == len({text.name for text in texts})
    assert {text.name for text in texts} == setting_names()
    assert {text.name for text in texts} >= LAUNCHER_NAMES
    assert all(text.unit and text.meaning and text.section for text in texts)


def test_what_is_masked_in_logs_is_a_secret_here(tmp_path: Path) -> None:
    secrets = {
        text.name: f"user:value-of-{text.name}" for text in setting_texts() if text.is_secret
    }
    secrets |= {
        "DB_URL": "mysql://u:value-of-DB_URL@h/n",
        "NOTIFY_WEBHOOK_URL": "https://example.org/value-of-it",
    }
    del secrets["BOT_TOKEN"]  # another name of one of them
    settings = Settings.model_validate({**secrets, "data_dir": tmp_path})
    shown = {str(value) for value in secrets.values()} | {"value-of-DB_URL"}
    assert set(settings.secrets) <= shown
    assert len(settings.secrets) == len(secrets)
