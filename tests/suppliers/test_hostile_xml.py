"""XML of a stranger: nothing in it expands, is fetched, or costs more than its bytes; a message is
what it must be, or none.
"""

from __future__ import annotations

import resource

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_sim.suppliers import utility_words
from updater_server.sales.suppliers import xml_reading, xmlvend_slip
from updater_server.sales.suppliers import xmlvend_fields as table
from updater_server.sales.suppliers.base import NotAReport
from updater_server.sales.suppliers.xml_reading import NotXml

LAUGHS = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
HOSTILE = {
    "entities that grow": b'<!DOCTYPE x [<!ENTITY a0 "ha">' + LAUGHS + b"]><x>&a11;</x>",
    "a file of ours": b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>',
    "a call of ours": b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><x/>',
    "a parameter entity": b"<!DOCTYPE x [<!ENTITY % p \"<!ENTITY q 'w'>\"> %p;]><x/>",
    "only a document type": b"<!DOCTYPE x><x/>",
    "an instruction": b'<?xml-stylesheet href="http://127.0.0.1/"?><x/>',
    "depth": b"<x>" * 60_00 + b"</x>" * 60_00,
    "elements": b"<x>" + b"<y/>" * 10_000 + b"</x>",
    "attributes": b"<x " + b" ".join(b"a%d='1'" % n for n in range(5000)) + b"/>",
    "bytes": b"<x>" + b"y" * 70_000 + b"</x>",
    "an entity of nobody": b"<x>&nobody;</x>",
    "a prefix of nobody": b"<x:y/>",
    "two roots": b"<x/><y/>",
    "letters that are none": b"<x>\xff\xfe</x>",
    "nothing": b"",
}


@pytest.mark.parametrize("what", sorted(HOSTILE))
def test_what_is_hostile_is_refused_and_costs_nothing(what: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF)
    with pytest.raises(NotXml):
        xml_reading.read(HOSTILE[what])
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime - before.ru_utime < 0.5
    assert after.ru_maxrss - before.ru_maxrss < 20_000  # KiB


def _asked(meter: str = "04000001031") -> utility_words.Asked:
    return utility_words.Asked(
        "creditVendReq", "6001234567890", "duka-1", ("o", "p"), "20260922131320", "000007", meter,
        "KES 100", "",
    )  # fmt: skip


def _answer() -> bytes:
    return utility_words.sold(utility_words.Sold("VUPSB/0000001", _asked(), 5))


def _slip(data: bytes) -> xmlvend_slip.Slip:
    return xmlvend_slip.read(table.unwrap(data))


WHOLE = _answer()


def test_a_whole_answer_is_a_slip() -> None:
    slip = _slip(WHOLE)
    assert (slip.meter, slip.tendered, slip.receipt) == ("04000001031", "100", "VUPSB/0000001")


@pytest.mark.parametrize("at", range(0, len(WHOLE) - 1, 7))
def test_an_answer_that_ends_early_is_none(at: int) -> None:
    with pytest.raises(table.NotAMessage):
        _slip(WHOLE[:at])


CREDIT = WHOLE[WHOLE.index(b"<tx ") : WHOLE.index(b"</tx>") + 5]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<b:stsCipher>", b"<b:stsCipher>1"),  # 21 digits
        (b"</b:stsCipher>", b"x</b:stsCipher>"),
        (CREDIT, CREDIT * 2),  # the same token twice
        (CREDIT, b""),
        (b"<b:meterDetail ", b'<b:meterDetail msno="04000001049"/><b:meterDetail '),
        (b"<tenderAmt ", b'<tenderAmt value="1" symbol="KES"/><tenderAmt '),
        (b'value="100" symbol="KES"/></r:', b'value="-100" symbol="KES"/></r:'),
        (b"/revenue/2.1/schema", b"/revenue/9.9/schema"),
        (b"</s:Body>", b"<x/></s:Body>"),
    ],
)
def test_what_could_be_read_in_two_ways_is_no_slip(old: bytes, new: bytes) -> None:
    assert old in WHOLE
    with pytest.raises(table.NotAMessage):
        _slip(WHOLE.replace(old, new))


def test_half_a_change_of_keys_is_no_slip() -> None:
    keyed = utility_words.sold(utility_words.Sold("VUPSB/0000001", _asked("04000000108"), 5))
    assert len(_slip(keyed).keys) == 2
    start = keyed.index(b"<b:set2ndMeterKey>")
    end = keyed.index(b"</b:set2ndMeterKey>") + len(b"</b:set2ndMeterKey>")
    with pytest.raises(table.NotAMessage):
        _slip(keyed[:start] + keyed[end:])


def test_odd_letters_of_what_is_only_shown_hold_up_no_token() -> None:
    slip = _slip(WHOLE.replace(b"Domestic", "Kü\nche\t".encode()))
    assert dict(slip.shown)["tariff"].startswith("K")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(WHOLE)), st.integers(0, 40))
def test_bytes_of_a_stranger_are_that_slip_or_none(noise: bytes, at: int, cut: int) -> None:
    spoiled = WHOLE[:at] + noise + WHOLE[at + cut :]
    try:
        slip = _slip(spoiled)
    except table.NotAMessage:
        return
    assert len(slip.tokens) == 1
    assert len(slip.tokens[0]) == 20


@pytest.mark.parametrize(
    "broken",
    [
        "", utility_words.HEAD, "END,0,10,0", utility_words.HEAD + "\nEND,0,10,1",
        utility_words.HEAD + "\nV/1,20260922131320,000007,04000001031,KES 100,V,,,5.0\nEND,0,10,1",
        utility_words.HEAD + "\nV/1,20260922131320,000007,04000001031,KES 100,V,123,,5\nEND,0,1,1",
        utility_words.HEAD + "\nV/1,2026,000007,04000001031,KES 100,R,,,5.0\nEND,0,10,1",
        utility_words.HEAD + "\nV/1,20260922131320,000007,04000001031,100,R,,,5.0\nEND,0,10,1",
        utility_words.HEAD + "\nV/1,20260922131320,000007,04000001031,KES 100,X,,,5\nEND,0,10,1",
    ],
)  # fmt: skip
def test_half_a_list_of_the_day_is_none(broken: str) -> None:
    with pytest.raises(NotAReport):
        xmlvend_slip.statement(broken.encode(), 2)
