"""Serial recovery: the technician's commands over SMP (docs/formats/serial.md).

`bootloader.boot` enters it and never comes back from it. It writes nothing that would let an image
run which the release managers did not sign, and tells the device key once, at provisioning.
"""

import gc
import os
import time
from hashlib import sha256

from bootloader import boot, entropy, identity, smp, trust
from bootloader.shared.compat import const
from bootloader.shared.control import OTHER, ControlBlock, ControlError
from bootloader.shared.hashes import equal, technician_permit
from bootloader.shared.partitions import SECTOR_BYTES, PartitionError
from bootloader.smp import SmpError

_IDLE_S = 0.002
_DRAIN_S = 0.05
_NAME_BYTES = const(64)
_FILE_BYTES = const(0x100000)
_SLOT_NAMES = ("a", "b")
_PROGRESS = "/data/upload"
_NOTE_EVERY = const(0x8000)  # a note costs about as much flash as a sector of the image


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
        self.noted_bytes = 0

    def note(self):
        """What is kept of an upload under way, for after a power cut: which, and how far."""
        return self.slot.encode() + self.sha256 + (self.offset // SECTOR_BYTES).to_bytes(2, "big")


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
        is_sealed = identity.is_sealed(self.board.partitions["identity"])
        return is_sealed and not self.control.state.active

    def _find_images(self):
        """Adopt the newest intact image that is listed; True if there is one."""
        for entry in sorted(self._listed_images(), key=lambda e: -e.release):
            for slot in _SLOT_NAMES:
                partition = self.board.partitions["slot_" + slot]
                if boot.image_is_intact(partition, entry):
                    self._adopt(slot, entry)
                    return True
        return False

    # image

    def _need_control(self):
        if self.who is None:
            raise SmpError(smp.RC_BAD_STATE, "make an identity first")
        if self.control is None or self.control.state is None:
            raise SmpError(smp.RC_BAD_STATE, "the boot records cannot be written")
        return self.control.state

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
        if name == state.active:
            if confirm:
                self.control.confirm()
        elif confirm:
            self._adopt(name, slot)
        else:
            self.control.start_trial(name, *_terms(slot))
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
            sha256 = body.get("sha")
            upload = self._image
            if (
                upload is None
                or sha256 is None
                or (upload.sha256, upload.size_bytes) != (sha256, size_bytes)
            ):
                upload = self._begin_image(state, size_bytes, sha256)
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
            if upload.offset >= upload.noted_bytes + _NOTE_EVERY and upload.sha256 is not None:
                upload.noted_bytes = upload.offset
                with open(_PROGRESS + ".new", "wb") as file:
                    file.write(upload.note())
                os.rename(_PROGRESS + ".new", _PROGRESS)
        return {"off": upload.offset}

    def _begin_image(self, state, size_bytes, sha256):
        slot = OTHER[state.active] if state.active else "a"
        if not 0 < size_bytes <= self.board.partitions["slot_" + slot].size_bytes:
            raise SmpError(smp.RC_INVALID, "the image does not fit the slot")
        # A client that names the hash at once learns at once that the image is refused.
        entry = self._listed(sha256, size_bytes) if sha256 is not None else None
        self.control.empty(slot)
        self._image = upload = _ImageUpload(slot, size_bytes, sha256, entry)
        if entry:
            self._resume(upload)
        return upload

    def _resume(self, upload):
        """Go on where a power cut ended an upload of the same image. The sector that was being
        written is erased again; should the slot hold something else by now, the last hash tells."""
        try:
            with open(_PROGRESS, "rb") as file:
                kept = file.read(64)
        except OSError:
            return
        start = int.from_bytes(kept[33:], "big") * SECTOR_BYTES
        if kept[:33] == upload.note()[:33] and len(kept) == 35 and start < upload.size_bytes:
            upload.offset = upload.erased_bytes = upload.noted_bytes = start

    def _finish_image(self, upload):
        self._image = None
        if upload.noted_bytes:
            os.remove(_PROGRESS)
        partition = self.board.partitions["slot_" + upload.slot]
        digest = boot.image_sha256(partition, upload.size_bytes)
        if upload.sha256 is not None and digest != upload.sha256:
            raise SmpError(smp.RC_CORRUPT, "the image arrived damaged: upload it again")
        entry = upload.entry or self._listed(digest, upload.size_bytes)
        if any(slot.state == "good" for slot in self.control.state.slots.values()):
            self.control.hold(upload.slot, *_terms(entry))
        else:
            self._adopt(upload.slot, entry)
        upload.sha256 = digest
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
        self._image = None
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

    def _upload_file(self, body):
        offset = _field(body, "off", int)
        data = _field(body, "data", bytes)
        name = _field(body, "name", str)
        upload = self._file
        if offset == 0:
            self._close_file()
            size_bytes = _field(body, "len", int)
            upload = self._begin_file(name, size_bytes)
        elif upload is None or upload.name != name:
            return {"off": 0}
        if offset != upload.offset:
            return {"off": upload.offset}
        if offset + len(data) > upload.size_bytes:
            raise SmpError(smp.RC_INVALID, "more bytes than the file has")
        upload.file.write(data)
        upload.offset += len(data)
        if upload.offset == upload.size_bytes:
            self._close_file()
            try:
                is_sealed = identity.is_sealed(self.board.partitions["identity"])
                trust.check_file(name, name + ".new", is_sealed, self._permitted)
            except trust.Refused:
                os.remove(name + ".new")
                raise
            os.rename(name + ".new", name)
        return {"off": upload.offset}

    def _begin_file(self, name, size_bytes):
        parts = name.split("/")
        if (
            len(name.encode()) > _NAME_BYTES
            or len(parts) < 3
            or parts[:2] != ["", "data"]
            or any(part in ("", ".", "..") or part.endswith(".new") for part in parts[2:])
            or any(ord(char) < 33 or char == "\\" for char in name)
        ):
            raise SmpError(smp.RC_DENIED, "files go under /data/ only")
        if not 0 <= size_bytes <= _FILE_BYTES:
            raise SmpError(smp.RC_INVALID, "the file is too large")
        self._mount()
        for depth in range(3, len(parts)):
            try:
                os.mkdir("/".join(parts[:depth]))
            except OSError:
                pass  # it is there; if it could not be made, opening the file says so
        self._file = _FileUpload(name, size_bytes, open(name + ".new", "wb"))  # noqa: SIM115
        return self._file

    def _close_file(self):
        if self._file:
            self._file.file.close()
            self._file = None


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


def _erase(partition):
    for sector in range(0, partition.size_bytes, SECTOR_BYTES):
        partition.erase_sector(sector)
