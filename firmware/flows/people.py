"""Who may use the terminal: the owner adds, renames and removes people and gives them new PINs."""

from firmware.flows.steps import pin, spell
from firmware.kept import people
from firmware.sales.journal import JournalFull
from firmware.sales.sale import SaleRefused
from firmware.sales.state import SETTING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.kept.people import People, Person

_ROLES = ("", "cashier", "technician")
_NEW_PIN = 0
_RENAME = 1
_REMOVE = 2


async def run(desk: "Desk") -> None:
    """Everybody, one to choose; changes are in flash before they are told.

    Raises:
        SaleRefused: journal_full; nobody was added or renamed. Who is removed is out all the same.
    """
    words = desk.words
    while True:
        everybody = people.load(desk.files)  # what was not kept is not believed
        rows = [(one.name, words(_ROLES[one.role])) for one in everybody.others]
        if len(rows) < people.MOST:
            rows.append((words("add"), ""))
        at = await desk.ui.choose(words("m_people"), rows)
        if not isinstance(at, int):
            return
        try:
            if at < len(everybody.others):
                await _one(desk, everybody, everybody.others[at])
            else:
                await _add(desk, everybody)
        except OSError:
            await desk.ui.bad(words("m_people"), words("not_kept"))


def _told(desk: "Desk", number: int, name: str) -> None:
    """Tell the journal, and so the office, what a number is called; "": nobody any more."""
    try:
        desk.till.journal.append(SETTING, ["person " + str(number), name])
    except JournalFull:
        raise SaleRefused("journal_full")


async def _add(desk: "Desk", everybody: "People") -> None:
    words = desk.words
    at = await desk.ui.choose(words("add"), [words(role) for role in _ROLES[1:]])
    if not isinstance(at, int):
        return
    name = await spell.spell(desk, words("name"), people.MOST_LETTERS)
    new = await pin.new_pin(desk, name) if name else None
    if not name or not new:
        return
    one = everybody.add(people.CASHIER + at, name)
    # the name first: a number in a sale that nobody can name would be worse than a name unused
    _told(desk, one.number, name)
    pin.keep(desk, everybody, one.number, new)
    await _done(desk, name)


async def _one(desk: "Desk", everybody: "People", one: "Person") -> None:
    words = desk.words
    at = await desk.ui.choose(one.name, [words(what) for what in ("pin_give", "rename", "remove")])
    if at == _RENAME:
        name = await spell.spell(desk, words("name"), people.MOST_LETTERS, one.name)
        if name and name != one.name:
            one.name = name
            _told(desk, one.number, name)
            people.store(desk.files, everybody)
            await _done(desk, name)
    elif at == _NEW_PIN:
        new = await pin.new_pin(desk, one.name)
        if new:
            pin.keep(desk, everybody, one.number, new)
            await _done(desk, one.name)
    elif at == _REMOVE:
        question = (("*", "back"), ("#", "remove"))
        if await desk.ui.bad(one.name, words("remove_q", one.name), question) != "#":
            return
        everybody.others.remove(one)
        people.store(desk.files, everybody)  # he is out before it is told
        pin.note(desk.memory, one.number, 0, False)
        try:
            _told(desk, one.number, "")
        except SaleRefused:
            pass  # the office keeps a name whose number nobody has any more
        await _done(desk, one.name)


async def _done(desk: "Desk", name: str) -> None:
    desk.ui.good()
    await desk.ui.ask(name, desk.words("people_kept"), (("#", "ok"),), timeout_ms=10000)
