"""PINs and people in flash: a cut anywhere leaves all as before or all as now, and gains no try."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootloader.shared.hashes import pbkdf2_sha256
from firmware.flows.steps import pin
from firmware.kept import files, people
from firmware.kept.files import Kept
from firmware.kept.memory import Memory
from firmware.kept.people import CASHIER, OWNER, People, PeopleError

CONFIG: Any = SimpleNamespace(
    pin_salt=bytes(16), pin_hash=pbkdf2_sha256(b"2580", bytes(16), 2), pin_rounds=2
)


class Cut(BaseException):
    """The power is gone."""


class Disk:
    """`firmware.kept.files` on a disk whose power goes at the operation `cut_at`, 0 the first."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -1
        monkeypatch.setattr(files, "open", self.open, raising=False)
        monkeypatch.setattr(
            files,
            "os",
            SimpleNamespace(rename=self.rename, stat=os.stat, remove=self.remove),
        )

    def step(self) -> None:
        if self.left == 0:
            raise Cut
        self.left -= 1

    def open(self, path: str, mode: str) -> Any:
        if "w" in mode:
            self.step()
            Path(path).write_bytes(b"\x84\x01")  # what a cut leaves of it
            self.step()
        return Path(path).open(mode)

    def rename(self, old: str, new: str) -> None:
        self.step()
        Path(old).rename(new)
        self.step()

    def remove(self, path: str) -> None:
        if self.left == 0:
            return  # nothing more happens once the power is gone
        Path(path).unlink(missing_ok=True)

    def cuts(self) -> Iterator[None]:
        """One pass for each operation at which the power may go, the last without a cut."""
        for n in range(40):
            self.left = n
            yield
            if self.left > 0:
                self.left = -1
                return
        raise AssertionError("too many operations")


def everybody() -> People:
    """The owner with a PIN of his own choice, and ADA with 7391."""
    made = People()
    made.set_pin(CONFIG, OWNER, "9173", bytes(15) + b"o")
    ada = made.add(CASHIER, "ADA")
    made.set_pin(CONFIG, ada.number, "7391", bytes(15) + b"a")
    return made


def test_what_is_kept_is_read_again_and_holds_no_pin() -> None:
    kept = everybody().dump()
    assert b"7391" not in kept and b"9173" not in kept
    again = People(kept)
    assert again.dump() == kept
    assert again.is_right(CONFIG, 1, "7391") and not again.is_right(CONFIG, 1, "9173")
    assert again.is_right(CONFIG, OWNER, "9173") and not again.is_right(CONFIG, OWNER, "2580")
    assert not again.is_right(CONFIG, 2, "7391")


def test_a_technicians_new_pin_in_the_settings_ends_what_the_owner_chose() -> None:
    mended: Any = SimpleNamespace(
        pin_salt=bytes(16), pin_hash=pbkdf2_sha256(b"4711", bytes(16), 2), pin_rounds=2
    )
    assert everybody().is_right(mended, OWNER, "4711")
    assert not everybody().is_right(mended, OWNER, "9173")


def test_a_number_is_never_given_twice() -> None:
    made = everybody()
    made.others.clear()
    assert made.add(CASHIER, "EVE").number == 2
    made.others.clear()
    assert People(made.dump()).add(CASHIER, "BEN").number == 3


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: b"",
        lambda raw: raw[:-1],
        lambda raw: raw + b"\0",
        lambda raw: b"\x84\x02" + raw[2:],
        lambda raw: raw.replace(b"ADA", b"\xff\xff\xff"),
        lambda raw: b"\x84\x01\x01" + raw[3:],  # ADA's number was never given
        lambda raw: b"\x80",
    ],
)
def test_a_spoiled_file_is_refused_and_the_copy_of_it_is_used(
    spoil: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = str(tmp_path / "merchant.people")
    kept = Kept(True)
    people.store(kept, everybody(), path)
    assert people.load(kept, path).find(1)
    raw = spoil(Path(path).read_bytes())
    with pytest.raises(PeopleError):
        People(raw)
    Path(path).write_bytes(raw)
    assert people.load(kept, path).is_right(CONFIG, 1, "7391")
    assert "merchant.people" in kept.refused
    Path(path + ".last").unlink()
    alone = people.load(kept, path)
    assert not alone.others and alone.is_right(CONFIG, OWNER, "2580")


def test_a_cut_while_people_are_kept_leaves_all_as_before_or_all_as_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    kept = Kept(False)
    path = str(tmp_path / "merchant.people")
    now = everybody()
    now.add(CASHIER, "EVE")
    now.set_pin(CONFIG, 2, "40408", bytes(16))
    seen = set()
    for _ in disk.cuts():
        left, disk.left = disk.left, -1
        people.store(kept, everybody(), path)
        disk.left = left
        try:
            people.store(kept, now, path)
        except Cut:
            pass
        found = Path(path).read_bytes()
        assert found in (everybody().dump(), now.dump())
        seen.add(found)
    assert len(seen) == 2


Judge = Callable[[Any, People, int, str], Awaitable[bool]]


async def judged_first(desk: Any, all_of_them: People, number: int, typed: str) -> bool:
    """A wrong build: the try is counted once it was judged."""
    right: bool = all_of_them.is_right(desk.config, number, typed)
    wrong, _ = pin.tries(desk.memory, number)
    pin.note(desk.memory, number, 0 if right else wrong + 1, not right)
    return right


def tries_gained(judge: Judge, number: int, tmp_path: Path, disk: Disk) -> int:
    """At how many cuts a wrong PIN was judged, and flash does not know it."""
    path = str(tmp_path / "merchant.json")
    gained = 0

    class Watched(People):  # type: ignore[misc]
        judged = False

        def is_right(self, config: Any, number: int, pin: str) -> bool:
            self.judged = True
            right: bool = super().is_right(config, number, pin)
            return right

    async def no_key(*_: Any, **__: Any) -> None:
        return None

    for _ in disk.cuts():
        left, disk.left = disk.left, -1
        memory = Memory(path)
        pin.note(memory, number, 2, False)
        disk.left = left
        asked = Watched(everybody().dump())
        ui = SimpleNamespace(bad=no_key, tell=lambda *_: None, key_within=no_key)
        desk = SimpleNamespace(
            memory=memory, config=CONFIG, ui=ui, second_ms=0, words=lambda *_: ""
        )
        try:
            asyncio.run(judge(desk, asked, number, "1111"))  # type: ignore[arg-type]
        except Cut:
            wrong, _ = pin.tries(Memory(path), number)
            gained += asked.judged and wrong < 3
        else:
            assert pin.tries(Memory(path), number) == (3, judge is judged_first)
    return gained


@pytest.mark.parametrize("number", [OWNER, 1])
def test_a_cut_anywhere_in_a_try_gains_no_try(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tries_gained(pin.judge, number, tmp_path, Disk(monkeypatch)) == 0
    assert tries_gained(judged_first, number, tmp_path, Disk(monkeypatch)) > 0


@pytest.mark.parametrize("number", [OWNER, 1])
def test_a_pause_that_is_not_over_is_in_flash_before_it_begins(number: int, tmp_path: Path) -> None:
    path = str(tmp_path / "merchant.json")
    pin.note(Memory(path), number, 3, True)
    assert pin.tries(Memory(path), number) == (3, True)
    assert pin.tries(Memory(path), 1 - number) == (0, False)
    pin.note(Memory(path), number, 0, False)
    assert pin.tries(Memory(path), number) == (0, False)


@pytest.mark.parametrize(
    "kept", ['{"tries": 1}', '{"tries": {"1": "x"}}', '{"tries": {"1": null}}']
)
def test_spoiled_tries_count_as_none(kept: str, tmp_path: Path) -> None:
    path = tmp_path / "merchant.json"
    path.write_text(kept)
    assert pin.tries(Memory(str(path)), 1) == (0, False)


def test_pins_that_thieves_try_first_are_known() -> None:
    easy = ["1234", "0123", "4321", "7890", "0000", "99999999", "12345678"]
    assert all(people.is_guessed_first(one) for one in easy)
    assert not any(people.is_guessed_first(one) for one in ("2580", "7391", "1235", "1122"))
