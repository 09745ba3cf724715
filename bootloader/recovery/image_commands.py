"""The technician's commands about images (SMP group 1): what there is, choose, upload, erase."""

from bootloader import images
from bootloader.recovery import slots, smp
from bootloader.recovery.holdings import erase
from bootloader.recovery.smp import SmpError, field
from bootloader.recovery.uploads import ImageUpload, forget_note
from bootloader.shared.control import OTHER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.recovery.holdings import Holdings
    from bootloader.recovery.smp import Body
    from bootloader.shared.control import Slot, State

_SELF_TEST_ONLY = "nothing but its own self-test confirms a release: choose it for a test"


class ImageCommands:
    """Each method answers one command; all raise SmpError for what is refused."""

    def __init__(self, holdings: "Holdings") -> None:
        self._holdings = holdings
        self._slots = slots.Slots(holdings)
        self._upload: ImageUpload | None = None

    def states(self, body: "Body") -> "Body":
        """Image state, read: what the boot records say of each slot that is not empty."""
        listed = []
        control = self._holdings.control
        state = control.state if control else None
        if state:
            for number, name in enumerate(slots.NAMES):
                slot = state.slots[name]
                if slot.state == "empty":
                    continue
                active = name == state.active
                listed.append(
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
        return {"images": listed}

    def choose(self, body: "Body") -> "Body":
        """Image state, write: try the image of that hash, or go back to it."""
        state = self._holdings.records().state
        confirm = field(body, "confirm", bool, False)
        name = self._holder(state, body.get("hash"), confirm)
        slot = state.slots[name]
        if slot.state != "good" and confirm:
            raise SmpError(smp.RC_DENIED, _SELF_TEST_ONLY)
        if name != state.active:
            if slot.state != "good":
                self._slots.check_not_older(slot.release)
                self._holdings.adopt(name, slot)
            elif not (state.active and self._slots.would_sell(state.active)):
                self._holdings.records().give_way()
            else:
                self._slots.check_not_older(slot.release)
        return self.states(body)

    def _holder(self, state: "State", wanted: object, confirm: bool) -> str:
        """The slot that holds the image `wanted`, or the active one if none is named to confirm."""
        fault = SmpError(smp.RC_INVALID, "no slot holds that image")
        for name in slots.NAMES:
            slot = state.slots[name]
            if slot.state == "empty" or (
                slot.sha256 != wanted and not (wanted is None and confirm and name == state.active)
            ):
                continue
            # The other slot may hold the same image, uploaded because this one is of no use.
            if slot.state == "bad":
                fault = SmpError(smp.RC_BAD_STATE, "that image failed: upload it again")
            elif not self._slots.is_intact(name, slot):
                fault = SmpError(smp.RC_CORRUPT, "the image is damaged: upload it again")
            else:
                return name
        raise fault

    def upload(self, body: "Body") -> "Body":
        """Image upload: one piece; the reply says from where the next is wanted."""
        state = self._holdings.records().state
        offset = field(body, "off", int)
        data = field(body, "data", bytes, b"")
        if offset == 0:
            size_bytes = field(body, "len", int)
            sha256 = field(body, "sha", bytes)
            upload = self._upload
            if upload is None or (upload.sha256, upload.size_bytes) != (sha256, size_bytes):
                self._begin(state, size_bytes, sha256)
        upload = self._upload
        if upload is None:
            raise SmpError(smp.RC_BAD_STATE, "no upload has begun: start at offset 0")
        if offset != upload.offset:
            return {"off": upload.offset}
        if offset + len(data) > upload.size_bytes:
            raise SmpError(smp.RC_INVALID, "more bytes than the image has")
        if data:
            upload.write(data)
            if upload.offset == upload.size_bytes:
                self._finish(upload)
                return {"off": upload.offset, "match": True}
        return {"off": upload.offset}

    def _begin(self, state: "State", size_bytes: int, sha256: bytes) -> None:
        """Nothing is erased before the image is known to be signed for, and to be needed."""
        if len(sha256) != 32:
            raise SmpError(smp.RC_INVALID, "sha is the image's SHA-256: 32 bytes")
        if not 0 < size_bytes <= self._slots.partition("a").size_bytes:
            raise SmpError(smp.RC_INVALID, "the image does not fit the slot")
        entry = self._listed(sha256, size_bytes)
        self._upload = None
        for name in slots.NAMES:
            slot = state.slots[name]
            if (
                slot.sha256 == sha256
                and slot.state in ("good", "trial", "ready")
                and self._slots.is_intact(name, slot)
            ):
                self._upload = ImageUpload(name, self._slots.partition(name), entry)
                self._upload.offset = size_bytes  # it is here: nothing to send
                return
        name = self._slots.free_for(entry.release)
        if name == state.active:
            self._holdings.records().give_way()
        self._holdings.records().empty(name)
        self._upload = ImageUpload(name, self._slots.partition(name), entry)
        self._upload.resume()

    def _listed(self, sha256: bytes, size_bytes: int) -> "Slot":
        """The image of that content, if it is signed for and may run here.

        Raises trust.Refused with the reason otherwise.
        """
        found = self._slots.listed(sha256)[0]
        if found.image_size != size_bytes:
            raise SmpError(smp.RC_INVALID, "the image has another size than the channel says")
        return found

    def _finish(self, upload: ImageUpload) -> None:
        self._upload = None
        forget_note()
        partition = self._slots.partition(upload.slot)
        if images.sha256_of(partition, upload.size_bytes) != upload.sha256:
            raise SmpError(smp.RC_CORRUPT, "the image arrived damaged: upload it again")
        recorded = self._holdings.records().state.slots.values()
        if any(slot.state in ("good", "trial") for slot in recorded):
            self._holdings.hold(upload.slot, upload.entry)
        else:
            self._holdings.adopt(upload.slot, upload.entry)
        self._upload = upload  # a repeated last request gets its answer again

    def erase(self, body: "Body") -> "Body":
        """Image erase: the named slot, or the one that is not active."""
        state = self._holdings.records().state
        number = body.get("slot")
        if number is None:
            name = OTHER[state.active] if state.active else "a"
        elif number in (0, 1):
            name = slots.NAMES[number]
        else:
            raise SmpError(smp.RC_INVALID, "slots are 0 and 1")
        if name == state.active:
            raise SmpError(smp.RC_BAD_STATE, "that slot is in use")
        if state.active and (state.slots[name].state == "good" or self._slots.is_needed(name)):
            raise SmpError(
                smp.RC_BAD_STATE, "that slot holds the way back: only an upload replaces it"
            )
        self._upload = None
        forget_note()
        self._holdings.records().empty(name)
        erase(self._slots.partition(name))
        return {}
