"""The boot control block: which slot runs, on what terms, and what went wrong last time.

The bootloader reads it before anything else; the update client switches through it; recovery mends
it. Nobody else writes the `control` partition. Bytes and reasons: docs/formats/control-block.md.
"""

import struct

from bootloader.shared.compat import const
from bootloader.shared.hashes import equal, hmac_sha256
from bootloader.shared.partitions import PAGE_BYTES, SECTOR_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    from bootloader.shared.partitions import Partition

    class Policy(TypedDict):
        """The release entry's `trial`."""

        crashes_allowed: int
        unconfirmed_boots_allowed: int
        selftest_deadline_s: int


REASON_BYTES = const(48)
_MAGIC = b"DKC1"
_HEAD = "<4sIIBBHHHII48s"
_SLOT = "<BBHIIII32s"
_SLOT_A = const(76)
_SLOT_B = const(128)
_MARK = const(223)  # outside the seal: made 0 when a later record is in flash
_SEAL = const(224)
_PAGES_PER_SECTOR = SECTOR_BYTES // PAGE_BYTES
_ERASE_ATTEMPTS = const(3)
_LOST_BOOTS = const(4096)  # many times what two sectors can count

SLOT_STATES = ("empty", "good", "trial", "bad", "ready")
_ACTIVE = (None, "a", "b")
_REQUESTS = (None, "recovery")
OTHER: dict[str | None, str] = {"a": "b", "b": "a"}


class ControlError(ValueError):
    """The record is not valid, or the change not allowed; what was recorded before holds."""


class Slot:
    """What is known of one slot. `sha256` is of the first `image_size` bytes of its partition."""

    def __init__(self) -> None:
        self.state = "empty"
        self.image_size = 0
        self.sha256 = bytes(32)
        self.release = 0
        self.security_version = 0
        self.crashes_allowed = 0
        self.unconfirmed_boots_allowed = 0
        self.selftest_deadline_s = 0


class State:
    """One record's content.

    `active` is "a", "b" or None; `request` is None or "recovery"; `crashes` counts crashes in a row
    of the active slot; `unconfirmed_boots` counts the boots of a trial that followed no crash;
    `failure_reason` is "" when nothing waits to be reported; `trial_failed` is True if that failure
    ended a trial, and False if a confirmed release crashed.
    """

    def __init__(self) -> None:
        self.sequence = 0
        self.boot_count = 0
        self.active: str | None = None
        self.request: str | None = None
        self.crashes = 0
        self.unconfirmed_boots = 0
        self.security_version = 0
        self.failed_release = 0
        self.failure_reason = ""
        self.trial_failed = False
        self.slots: dict[str | None, Slot] = {"a": Slot(), "b": Slot()}  # None is no key

    def copy(self) -> "State":
        """The same content in a State of its own."""
        new = State()
        for name, value in self.__dict__.items():
            if name != "slots":
                setattr(new, name, value)
        for slot_name, slot in self.slots.items():
            for name, value in slot.__dict__.items():
                setattr(new.slots[slot_name], name, value)
        return new

    def fail(self, release: int, reason: str) -> None:
        """Note what the next report shall say."""
        self.failed_release = release
        self.failure_reason = reason or "?"
        self.trial_failed = False

    def crash(self, reason: str) -> None:
        """Count a crash of the active slot; what another release did goes first until reported."""
        self.crashes += 1
        if self.active:
            release = self.slots[self.active].release
            if not self.failure_reason or self.failed_release == release:
                self.fail(release, reason)

    def security_fits(self, slot: str) -> bool:
        """True if the image in `slot` is not under the terminal's security version."""
        return self.slots[slot].security_version >= self.security_version

    def is_way_back(self, slot: str) -> bool:
        """True if `slot`, not the active one, is to boot when the active one fails: a confirmed
        release, or the second of two of which none was ever confirmed. Its image may be damaged.
        """
        spare = self.slots[slot].state == "ready" and self.slots[OTHER[slot]].state == "trial"
        return (spare or self.slots[slot].state == "good") and self.security_fits(slot)


def _number(value: int, bits: int) -> int:
    if not isinstance(value, int) or not 0 <= value < 1 << bits:
        raise ControlError("number out of range")  # MicroPython's struct would cut it silently
    return value


def _reason_bytes(text: str) -> bytes:
    raw = text.encode()
    end = min(len(raw), REASON_BYTES)
    while end < len(raw) and end and raw[end] & 0xC0 == 0x80:
        end -= 1  # never half a character
    return raw[:end]


def encode(state: State, key: bytes) -> bytearray:
    """The 256-byte record of `state`, sealed under `key` (32 bytes).

    Raises ControlError if a value does not fit its field.
    """
    page = bytearray(PAGE_BYTES)
    struct.pack_into(
        _HEAD,
        page,
        0,
        _MAGIC,
        _number(state.sequence, 32),
        _number(state.boot_count, 32),
        _ACTIVE.index(state.active),
        _REQUESTS.index(state.request),
        min(state.crashes, 0xFFFF),
        min(state.unconfirmed_boots, 0xFFFF),
        int(state.trial_failed),
        _number(state.security_version, 32),
        _number(state.failed_release, 32),
        _reason_bytes(state.failure_reason),
    )
    for name, offset in (("a", _SLOT_A), ("b", _SLOT_B)):
        slot = state.slots[name]
        if len(slot.sha256) != 32:
            raise ControlError("a SHA-256 has 32 bytes")
        struct.pack_into(
            _SLOT,
            page,
            offset,
            SLOT_STATES.index(slot.state),
            _number(slot.crashes_allowed, 8),
            _number(slot.unconfirmed_boots_allowed, 16),
            _number(slot.image_size, 32),
            _number(slot.release, 32),
            _number(slot.security_version, 32),
            _number(slot.selftest_deadline_s, 32),
            slot.sha256,
        )
    page[_MARK] = 0xFF
    page[_SEAL:] = hmac_sha256(key, memoryview(page)[:_MARK])
    return page


def decode(page: bytes | bytearray, key: bytes) -> State:
    """The State in a 256-byte record. Raises ControlError if the seal or a field is wrong."""
    if len(page) != PAGE_BYTES or bytes(page[:4]) != _MAGIC:
        raise ControlError("not a control record")
    if not equal(hmac_sha256(key, memoryview(page)[:_MARK]), page[_SEAL:]):
        raise ControlError("the seal of the control record is wrong")
    state = State()
    try:
        (
            _,
            state.sequence,
            state.boot_count,
            active,
            request,
            state.crashes,
            state.unconfirmed_boots,
            trial_failed,
            state.security_version,
            state.failed_release,
            reason,
        ) = struct.unpack_from(_HEAD, page, 0)
        state.active = _ACTIVE[active]
        state.request = _REQUESTS[request]
        state.failure_reason = reason.rstrip(b"\0").decode()
        state.trial_failed = trial_failed & 1 == 1
        for name, offset in (("a", _SLOT_A), ("b", _SLOT_B)):
            slot = state.slots[name]
            (
                slot_state,
                slot.crashes_allowed,
                slot.unconfirmed_boots_allowed,
                slot.image_size,
                slot.release,
                slot.security_version,
                slot.selftest_deadline_s,
                slot.sha256,
            ) = struct.unpack_from(_SLOT, page, offset)
            slot.state = SLOT_STATES[slot_state]
    except (IndexError, UnicodeError):
        raise ControlError("unknown value in the control record")
    return state


class ControlBlock:
    """The records of the `control` partition, sealed under `key`.

    Every call that changes something writes one record, is durable when it returns, and can be
    repeated: cut at any instant, either the old record or the new one is the newest valid one.
    """

    def __init__(self, partition: "Partition", key: bytes) -> None:
        self._partition = partition
        self._key = key
        self._newest_page: int | None = None
        self._unmarked: list[int] = []
        # None only where `load` found no record, which recovery alone goes on from
        self.state: State = None  # type: ignore[assignment]
        self.newer_lost = False

    def load(self) -> State | None:
        """The newest valid State, also kept in `.state`; None if no record is valid.

        `.newer_lost` is then True if a later record was there once, and the boot count above what
        that can have counted; to be above an earlier such loss, too, is for `bootloader.boot`.
        """
        candidates = []
        self._unmarked = []
        self.newer_lost = False
        head = bytearray(8)
        mark = bytearray(1)
        for index in range(2 * _PAGES_PER_SECTOR):
            self._partition.read_into(index * PAGE_BYTES, head)
            if head[:4] == _MAGIC:
                candidates.append((struct.unpack_from("<I", head, 4)[0], index))
                self._partition.read_into(index * PAGE_BYTES + _MARK, mark)
                if mark[0] == 0xFF:
                    self._unmarked.append(index)
        # Of two records with one sequence number the later page is newer: the earlier one was torn
        # when the later one was written.
        candidates.sort()
        self.state = self._newest_page = None  # type: ignore[assignment]  # see __init__
        while candidates:
            sequence, index = candidates.pop()
            try:
                state = decode(self._partition.read(index * PAGE_BYTES, PAGE_BYTES), self._key)
            except ControlError:
                continue
            # A page that a cut left weak may have told another number when its head was read.
            if state.sequence == sequence:
                self.state = state
                self._newest_page = index
                self.newer_lost = index not in self._unmarked  # a mark half made is made
                if self.newer_lost:
                    state.boot_count += _LOST_BOOTS
                break
        return self.state

    def create(self, boot_count: int) -> bool:
        """Begin the block anew: both slots empty, counting boots from `boot_count`; True if begun.

        A valid record is never erased. It may be there although `load` saw none: a page that a cut
        left weak reads badly once and well the next time. Then `.state` is its content.
        """
        if self.load():
            return False
        self._erase(1)
        self._erase(0)
        state = State()
        state.boot_count = boot_count
        self._newest_page = -1
        try:
            self.write(state)
        except ControlError:
            self._newest_page = None
            raise
        return True

    def write(self, state: State) -> None:
        """Make `state` the newest record; it gets the next sequence number.

        Raises ControlError if the flash takes no record or a value does not fit; `.state` and the
        newest record stay.
        """
        if self._newest_page is None:
            raise ControlError("no control block: create it first")
        new = state.copy()
        new.sequence = self.state.sequence + 1 if self.state else 1
        page = encode(new, self._key)
        index = self._newest_page + 1
        room = index == 0 or index % _PAGES_PER_SECTOR
        written = self._program(page, index) if room else None
        if written is None:
            # The full sector keeps the newest record until the other one holds a newer one. That
            # one is erased even if it looks blank: the power may have gone during its last erase.
            other = int(self._newest_page < _PAGES_PER_SECTOR)
            self._erase(other)
            written = self._program(page, other * _PAGES_PER_SECTOR)
        if written is None:
            raise ControlError("the control partition takes no record")
        self._newest_page = written
        self.state = new
        self.newer_lost = False
        # From now on the loss of the new record shows in the ones before it.
        for page_index in self._unmarked:
            if page_index != written:
                self._partition.program(page_index * PAGE_BYTES + _MARK, b"\0")
        self._unmarked = [written]

    def _program(self, page: bytearray, index: int) -> int | None:
        """Program `page` at the first page from `index` to the sector's end that takes it."""
        while True:
            offset = index * PAGE_BYTES
            if self._partition.is_blank(offset, PAGE_BYTES):
                self._partition.program(offset, page)
                if self._partition.read(offset, PAGE_BYTES) == page:
                    return index
            index += 1
            if index % _PAGES_PER_SECTOR == 0:
                return None

    def _erase(self, sector: int) -> None:
        for _ in range(_ERASE_ATTEMPTS):
            self._partition.erase_sector(sector * SECTOR_BYTES)
            if self._partition.is_blank(sector * SECTOR_BYTES, SECTOR_BYTES):
                return
        raise ControlError("a sector of the control partition does not erase")

    def _place(
        self,
        slot: str,
        slot_state: str,
        image_size: int,
        sha256: bytes,
        release: int,
        security_version: int,
        policy: "Policy",
    ) -> State:
        if slot not in OTHER:
            raise ControlError("no such slot")
        if not image_size or not release:
            raise ControlError("an image has a size and a release number")
        if security_version < self.state.security_version:
            raise ControlError("security version is under the terminal's")
        state = self.state.copy()
        place = state.slots[slot]
        place.state = slot_state
        place.image_size = image_size
        place.sha256 = bytes(sha256)
        place.release = release
        place.security_version = security_version
        place.crashes_allowed = policy["crashes_allowed"]
        place.unconfirmed_boots_allowed = policy["unconfirmed_boots_allowed"]
        place.selftest_deadline_s = policy["selftest_deadline_s"]
        return state

    def start_trial(
        self,
        slot: str,
        image_size: int,
        sha256: bytes,
        release: int,
        security_version: int,
        policy: "Policy",
    ) -> None:
        """Boot `slot` from the next reset on, until it is confirmed or its `policy` is used up.

        `policy` is the release entry's `trial`. Raises ControlError if the security version is too
        low, or unless the other slot is active and good: a trial needs a way back.
        """
        state = self._place(slot, "trial", image_size, sha256, release, security_version, policy)
        if state.active != OTHER[slot] or state.slots[state.active].state != "good":
            raise ControlError("a trial needs the running release confirmed in the other slot")
        state.active = slot
        state.crashes = state.unconfirmed_boots = 0
        self.write(state)

    def hold(
        self,
        slot: str,
        image_size: int,
        sha256: bytes,
        release: int,
        security_version: int,
        policy: "Policy",
    ) -> None:
        """Record a verified image that nobody chose yet; it is not booted.

        Raises ControlError as `start_trial`, or if `slot` is the active one.
        """
        state = self._place(slot, "ready", image_size, sha256, release, security_version, policy)
        if state.active == slot:
            raise ControlError("the slot is in use")
        self.write(state)

    def adopt(
        self,
        slot: str,
        image_size: int,
        sha256: bytes,
        release: int,
        security_version: int,
        policy: "Policy",
    ) -> None:
        """As `start_trial`, but also where there is no way back: a technician's word, in recovery.

        An image that was on trial in the other slot is kept as `hold` keeps one.
        """
        state = self._place(slot, "trial", image_size, sha256, release, security_version, policy)
        other = state.slots[OTHER[slot]]
        if other.state == "trial":
            other.state = "ready"
        state.active = slot
        state.crashes = state.unconfirmed_boots = 0
        self.write(state)

    def give_way(self) -> None:
        """Go back to the release in the other slot: a technician's word, in recovery.

        An image that was on trial is kept as `hold` keeps one. Raises ControlError unless the other
        slot is good, or ready to be tried after one that is on trial.
        """
        state = self.state.copy()
        other = OTHER.get(state.active)
        is_trial = other is not None and state.slots[state.active].state == "trial"
        if other is None or not state.is_way_back(other):
            raise ControlError("the other slot holds no release to go back to")
        if state.slots[other].state == "ready":
            state.slots[other].state = "trial"
        if is_trial:
            state.slots[state.active].state = "ready"
        state.active = other
        state.crashes = state.unconfirmed_boots = 0
        self.write(state)

    def confirm(self) -> None:
        """The running release passed its self-test: keep it, and let no older security version in.

        Without effect on a confirmed one. Raises ControlError if the active slot is neither.
        """
        state = self.state.copy()
        slot = state.slots.get(state.active)
        if slot is None or slot.state not in ("trial", "good"):
            raise ControlError("the active slot cannot be confirmed")
        if slot.state == "good":
            return
        slot.state = "good"
        state.crashes = state.unconfirmed_boots = 0
        state.security_version = max(state.security_version, slot.security_version)
        self.write(state)

    def running_well(self) -> None:
        """The release works: its crashes are no longer "in a row". Writes only if there were any.

        In a trial it does nothing: only `confirm` ends one.
        """
        if self.state.crashes and self.state.slots[self.state.active].state == "good":
            state = self.state.copy()
            state.crashes = 0
            self.write(state)

    def record_crash(self, reason: str) -> None:
        """Count a crash of the active slot and keep why (48 bytes of it)."""
        state = self.state.copy()
        state.crash(reason)
        self.write(state)

    def mark_bad(self, slot: str, reason: str) -> None:
        """Never boot what is in `slot` again; report `reason`."""
        state = self.state.copy()
        state.slots[slot].state = "bad"
        state.fail(state.slots[slot].release, reason)
        self.write(state)

    def empty(self, slot: str) -> None:
        """Forget what is in `slot`; call it before erasing the slot. Without effect if it is empty.

        Raises ControlError if the slot is the active one.
        """
        if self.state.active == slot:
            raise ControlError("the slot is in use")
        if self.state.slots[slot].state != "empty":
            state = self.state.copy()
            state.slots[slot] = Slot()
            self.write(state)

    def clear_failure(self) -> None:
        """The last failure has been reported. Writes only if there was one."""
        if self.state.failure_reason:
            state = self.state.copy()
            state.failed_release = 0
            state.failure_reason = ""
            state.trial_failed = False
            self.write(state)

    def request_recovery(self) -> None:
        """Enter serial recovery at the next reset, once."""
        state = self.state.copy()
        state.request = "recovery"
        self.write(state)
