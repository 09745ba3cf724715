"""Which release of those that the channel lists is brought in. For `client` only; pure but for the
log and what the `download` partition holds.
"""

from bootloader.shared import release as releases
from bootloader.shared.compat import const
from bootloader.shared.rollout import Rollout
from firmware import counts

from .download import ONE_REQUEST_BYTES, under_way
from .offer import Offer, Way

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootloader.shared.board import Board
    from bootloader.shared.release import Json, Release, ReleaseRefused, Running
    from firmware.boot_info import BootInfo

    from .record import Record
    from .taken import Taken

JOURNAL_VERSION = const(1)  # what this program writes
JOURNAL_READS = (1,)
FLAGS = ("hourly",)
"""What this program can, and does only where it is turned on (docs/formats/release.md)."""
_NO_NEWS = ("refused", "not_newer", "channel", "stepping_stone", "halted", "not_yet", "pace")


class Choice:
    """Chooses for one terminal on one channel."""

    def __init__(
        self,
        board: "Board",
        boot: "BootInfo",
        channel: str,
        record: "Record",
        log: "Callable[[str], object]",
    ) -> None:
        self._board = board
        self._boot = boot
        self._channel = channel
        self._record = record
        self._log = log
        self._not_yet: list[int] = []
        self._off: list[str] = []

    def choose(self, taken: "Taken", offer: Offer | None) -> Offer | None:
        """What to bring in now: `offer`, if that is still the best, a new one, or None."""
        targets = taken.targets
        chosen = None
        sham = ""
        record = self._record
        flags, record.flags = record.flags, []
        try:
            running = self._running(taken, targets)
            record.flags = self._turned_on(taken, running.rollout)
            chosen = releases.choose(
                targets, self._board, self._security_version(), running, self._passed_over
            )
            if chosen and not self._boot.trial:
                chosen = self._finish_first(taken, targets, running, chosen, offer)
            record.is_hourly = running.rollout.is_watched(self._boot.release)
            if chosen is None:
                chosen, sham = self._control_of(targets, running)
        except releases.ReleaseRefused as error:
            self._log(str(error))
        if record.flags != flags:
            self._log("turned on: " + (", ".join(record.flags) or "nothing"))
        counts.is_hourly = record.is_hourly or "hourly" in record.flags
        if self._boot.trial or chosen is None:
            # On trial the other slot is the way back: nothing may touch it before the confirm.
            if offer is not None:
                self._log("release %d is no longer offered" % offer.release.release)
            self._record.pending = chosen is not None
            return None
        fresh_until_s = min(taken.fresh_until_s, taken.plan_until_s)
        is_same = offer is not None and offer.release.image_sha256 == chosen.image_sha256
        if offer is not None and is_same and offer.sham == sham:
            offer.release = chosen
            offer.fresh_until_s = fresh_until_s
            return offer
        self._record.pending = True
        if sham:
            self._log("a restart is due, as control of release %d" % chosen.release)
            return Offer(chosen, [], fresh_until_s, sham)
        self._log("release %d (%s) is offered" % (chosen.release, chosen.version))
        ways = self._ways(taken, targets, chosen)
        offer = Offer(chosen, ways, fresh_until_s)
        if len(ways) > 1 and 0 < chosen.quote_bytes < ways[-1].length:
            offer.is_over_quote = True
            del ways[-1]  # the full one
        return offer

    def _turned_on(self, taken: "Taken", rollout: Rollout) -> list[str]:
        """The flags that the plan turns on and the brake does not turn off, while that counts."""
        on = [flag for flag in FLAGS if flag not in self._off and rollout.turns_on(flag)]
        if on and not 0 < taken.now_s < taken.plan_until_s:
            return []
        return on

    def _control_of(self, targets: "Json", running: "Running") -> "tuple[Release | None, str]":
        """The release in whose control arm this terminal is, and its wave, if it has not restarted
        in that one yet.
        """
        for number in self._not_yet:  # the newest first
            sham = running.rollout.control_of(number)
            if sham and sham != self._record.sham:
                path = "%s/%s/%d.full" % (self._channel, self._board.HARDWARE_CLASS, number)
                return releases.Release.parse(path, targets[path]), sham
            if sham:
                break
        return None, ""

    def _security_version(self) -> int:
        return self._boot.control.state.security_version

    def _running(self, taken: "Taken", targets: "Json") -> "Running":
        return releases.Running(
            self._channel,
            self._boot.release,
            JOURNAL_VERSION,
            JOURNAL_READS,
            self._record.refused_numbers(),
            self._rollout(taken, self._braked(taken, targets)),
        )

    def _braked(self, taken: "Taken", targets: "Json") -> list[int]:
        """What the brake halts, or once did, of what the channel lists and its people have not let
        go on since; and takes in which flags it turns off. Raises ReleaseRefused if the brake's
        file is malformed.
        """
        known = {}
        for channel, number, at in self._record.braked:
            if channel == self._channel:
                known[number] = at
        entry = taken.halts
        if entry is not None:
            try:
                halted = releases.field(entry.get("custom"), "halted", dict, 0, 16)
                for name in halted:
                    at = releases.field(halted, name, int, 1, 0xFFFFFFFF)
                    known[int(name)] = max(at, known.get(int(name), 0))
                if "off" in entry["custom"]:
                    self._off = releases.field(entry["custom"], "off", list, 0, 8)
            except ValueError as error:
                raise releases.ReleaseRefused("malformed", "brake: " + str(error))
        self._record.braked = []
        braked = []
        for number in sorted(known):
            path = "%s/%s/%d.full" % (self._channel, self._board.HARDWARE_CLASS, number)
            if path not in targets:
                continue  # nobody can take it any more
            self._record.braked.append((self._channel, number, known[number]))
            custom = targets[path].get("custom")
            lifted = custom.get("lifted", 0) if isinstance(custom, dict) else 0
            if not isinstance(lifted, int) or lifted < known[number]:
                braked.append(number)
        return braked

    def _rollout(self, taken: "Taken", braked: list[int]) -> Rollout:
        """The channel's plan; without one all waits. Raises ReleaseRefused if it is malformed."""
        entry = taken.plan or {"custom": {"releases": {}, "halted": []}}
        return Rollout(entry.get("custom"), self._boot.identity.terminal_id, braked, taken.now_s)

    def _passed_over(self, refused: "ReleaseRefused") -> None:
        self._log("passed over: " + str(refused))
        if refused.reason == "not_yet":
            self._not_yet.append(int(str(refused).split(" ")[0]))
        if refused.reason not in _NO_NEWS and self._record.refusal is None:
            # The text begins with the number or, of an entry that cannot be read, with its path.
            number = str(refused).split(" ")[0].split("/")[-1].split(".")[0]
            self._record.refusal = [int(number) if number.isdigit() else 0, refused.reason]

    def _ways(self, taken: "Taken", targets: "Json", release: "Release") -> list[Way]:
        ways = []
        running = self._boot.control.state.slots[self._boot.slot]
        for payload in release.payloads_for(running.sha256):
            entry = targets.get(payload.path)
            if entry is not None and "sha256" in entry["hashes"]:
                path = taken.target_name(payload.path, entry)
                digest = bytes.fromhex(entry["hashes"]["sha256"])
                ways.append(Way(payload.kind, path, entry["length"], digest))
        return ways

    def _finish_first(
        self,
        taken: "Taken",
        targets: "Json",
        running: "Running",
        chosen: "Release",
        offer: Offer | None,
    ) -> "Release":
        """`chosen`, or an older release that may run here as well and whose payload is on its way
        already: a slow terminal must not begin anew with each release, and so end none.

        The newer one comes first where it takes one request, or no more bytes than the older still
        does: so what is missing never grows.
        """
        download = offer.download if offer else None
        digest, received, length = under_way(self._board.partitions["download"], download)
        ways = self._ways(taken, targets, chosen)
        if not received or not ways or any(way.digest == digest for way in ways):
            return chosen
        cost = ways[0].length
        if cost <= ONE_REQUEST_BYTES or length - received >= cost:
            return chosen
        older = self._listed_with(digest, targets, running)
        if older is None or not any(
            way.digest == digest for way in self._ways(taken, targets, older)
        ):
            return chosen
        if self._record.tried == older.release and self._record.faults:
            return chosen  # it failed here before: waiting for it could take for ever
        self._log("release %d is finished first" % older.release)
        return older

    def _listed_with(self, digest: bytes, targets: "Json", running: "Running") -> "Release | None":
        """The release that has a payload of that SHA-256, if it may run here."""
        text = digest.hex()
        for path in targets:
            if targets[path]["hashes"].get("sha256") != text:
                continue
            folder, _, name = path.rpartition("/")
            path = folder + "/" + name.split(".")[0].split("-")[0] + ".full"
            try:
                older = releases.Release.parse(path, targets[path])
                releases.fits(older, self._board, self._security_version())
                releases.is_upgrade(older, running)
                return older
            except (releases.ReleaseRefused, KeyError):
                return None
        return None
