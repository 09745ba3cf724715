"""What the office has to say to the merchant: notices that stay until they are read, and deposits
with a slip.
"""

from firmware.flows.steps import report
from firmware.kept import notices
from firmware.ui.money_and_dates import date_text, date_time_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.flows.desk import Desk
    from firmware.flows.steps.report import Rows
    from firmware.kept.notices import Place
    from firmware.ui.screen import Line

_UNREAD = "@ "


async def run(desk: "Desk") -> None:
    """The notices, the newest first; then the server's last word to a release that keeps none, or
    what is new in this one.
    """
    words = desk.words
    text = desk.message or desk.updates.news(words.language)
    while True:
        here, rows = _listed(desk)
        if not here:
            await desk.ui.ask(words("m_messages"), text or words("no_messages"), (("*", "back"),))
            return
        if text:
            rows.append((text, ""))
        at = await desk.ui.choose(words("m_messages"), rows)
        if not isinstance(at, int):
            return
        if at < len(here):
            await _show(desk, here[at])
        elif text:
            await desk.ui.ask(words("m_messages"), text, (("*", "back"),))


def _listed(desk: "Desk") -> "tuple[list[Place], list[Line]]":
    """The notices that who is signed in may see, the newest first: money is the owner's."""
    here: list[Place] = []
    rows: "list[Line]" = []
    for place in reversed(notices.places()):
        number, state = place
        said = notices.read(place)
        if said and len(said) > 2 and desk.till.person:
            continue
        sign = "" if state else _UNREAD
        day = date_text(number, desk.config.utc_offset_s)[:5]
        here.append(place)
        if said and len(said) > 2:
            rows.append((sign + day, desk.money(said[1])))
        else:
            rows.append((sign + (said[1] if said else desk.words("st_unread")), day))
    return here, rows


async def _show(desk: "Desk", place: "Place") -> None:
    """One notice; once its page was left by a key, it is read."""
    words = desk.words
    number, _ = place
    said = notices.read(place)
    when = date_time_text(number, desk.config.utc_offset_s)
    if not said or len(said) == 2:
        text = said[1] if said else words("st_unread")
        await desk.ui.ask(when, text, (("*", "back"),))
        _read(desk, place)
        return
    keys = (("*", "back"), ("#", "print"))
    rows = _rows(desk, said, when)
    title = _title(desk, said)
    key = await desk.ui.ask(title, [row for row in rows[1:] if row], keys, big=desk.price(said[1]))
    place = _read(desk, place)
    if key == "#":
        await report.printed(desk, title, rows, lambda: _copy(place))


def _title(desk: "Desk", said: "list[Any]") -> str:
    return desk.words("deposit" if said[1] > 0 else "paid_out")


def _rows(desk: "Desk", said: "list[Any]", when: str) -> "Rows":
    words = desk.words
    return [
        (words("amount"), desk.price(said[1])),
        (words("time"), when),
        (words("to_bill"), said[2]),
        (words("float_then"), desk.price(said[3])),
    ]


def _read(desk: "Desk", place: "Place") -> "Place":
    """Note that it was read; on a disk that takes nothing it stays unread."""
    try:
        if not place[1]:
            place = notices.mark(place)
            desk.unread -= 1
            desk.messenger.no_room = 0
    except OSError:
        pass
    return place


def _copy(place: "Place") -> int | None:
    """Which copy the slip is that is printed next, None for the first one; noted before it is, so
    that a cut leaves no second original. On a disk that takes nothing nobody knows which (0).
    """
    try:
        notices.mark(place)
    except OSError:
        return 0
    return place[1] - 1 or None
