"""Serial recovery: the technician's commands over SMP (docs/formats/serial.md).

`bootloader.boot` enters it and never comes back from it. It writes nothing that would let an image
run which the release managers did not sign, confirms none, and overwrites no confirmed release that
may be needed again; it tells the device key once, at provisioning.
"""

import gc
import os
import time
from hashlib import sha256

from bootloader import boot, entropy, identity, smp, trust
from bootloader.decide import CRASHES_IN_A_ROW
from bootloader.shared.compat import const
from bootloader.shared.control import OTHER, ControlBlock, ControlError
from bootloader.shared.hashes import equal, technician_permit
from bootloader.shared.partitions import SECTOR_BYTES, PartitionError, make_firm
from bootloader.shared.tidy import make_room, tidy
from bootloader.smp import SmpError

_IDLE_S = 0.002
_DRAIN_S = 0.05
_NAME_BYTES = const(64)
_FILE_BYTES = const(0x10000)
_SLOT_NAMES = ("a", "b")
_PROGRESS = "/data/upload"
_NOTE_EVERY = const(0x8000)  # a note costs about as much flash as a sector of the image
_NOTE_HEAD = const(33)
_PIECE_MARK = const(8)
_SELF_TEST_ONLY = "nothing but its own self-test confirms a release: choose it for a test"


def run(board, who, control):
    """Answer the technician until told to reset. Does not return."""
    recovery = Recovery(board, who, control)
    recovery.mend()
    reader = smp.LineReader()
    while not recovery.reset_wanted:
        data = board.console.read(256)
        if not data:
            time.sleep(_IDLE_S)
            continue
        for message in reader.feed(data):
            reply = smp.answer(message, recovery.handle)
            if reply is not None:
                board.console.write(smp.to_lines(reply))
            reply = None
            gc.collect()  # garbage in between breaks the heap into pieces too small for metadata
    time.sleep(_DRAIN_S)
    board.reset()


class _ImageUpload:
    def __init__(self, slot, size_bytes, sha256, entry):
        self.slot = slot
        self.size_bytes = size_bytes
        self.sha256 = sha256
        self.entry = entry
        self.offset = 0
        self.erased_bytes = 0
        # What is kept of an upload under way, for after a power cut: which, and 8 bytes of SHA-256
        # of each `_NOTE_EVERY` bytes that came.
        self.note = slot.encode() + sha256

    def noted_bytes(self):
        return (len(self.note) - _NOTE_HEAD) // _PIECE_MARK * _NOTE_EVERY


class _FileUpload:
    def __init__(self, name, size_bytes, file):
        self.name = name
        self.size_bytes = size_bytes
        self.file = file
        self.offset = 0


class Recovery:
    """The state of one technician's visit. `handle` is what `smp.answer` calls."""

    def __init__(self, board, who, control):
        self.board = board
        self.who = who
        self.control = control
        self.reset_wanted = False
        self._image = None
        self._file = None
        self._challenge = None
        self._permitted = None
        self._mounted = False
        self._commands = {
            (0, 0, True): self._echo,
            (0, 0, False): self._echo,
            (0, 5, True): self._reset,
            (0, 6, False): self._parameters,
            (1, 0, False): self._image_states,
            (1, 0, True): self._choose_image,
            (1, 1, True): self._upload_image,
            (1, 5, True): self._erase_image,
            (8, 0, True): self._upload_file,
            (64, 0, False): self._status,
            (64, 1, True): self._make_identity,
            (64, 2, False): self._make_challenge,
            (64, 2, True): self._take_permit,
        }

    def handle(self, group, command, is_write, body):
        """The reply map to one request. Raises SmpError for every refusal, and nothing else."""
        found = self._commands.get((group, command, is_write))
        if found is None:
            if (group, command) == (8, 0):
                raise SmpError(smp.RC_DENIED, "files cannot be read out")
            raise SmpError(smp.RC_UNSUPPORTED, "recovery has no such command")
        try:
            return found(body)
        except (
            ControlError,
            PartitionError,
            entropy.NoEntropyError,
            identity.IdentityError,
            trust.Refused,
        ) as fault:
            raise SmpError(smp.RC_INVALID, str(fault))
        except MemoryError:
            raise SmpError(smp.RC_NO_MEMORY, "not enough memory for this request")
        except OSError as fault:
            raise SmpError(smp.RC_UNKNOWN, "flash: " + str(fault))
        except SmpError:
            raise
        except Exception as fault:  # whatever was sent, recovery goes on
            raise SmpError(smp.RC_INVALID, type(fault).__name__ + ": " + str(fault))

    # os

    def _echo(self, body):
        return {"r": _field(body, "d", str)}

    def _reset(self, body):
        self.reset_wanted = True
        return {}

    def _parameters(self, body):
        return {"buf_size": smp.BUFFER_BYTES, "buf_count": 1}

    # provisioning

    def _status(self, body):
        return {
            "state": self._state(),
            "class": self.board.HARDWARE_CLASS,
            "revision": self.board.HARDWARE_REVISION,
            "bootloader": self.board.BOOTLOADER_VERSION,
            "uid": self.board.unique_id(),
            "terminal": self.who.terminal_id if self.who else None,
        }

    def _state(self):
        if self.who:
            return "provisioned"
        try:
            identity.load(self.board.partitions["identity"], self.board.unique_id())
        except identity.ForeignIdentityError:
            return "foreign"
        except identity.IdentityError:
            pass  # as good as none: a cut in the middle of provisioning leaves it so
        return "blank"

    def _make_identity(self, body):
        terminal_id = _field(body, "terminal", bytes)
        if len(terminal_id) != 8:
            raise SmpError(smp.RC_INVALID, "a terminal id has 8 bytes")
        partition = self.board.partitions["identity"]
        if self.who:
            # The reply may have been lost on the line: tell it again, until an image is installed.
            if identity.is_sealed(partition) or self.who.terminal_id != terminal_id:
                raise SmpError(smp.RC_DENIED, "this terminal has an identity")
        elif self._state() == "foreign":
            raise SmpError(smp.RC_DENIED, "the flash holds another terminal's identity")
        else:
            key = entropy.make_key(self.board.noise, self.board.random)
            who = identity.Identity(
                terminal_id,
                key,
                self.board.HARDWARE_CLASS,
                self.board.HARDWARE_REVISION,
                self.board.unique_id(),
            )
            # Blank first, identity last: cut anywhere before, the terminal is as new.
            for name in ("journal", "control"):
                _erase(self.board.partitions[name])
            self._mount()
            identity.store(partition, who)
            self.who = who
        self._open_control()
        return {"key": self.who.device_key}

    def _make_challenge(self, body):
        if self.who is None:
            raise SmpError(smp.RC_BAD_STATE, "this board has no identity yet: provision it")
        self._challenge = self.board.random(16)
        proof = technician_permit(self.who, "challenge", self._challenge)
        return {"challenge": self._challenge + proof}

    def _take_permit(self, body):
        """The server lets the technician bring one file."""
        file = _field(body, "file", bytes)
        challenge, self._challenge, self._permitted = self._challenge, None, None
        if self.who is None or challenge is None:
            raise SmpError(smp.RC_BAD_STATE, "ask for a challenge first")
        challenge = sha256(challenge + file).digest()[:16]
        wanted = technician_permit(self.who, "file", challenge)
        if not equal(_field(body, "permit", bytes), wanted):
            raise SmpError(smp.RC_DENIED, "the permit is not for this: ask the server again")
        self._permitted = file
        return {}

    def _open_control(self):
        """Load the control block, or begin it anew with boot counts above all that were used; True
        if it was begun."""
        board = self.board
        if self.control is None:
            key = self.who.control_key(board.unique_id())
            self.control = ControlBlock(board.partitions["control"], key)
        if self.control.load() is None:
            partition = board.partitions["identity"]
            first = identity.add_era(partition) if identity.is_sealed(partition) else 0
            return self.control.create(first)
        return False

    def mend(self):
        """Do what needs no technician: if the boot records were lost, begin them anew and take
        back the images that the trust on board still vouches for. After a cut it goes on: records
        that name no slot, where an image was once, are ones begun anew."""
        try:
            if self.who and (self._open_control() or self._lacks_image()) and self._find_images():
                self.reset_wanted = True
        except (ValueError, OSError, MemoryError, trust.Refused):
            pass  # the technician's commands will say what is wrong

    def _lacks_image(self):
        return self._is_sealed() and not self.control.state.active

    def _find_images(self):
        """Take back the intact images that are listed, the newest on trial; True if there are any.

        Which of them had been confirmed was lost with the records.
        """
        found = {}
        for entry in sorted(self._listed_images(), key=lambda e: -e.release):
            for slot in _SLOT_NAMES:
                partition = self.board.partitions["slot_" + slot]
                if slot not in found and boot.image_is_intact(partition, entry):
                    found[slot] = entry
        newest_last = sorted(found, key=lambda slot: found[slot].release)
        if not newest_last:
            return False
        # One of these ran, so none under the lowest may come.
        lowest = min([entry.security_version for entry in found.values()])
        self.control.state.security_version = max(self.control.state.security_version, lowest)
        if len(newest_last) > 1:
            self.control.hold(newest_last[0], *_terms(found[newest_last[0]]))
        self._adopt(newest_last[-1], found[newest_last[-1]])
        return True

    # image

    def _need_control(self):
        if self.who is None:
            raise SmpError(smp.RC_BAD_STATE, "make an identity first")
        if self.control is None or self.control.state is None:
            raise SmpError(smp.RC_BAD_STATE, "the boot records cannot be written")
        return self.control.state

    def _would_sell(self, slot):
        """True if `slot` holds a confirmed release that boots and does not crash for ever."""
        state = self.control.state
        return (
            state.slots[slot].state == "good"
            and state.security_fits(slot)
            and not (slot == state.active and state.crashes >= CRASHES_IN_A_ROW)
            and boot.image_is_intact(self.board.partitions["slot_" + slot], state.slots[slot])
        )

    def _is_needed(self, slot):
        """True if `slot`, not the active one, is what the terminal would go back to."""
        state = self.control.state
        return state.is_way_back(slot) and boot.image_is_intact(
            self.board.partitions["slot_" + slot], state.slots[slot]
        )

    def _free_slot(self, release):
        """The slot that `release` may overwrite. It is the active one if only the other would sell.

        Raises SmpError if a newer one is confirmed, or the running one is not sure to work.
        """
        state = self.control.state
        self._check_not_older(release)
        if not state.active:
            return "a"
        other = OTHER[state.active]
        if not self._is_needed(other):
            return other
        if not self._would_sell(state.active):
            return state.active
        if state.crashes:
            raise SmpError(
                smp.RC_BAD_STATE,
                "the running release crashed lately: let it reach its server, or give way, first",
            )
        return other

    def _check_not_older(self, release):
        slots = self.control.state.slots
        for name in _SLOT_NAMES:
            if slots[name].release > release and self._would_sell(name):
                raise SmpError(
                    smp.RC_DENIED,
                    "release %d is confirmed here, %d is older: have it released under a new number"
                    % (slots[name].release, release),
                )

    def _image_states(self, body):
        images = []
        state = self.control.state if self.control else None
        if state:
            for number, name in enumerate(_SLOT_NAMES):
                slot = state.slots[name]
                if slot.state == "empty":
                    continue
                active = name == state.active
                images.append(
                    {
                        "slot": number,
                        "version": str(slot.release),
                        "hash": slot.sha256,
                        "bootable": slot.state in ("good", "trial"),
                        "pending": active and slot.state == "trial",
                        "confirmed": slot.state == "good",
                        "active": active,
                    }
                )
        return {"images": images}

    def _choose_image(self, body):
        state = self._need_control()
        wanted = body.get("hash")
        confirm = _field(body, "confirm", bool, False)
        fault = SmpError(smp.RC_INVALID, "no slot holds that image")
        for name in _SLOT_NAMES:
            slot = state.slots[name]
            if slot.state == "empty" or (
                slot.sha256 != wanted and not (wanted is None and confirm and name == state.active)
            ):
                continue
            # The other slot may hold the same image, uploaded because this one is of no use.
            if slot.state == "bad":
                fault = SmpError(smp.RC_BAD_STATE, "that image failed: upload it again")
            elif not boot.image_is_intact(self.board.partitions["slot_" + name], slot):
                fault = SmpError(smp.RC_CORRUPT, "the image is damaged: upload it again")
            else:
                break
        else:
            raise fault
        if slot.state != "good" and confirm:
            raise SmpError(smp.RC_DENIED, _SELF_TEST_ONLY)
        if name != state.active:
            if slot.state != "good":
                self._check_not_older(slot.release)
                self._adopt(name, slot)
            elif not self._would_sell(state.active):
                self.control.give_way()
            else:
                self._check_not_older(slot.release)
        return self._image_states(body)

    def _adopt(self, slot, entry):
        identity.seal(self.board.partitions["identity"])
        self.control.adopt(slot, *_terms(entry))

    def _upload_image(self, body):
        state = self._need_control()
        offset = _field(body, "off", int)
        data = _field(body, "data", bytes, b"")
        if offset == 0:
            size_bytes = _field(body, "len", int)
            sha256 = _field(body, "sha", bytes)
            upload = self._image
            if upload is None or (upload.sha256, upload.size_bytes) != (sha256, size_bytes):
                self._begin_image(state, size_bytes, sha256)
        upload = self._image
        if upload is None:
            raise SmpError(smp.RC_BAD_STATE, "no upload has begun: start at offset 0")
        if offset != upload.offset:
            return {"off": upload.offset}
        if offset + len(data) > upload.size_bytes:
            raise SmpError(smp.RC_INVALID, "more bytes than the image has")
        if data:
            partition = self.board.partitions["slot_" + upload.slot]
            while upload.erased_bytes < offset + len(data):
                partition.erase_sector(upload.erased_bytes)
                upload.erased_bytes += SECTOR_BYTES
            partition.program(offset, data)
            upload.offset += len(data)
            if upload.offset == upload.size_bytes:
                self._finish_image(upload)
                return {"off": upload.offset, "match": True}
            if upload.offset >= upload.noted_bytes() + _NOTE_EVERY:
                self._note(upload)
        return {"off": upload.offset}

    def _begin_image(self, state, size_bytes, sha256):
        """Nothing is erased before the image is known to be signed for, and to be needed."""
        if len(sha256) != 32:
            raise SmpError(smp.RC_INVALID, "sha is the image's SHA-256: 32 bytes")
        if not 0 < size_bytes <= self.board.partitions["slot_a"].size_bytes:
            raise SmpError(smp.RC_INVALID, "the image does not fit the slot")
        entry = self._listed(sha256, size_bytes)
        self._image = None
        for name in _SLOT_NAMES:
            slot = state.slots[name]
            if (
                slot.sha256 == sha256
                and slot.state in ("good", "trial", "ready")
                and boot.image_is_intact(self.board.partitions["slot_" + name], slot)
            ):
                self._image = _ImageUpload(name, size_bytes, sha256, entry)
                self._image.offset = size_bytes  # it is here: nothing to send
                return
        slot = self._free_slot(entry.release)
        if slot == state.active:
            self.control.give_way()
        self.control.empty(slot)
        self._image = _ImageUpload(slot, size_bytes, sha256, entry)
        self._resume(self._image)

    def _note(self, upload):
        """Note how far an upload came. It spares sending again, nothing else: no error ends it."""
        start = upload.noted_bytes()
        partition = self.board.partitions["slot_" + upload.slot]
        upload.note += _piece_mark(partition, start)
        try:
            with open(_PROGRESS + ".new", "wb") as file:
                file.write(upload.note)
            os.rename(_PROGRESS + ".new", _PROGRESS)
        except OSError:
            tidy()

    def _resume(self, upload):
        """Go on where a power cut ended an upload of the same image, as far as the slot still holds
        what came then."""
        try:
            with open(_PROGRESS, "rb") as file:
                kept = file.read(256)
        except OSError:
            return
        if kept[:_NOTE_HEAD] != upload.note:
            return
        partition = self.board.partitions["slot_" + upload.slot]
        for at in range(_NOTE_HEAD, len(kept) - _PIECE_MARK + 1, _PIECE_MARK):
            start = upload.noted_bytes()
            if start + _NOTE_EVERY >= upload.size_bytes:
                break
            for sector in range(start, start + _NOTE_EVERY, SECTOR_BYTES):
                make_firm(partition, sector)
            if _piece_mark(partition, start) != kept[at : at + _PIECE_MARK]:
                break
            upload.note += kept[at : at + _PIECE_MARK]
        upload.offset = upload.erased_bytes = upload.noted_bytes()

    def _forget_note(self):
        try:
            os.remove(_PROGRESS)
        except OSError:
            pass  # there is none, or it will not fit what the slot holds

    def _finish_image(self, upload):
        self._image = None
        self._forget_note()
        partition = self.board.partitions["slot_" + upload.slot]
        if boot.image_sha256(partition, upload.size_bytes) != upload.sha256:
            raise SmpError(smp.RC_CORRUPT, "the image arrived damaged: upload it again")
        if any(slot.state in ("good", "trial") for slot in self.control.state.slots.values()):
            self.control.hold(upload.slot, *_terms(upload.entry))
        else:
            self._adopt(upload.slot, upload.entry)
        self._image = upload  # a repeated last request gets its answer again

    def _erase_image(self, body):
        state = self._need_control()
        number = body.get("slot")
        if number is None:
            name = OTHER[state.active] if state.active else "a"
        elif number in (0, 1):
            name = _SLOT_NAMES[number]
        else:
            raise SmpError(smp.RC_INVALID, "slots are 0 and 1")
        if name == state.active:
            raise SmpError(smp.RC_BAD_STATE, "that slot is in use")
        if state.active and (state.slots[name].state == "good" or self._is_needed(name)):
            raise SmpError(
                smp.RC_BAD_STATE, "that slot holds the way back: only an upload replaces it"
            )
        self._image = None
        self._forget_note()
        self.control.empty(name)
        _erase(self.board.partitions["slot_" + name])
        return {}

    # trust

    def _listed_images(self, sha256=None):
        self._mount()
        return trust.images(self.board, self.control.state.security_version, sha256)

    def _listed(self, sha256, size_bytes):
        """The image of that content, if it is signed for and may run here.

        Raises trust.Refused with the reason otherwise.
        """
        found = self._listed_images(sha256)[0]
        if found.image_size != size_bytes:
            raise SmpError(smp.RC_INVALID, "the image has another size than the channel says")
        return found

    # fs

    def _mount(self):
        if not self._mounted:
            if self._state() == "foreign":
                raise SmpError(smp.RC_DENIED, "the flash holds another terminal's identity")
            # Without an identity there is nothing on board to lose: a spoiled or half-made
            # filesystem is made anew.
            self.board.data_vfs(self.who is None)
            self._mounted = True
            tidy()

    def _upload_file(self, body):
        offset = _field(body, "off", int)
        data = _field(body, "data", bytes)
        name = _field(body, "name", str)
        upload = self._file
        if offset == 0:
            self._drop_file()
            upload = self._begin_file(name, _field(body, "len", int), len(data))
        elif upload is None or upload.name != name:
            return {"off": 0}
        if offset != upload.offset:
            return {"off": upload.offset}
        if offset + len(data) > upload.size_bytes:
            raise SmpError(smp.RC_INVALID, "more bytes than the file has")
        try:
            upload.file.write(data)
            upload.offset += len(data)
            if upload.offset == upload.size_bytes:
                upload.file.close()
                trust.check_file(name, name + ".new", self._is_sealed(), self._permitted)
                os.rename(name + ".new", name)
                self._file = None
        except BaseException:
            self._drop_file()
            raise
        return {"off": upload.offset}

    def _is_sealed(self):
        return identity.is_sealed(self.board.partitions["identity"])

    def _begin_file(self, name, size_bytes, first_bytes):
        parts = name.split("/")
        if (
            len(name.encode()) > _NAME_BYTES
            or len(parts) < 3
            or parts[:2] != ["", "data"]
            or any(part in ("", ".", "..") or part.endswith(".new") for part in parts[2:])
            or any(ord(char) < 33 or char == "\\" for char in name)
        ):
            raise SmpError(smp.RC_DENIED, "files go under /data/ only")
        is_signed = parts[2] == "trust" or parts[2:] == ["catalogue.json"]
        if not 0 <= size_bytes <= (trust.FILE_BYTES if is_signed else _FILE_BYTES):
            raise SmpError(smp.RC_INVALID, "the file is too large")
        if first_bytes > size_bytes:
            raise SmpError(smp.RC_INVALID, "more bytes than the file has")
        self._mount()
        if not is_signed and self._is_sealed() and self._permitted is None:
            raise trust.Refused(trust.NEEDS_PERMIT)
        if not make_room(size_bytes) and not is_signed:
            raise SmpError(smp.RC_NO_MEMORY, "no room under /data")
        for depth in range(3, len(parts)):
            try:
                os.mkdir("/".join(parts[:depth]))
            except OSError:
                pass  # it is there; if it could not be made, opening the file says so
        self._file = _FileUpload(name, size_bytes, open(name + ".new", "wb"))  # noqa: SIM115
        return self._file

    def _drop_file(self):
        """Leave nothing of a file that was not taken."""
        upload, self._file = self._file, None
        if upload:
            try:
                upload.file.close()
            except OSError:
                pass  # a full disk says so here
            try:
                os.remove(upload.name + ".new")
            except OSError:
                pass


_MISSING = object()


def _field(body, name, kind, default=_MISSING):
    value = body.get(name, default)
    if value is _MISSING:
        raise SmpError(smp.RC_INVALID, "the request lacks " + name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise SmpError(smp.RC_INVALID, name + " has the wrong type")
    return value


def _terms(entry):
    policy = {
        "crashes_allowed": entry.crashes_allowed,
        "unconfirmed_boots_allowed": entry.unconfirmed_boots_allowed,
        "selftest_deadline_s": entry.selftest_deadline_s,
    }
    return entry.image_size, entry.sha256, entry.release, entry.security_version, policy


def _piece_mark(partition, start):
    """What stands in a note for `_NOTE_EVERY` bytes of a slot."""
    digest = sha256()
    for at in range(start, start + _NOTE_EVERY, SECTOR_BYTES):
        digest.update(partition.read(at, SECTOR_BYTES))
    return digest.digest()[:_PIECE_MARK]


def _erase(partition):
    for sector in range(0, partition.size_bytes, SECTOR_BYTES):
        partition.erase_sector(sector)
