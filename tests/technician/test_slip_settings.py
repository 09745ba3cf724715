"""What a slip says of the shop, as a technician types it."""

from __future__ import annotations

import pytest

from tools import oracle
from tools.errors import LinkError
from tools.technician import provisioning


def test_each_part_of_a_slip_becomes_the_setting_that_the_terminal_reads() -> None:
    pairs = ["place=Stall 14", "tax_number=P0", "helpline=0700=1", "vat_permille=160", "number=12"]
    patch = provisioning.slip_settings(
        [*pairs, "terms.en=No returns.", "terms.yo=A kì í dá a padà."]
    )
    assert patch == {
        "merchant": {"place": "Stall 14", "tax_number": "P0"},
        "helpline": "0700=1",
        "vat_permille": 160,
        "number": "12",
        "terms": {"en": "No returns.", "yo": "A kì í dá a padà."},
    }
    shop = {"name": "Mama Asha Shop", **provisioning.pin_settings("2580"), **patch.pop("merchant")}
    named = {"server": {"host": "h", "port": 1}, "apn": "a", "channel": "stable", "language": "en"}
    oracle.check_settings({**provisioning.USUAL, **named, "merchant": shop, **patch})


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ("place", "NAME=TEXT"),
        ("colour=red", "nothing on a slip"),
        ("vat_permille=16 %", "whole number"),
        ("terms.=x", "nothing on a slip"),
    ],
)
def test_what_is_nothing_on_a_slip_is_refused(pair: str, says: str) -> None:
    with pytest.raises(LinkError, match=says):
        provisioning.slip_settings([pair])
