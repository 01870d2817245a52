"""Tests of `launcher/settings_form.py`."""

from typing import Any

import pytest

from launcher.setting_list import Setting
from launcher.settings_form import changes_of, conflicts_of, contents, form, markdown


def setting(name: str = "PORT", **changes: Any) -> Setting:
    """One that nobody has said anything of."""
    values: dict[str, Any] = {
        "section": "Net work", "unit": "port", "default": "3333", "meaning": "Where.",
        "is_secret": False, "value": "3333", "is_set": True, "said_by": None,
    }  # fmt: skip
    return Setting(name=name, **values | changes)


OWN = setting(value="4", said_by="data folder")
SECRET = setting("KEY", is_secret=True, value=None, said_by="data folder", default="")
SWITCH = setting("ON", unit="on or off", default="false", value="1", said_by="data folder")


@pytest.mark.parametrize(
    ("one", "sent", "changes"),
    [
        (setting(), {"PORT": ""}, {}),
        (setting(), {"PORT": " 5 "}, {"PORT": "5"}),
        (setting(), {}, {}),
        (OWN, {"PORT": "4"}, {}),
        (OWN, {"PORT": ""}, {"PORT": None}),
        (setting(value="9", said_by="./.env"), {"PORT": ""}, {}),
        (setting(value="9", said_by="./.env"), {"PORT": "9"}, {"PORT": "9"}),
        (setting(value="9", said_by="environment"), {"PORT": "5"}, {}),
        (SECRET, {"KEY": ""}, {}),
        (SECRET, {"KEY": "new"}, {"KEY": "new"}),
        (SECRET, {"KEY": "", "forget:KEY": "on"}, {"KEY": None}),
        (SWITCH, {"ON": "true"}, {}),
        (SWITCH, {"ON": "false"}, {"ON": "false"}),
        (SWITCH, {"ON": ""}, {"ON": None}),
    ],
)
def test_only_what_is_different_is_changed(
    one: Setting, sent: dict[str, str], changes: dict[str, str | None]
) -> None:
    assert changes_of(sent, [one]) == changes


def test_page_that_was_open_for_long_takes_nothing_back() -> None:
    sent = {"PORT": "4", "was:PORT": "4"}
    elsewhere = setting(value="7", said_by="data folder")
    assert changes_of(sent, [elsewhere]) == {}
    assert conflicts_of(sent, [elsewhere]) == {}
    assert changes_of({"PORT": "7", "was:PORT": "4"}, [elsewhere]) == {}
    both = {"PORT": "5", "was:PORT": "4"}
    (reason,) = conflicts_of(both, [elsewhere]).values()
    assert "changed elsewhere meanwhile, to 7" in reason
    assert 'name="was:PORT" value="7"' in form([elsewhere], {"PORT": reason}, both)


def test_what_is_set_to_nothing_is_told() -> None:
    nothing = setting(value="", is_set=False, said_by="data folder")
    assert "Set to nothing." in form([nothing], {})
    off = setting("ON", unit="on or off", default="true", value="", is_set=False,
                  said_by="data folder")  # fmt: skip
    assert '<option value="false" selected>off' in form([off], {})


def test_fields_show_what_holds() -> None:
    assert 'value="" autocomplete="off" placeholder="3333"' in form([setting()], {})
    assert 'value="4"' in form([OWN], {})
    near = form([setting(value="9", said_by="./.env")], {})
    assert 'placeholder="9"' in near
    assert "Now said by <code>./.env</code>" in near
    outside = form([setting(value="9", said_by="environment")], {})
    assert 'disabled value="9"' in outside
    assert "The environment says it; it cannot be changed here" in outside
    given = setting(value="9", said_by="command line")
    assert "The command line says it" in form([given], {})
    assert changes_of({"PORT": "5", "was:PORT": "9"}, [given]) == {}
    assert '<option value="true" selected>on' in form([SWITCH], {})
    assert "as it is by itself (off)" in form([SWITCH], {})


def test_secret_can_be_replaced_and_taken_out_but_not_seen() -> None:
    shown = form([SECRET], {}, {"KEY": "typed"})
    assert 'type="password"' in shown
    assert "typed" not in shown
    assert 'name="forget:KEY"' in shown
    assert "forget" not in form([setting("KEY", is_secret=True, value=None, is_set=False)], {})


def test_wrong_value_stays_with_what_is_wrong() -> None:
    shown = form([OWN], {"PORT": "too <large>", "settings": "nothing fits"}, {"PORT": '9"9'})
    assert 'value="9&quot;9"' in shown
    assert '<strong role="alert">too &lt;large&gt;</strong>' in shown
    assert '<p role="alert">nothing fits</p>' in shown


def test_sections_can_be_reached() -> None:
    other = setting("X", section="Other & more")
    assert contents([setting(), OWN, other]) == (
        '<nav><a href="#net-work">Net work</a><a href="#other-more">Other &amp; more</a></nav>'
    )
    shown = form([setting(), other], {})
    assert shown.index('id="net-work"') < shown.index('id="other-more"')


def test_meaning_is_markdown() -> None:
    assert markdown("Takes `a<b`; see *More* & on.") == (
        "Takes <code>a&lt;b</code>; see <em>More</em> &amp; on."
    )
