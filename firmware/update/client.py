"""The update client: poll, verify, download, expand, wait for the gate, switch. `firmware.terminal`
runs the one `UpdateClient`; what may be trusted is decided by `bootloader.shared.tuf`, what may run
here by `bootloader.shared.release`.

Any step can be cut and repeated: metadata is stored by rename and only once verified, the payload
is resumed from what flash holds, and a slot counts for nothing until `start_trial` names it.
An expired signature stops installing, never fetching newer metadata.

No answer of the network is remembered: a look costs one 304 only while all that the last one led to
is here, and the tag that is asked with is reckoned from the bytes here.
"""

import gc
import json
import os
from hashlib import sha256

from bootloader.shared import release as releases
from bootloader.shared import tuf
from bootloader.shared.compat import const, sleep_ms
from bootloader.shared.control import OTHER, ControlError
from bootloader.shared.hashes import hmac_sha256
from bootloader.shared.partitions import SECTOR_BYTES, make_firm
from firmware import catalogue as prices
from firmware.http import (
    DEFLATED,
    BadResponse,
    GaveWay,
    HttpError,
    TooLarge,
    content_range,
    plain_body,
)
from firmware.kept import Kept, digest, exists

from .download import Download, StorageError, under_way
from .install import InstallError, digest_of, expand
from .metadata import Metadata, Missing

_METADATA = "/tuf/metadata/"
_TARGETS = "/tuf/targets/"
_PIECE_BYTES = const(16384)
_REFUSED_LIMIT = const(16)
_DIGEST_BYTES = const(32)
_LANGUAGES = const(8)  # as many as an entry may have
_RETRY_S = const(30)
_GATE_S = const(5)
_FIRST_PAUSE_S = const(900)
_LONGEST_PAUSE_S = const(86400)
_TRIALS = const(3)
_LOOK_S = const(86400)  # so long at most is "nothing new" believed without looking
_TAG_HEX_DIGITS = const(16)
_MISSES = const(3)
# What may be this terminal's flash or somebody on the way, and not the release's fault.
_NOT_ITS_FAULT = ("payload_hash", "image_hash", "storage", "control")
_NO_SERVER = ("self-test: no network", "self-test: no check-in", "not confirmed in time")
JOURNAL_VERSION = const(1)  # what this program writes
JOURNAL_READS = (1,)
_NO_NEWS = ("refused", "not_newer", "channel", "stepping_stone", "halted", "not_yet")


class Interrupted(Exception):
    """Nothing is wrong but the link, or it is not the time; the next run goes on."""


def gate_blocks(release, facts):
    """Why the switch must wait, as the server's code and in words for the log, or None.

    `facts`: {"open_sale": bool, "idle_s", "battery_mv", "unsynced_records": int}. Pure.
    """
    if facts["open_sale"]:
        return "gate_sale", "a sale is open"
    if facts["idle_s"] < release.gate_idle_s:
        return "gate_idle", "the terminal is in use"
    if facts["battery_mv"] < release.gate_battery_mv:
        return "battery", "the battery is low"
    if facts["unsynced_records"] > release.gate_unsynced_records:
        return "unsynced", "too many sales wait for the server"
    return None


class Store:
    """Small files that are there whole or not at all: written as `.new`, then renamed."""

    def __init__(self, folder):
        self._folder = folder

    def read(self, name, limit_bytes):
        """The file's bytes, or None if it is missing or larger than `limit_bytes`."""
        path = self._folder + "/" + name
        try:
            # asking for the limit would take it all from the heap, whatever the file's size
            size_bytes = os.stat(path)[6]
            if size_bytes > limit_bytes:
                return None
            with open(path, "rb") as file:
                return file.read(size_bytes)
        except OSError:
            return None

    def path(self, name):
        return self._folder + "/" + name

    def write(self, name, data):
        """Raises OSError if there is no room: the old file is there still, and nothing else."""
        path = self._folder + "/" + name
        try:
            with open(path + ".new", "wb") as file:
                file.write(data)
            os.rename(path + ".new", path)
        except OSError:
            self.remove(name + ".new")
            raise

    def add_to(self, digest, name):
        """Hash the file, piece by piece; a missing one adds nothing."""
        try:
            with open(self._folder + "/" + name, "rb") as file:
                piece = file.read(256)
                while piece:
                    digest.update(piece)
                    piece = file.read(256)
        except OSError:
            pass

    def put(self, name):
        """What was written as `name`.new takes the place of `name`."""
        os.rename(self.path(name + ".new"), self.path(name))

    def remove(self, name):
        try:
            os.remove(self._folder + "/" + name)
        except OSError:
            pass


class UpdateClient:
    """`run_once()` is called again and again; what it returns says when.

    http: an `HttpClient`. board: HARDWARE_*, BOOTLOADER_VERSION, partitions, reset(). boot_info: as
    the bootloader gave it. log(text). time_s(): trusted Unix seconds, 0 if unknown. gate_facts():
    as `gate_blocks` takes. on_catalogue(): a new `catalogue.json` was stored. data: the mounted
    data partition's path. note_key: what the note of verified files is sealed with; without one,
    stored files are verified with every refresh. files: the `Kept` that knows what is refused.

    `state_text` is for the screen. For the check-in: `refusal` is None or [release, reason];
    `waits` is None or [release or 0, code for what it waits for] (docs/formats/messages.md).
    """

    def __init__(
        self,
        http,
        board,
        boot_info,
        channel,
        catalogue,
        poll_s,
        log,
        time_s,
        gate_facts,
        on_catalogue=None,
        data="/data",
        note_key=None,
        files=None,
    ):
        self._http = http
        self._board = board
        self._boot = boot_info
        self._control = boot_info.control
        self._channel = channel
        self._catalogue = catalogue
        self._unread = None  # hash of a signed price list that cannot be used here
        self._poll_s = poll_s
        self._log = log
        self._time_s = time_s
        self._gate_facts = gate_facts
        self._on_catalogue = on_catalogue
        self._note_key = note_key
        self._kept = files or Kept(False)
        self._trust = Store(data + "/trust")
        self._files = Store(data)
        self._release = None
        self._fresh_until_s = 0
        self._plan = ()
        self._download = None
        self._ready = False
        self._waiting_for = None
        self._retry_s = _RETRY_S
        self._full = 0  # runs in a row that found no room
        self._missed = 0
        self._asked_s = 0
        self._why = None
        self.waits = None
        self.state_text = ""
        self._load_state()

    # What is kept in update.json

    def _load_state(self):
        self._whole = ""
        self._coded = "z"
        self._looked_s = 0
        self._pending = False
        self.refused = []
        self.refusal = None
        self._later = [0, 0, 0, 0]  # release, failures to bring it in, trials, not before (Unix s)
        self._news = {}
        try:
            state = json.loads(self._files.read("update.json", 8192) or b"{}")
            self._whole = str(state.get("whole", ""))
            self._coded = "z" if state.get("coded", "z") else ""
            self._looked_s = int(state.get("looked", 0))
            self._pending = bool(state.get("pending"))
            for number, reason in state.get("refused", ())[-_REFUSED_LIMIT:]:
                self.refused.append([int(number), str(reason)])
            if state.get("refusal"):
                number, reason = state["refusal"]
                self.refusal = [int(number), str(reason)]
            number, faults, trials, not_before_s = state.get("later", (0, 0, 0, 0))
            self._later = [int(number), int(faults), int(trials), int(not_before_s)]
            for language, text in state.get("news", {}).items():
                self._news[str(language)] = str(text)
        except (ValueError, TypeError, AttributeError):
            # Signed metadata says again what to do; only the list of refused releases is lost, and
            # the control block still tells of the last failure.
            self._log("update.json is spoiled, begun anew")
        failure = self._boot.last_failure
        failed_trial = getattr(self._boot, "trial_failed", True)
        # That the confirmed release which runs crashed says nothing against it.
        if failure and (failed_trial or failure["release"] != self._boot.release):
            number = failure["release"]
            if self._later[0] != number:
                self._later = [number, 0, 1, 0]
            if not failed_trial:
                # It was confirmed once, and gave way: it may come again, after a pause.
                self._pending = True
                self._save_state()
                return
            # A trial that only lacked the network says nothing against the release: later again.
            for words in _NO_SERVER:
                if words in failure["reason"] and self._later[2] < _TRIALS:
                    self._log("release %d had no network, is tried again later" % number)
                    self._pending = True  # nothing new need be published for that
                    self._save_state()
                    return
            self._refuse(number, failure["reason"], False)

    def _save_state(self):
        state = {
            "whole": self._whole,
            "coded": self._coded,
            "looked": self._looked_s,
            "pending": self._pending,
            "refused": self.refused,
            "refusal": self.refusal,
            "later": self._later,
            "news": self._news,
        }
        try:
            self._files.write("update.json", json.dumps(state).encode())
        except OSError as error:
            # Losing it costs a look at the metadata; ending the program would cost the sales.
            self._log("update.json: " + str(error))

    def _refuse(self, number, reason, report=True):
        """Never try that release again; with `report` also tell at the next check-in."""
        if not any(entry[0] == number for entry in self.refused):
            self.refused.append([number, reason])
            del self.refused[:-_REFUSED_LIMIT]
            if report:
                self.refusal = [number, reason]
            self._log("release %d refused: %s" % (number, reason))
            self._drop_release()
            self._save_state()

    def _count(self, number, which):
        if self._later[0] != number:
            self._later = [number, 0, 0, 0]
        self._later[which] += 1

    def _postpone(self, number, reason):
        """What failed may be no fault of the release: try it again, but not for ever more airtime.
        The first time at once, then after pauses that grow to a day.
        """
        self._count(number, 1)
        pause_s = 0
        if self._later[1] > 1:
            pause_s = min(_FIRST_PAUSE_S << min(self._later[1] - 2, 8), _LONGEST_PAUSE_S)
            self.refusal = [number, reason]
        self._later[3] = self._time_s() + pause_s
        self._log("release %d refused for %d s: %s" % (number, pause_s, reason))
        self._save_state()

    def _must_wait(self, number):
        """Whether `number` failed here lately, by no fault of its own."""
        later = self._later
        if later[0] != number:
            return False
        if later[2] and not later[3]:
            later[3] = self._time_s() + (_FIRST_PAUSE_S << later[2] - 1)
            self._save_state()
        return self._time_s() < later[3]

    def news(self, language):
        """What a release says to the merchant, in `language` or else in English; or ""."""
        if self._release is not None:
            return self._release.merchant_text(language)
        return self._news.get(language) or self._news.get("en") or ""

    def reported(self, refusal):
        """The server accepted a check-in that told of `refusal`."""
        if refusal and refusal == self.refusal:
            self.refusal = None
            self._save_state()

    def _drop_release(self):
        self._release = self._download = self._waiting_for = None
        self._plan = ()
        self._ready = False
        self._pending = False

    # One run

    async def run_once(self):
        """Do what can be done now. Returns the seconds until the next call; does not return when
        the terminal switches to a new release (`board.reset`).
        """
        self._why = None
        seconds = self._poll_s
        try:
            seconds = await self._run()
            self._retry_s = _RETRY_S
            self._full = 0
        except tuf.TrustError as error:
            self._why = "fork" if isinstance(error, tuf.Forked) else "metadata"
            self._log("metadata refused: " + str(error))
        except (HttpError, Missing, Interrupted) as error:
            if isinstance(error, (Interrupted, Missing)):
                self._why = "payload" if self._release else "metadata"
            elif self._release:
                self._why = "link"
            self._log("update waits: " + str(error))
            seconds = min(self._retry_s, self._poll_s)
            self._retry_s = min(self._retry_s * 2, 3600)
        except (OSError, StorageError) as error:
            self._why = "storage"
            self._log("update storage: " + str(error))
            # What came could not be kept, and would have to come again: not at every poll.
            seconds = min(self._poll_s << min(self._full, 8), _LONGEST_PAUSE_S)
            self._full += 1
        except MemoryError:
            # An update that finds no room now must not end the merchant's day.
            self._why = "memory"
            self._log("update waits: no memory")
        finally:
            number = self._release.release if self._release else 0
            self.waits = [number, self._why] if self._why else None
            gc.collect()
        return seconds

    async def _run(self):
        # What is ready and waits for its moment needs the server no more often than else.
        is_sure = False
        if self._ready:
            is_sure = not self._gate_closed()
            if not is_sure and 0 < self._time_s() - self._asked_s < self._poll_s:
                return min(_GATE_S, self._poll_s)
        await self._poll(is_sure)
        if self._release is None:
            self.state_text = ""
            return self._poll_s
        return await self._install(is_sure and self._ready)

    # Metadata

    async def _get(self, path, limit_bytes, headers=()):
        while True:
            try:
                return await self._http.request("GET", path, headers, limit_bytes=limit_bytes)
            except GaveWay:
                pass  # it is asked again once the sale has its answer

    async def _fetch(self, name, limit_bytes):
        try:
            return await self._fetch_as(name, limit_bytes, (DEFLATED,))
        except MemoryError:
            # Expanding holds a file twice. As it is it costs more airtime; never learning, more.
            gc.collect()
            return await self._fetch_as(name, limit_bytes, ())

    async def _fetch_as(self, name, limit_bytes, headers):
        response = await self._get(_METADATA + name, limit_bytes, headers)
        if response.status in (403, 404):
            raise Missing(name + ": status %d" % response.status)
        if response.status != 200:
            raise BadResponse(name + ": status %d" % response.status)
        return plain_body(response, limit_bytes)

    def _seal(self):
        """Digest of all that decides what a look at the metadata leads to and of what it left."""
        state = self._control.state
        facts = (
            self._channel,
            self._catalogue,
            self._boot.release,
            state.security_version,
            self._board.BOOTLOADER_VERSION,
        )
        digest = sha256(repr(facts).encode())
        self._trust.add_to(digest, "timestamp.json")
        self._files.add_to(digest, "catalogue.json")
        return digest.digest().hex()[: 2 * _TAG_HEX_DIGITS]

    def _tag(self):
        """The server's tag of the timestamp that is here (docs/formats/release.md); "" if a 304 to
        it would not mean that all is well.
        """
        since_s = self._time_s() - self._looked_s
        # A word that nothing is new is not under anybody's seal: it holds for a day.
        if not self._whole or (self._time_s() and not 0 <= since_s < _LOOK_S):
            return ""
        if self._whole != self._seal():
            return ""
        return self._stem() + self._coded + '"'

    def _stem(self):
        digest = sha256()
        self._trust.add_to(digest, "timestamp.json")
        return '"' + digest.digest().hex()[:_TAG_HEX_DIGITS]

    async def _poll(self, is_sure=False):
        """One conditional request when nothing is new; else the workflow of TUF, section 5. With
        `is_sure` nothing that anybody could have answered before is believed.
        """
        unseen = self._pending and self._release is None  # the reset took what was known
        expired = self._release is not None and self._time_s() >= self._fresh_until_s
        # Without the list that is in force the answer "nothing new" would leave it so.
        prices_path = self._files.path("catalogue.json")
        unpriced = not self._unread and (
            "catalogue.json" in self._kept.refused or not exists(prices_path)
        )
        headers = (DEFLATED,)
        tag = "" if is_sure or unseen or expired or unpriced else self._tag()
        if tag:
            headers += (("If-None-Match", tag),)
        limit = tuf.LIMITS_BYTES["timestamp"]
        response = await self._get(_METADATA + "timestamp.json", limit, headers)
        if response.status == 304 and tag:
            self._asked_s = self._time_s()
            return
        if response.status != 200:
            raise BadResponse("timestamp.json: status %d" % response.status)
        timestamp = plain_body(response, limit)
        told = response.headers.get("etag", "")
        response = None
        trusted, is_whole = await self._refresh(timestamp)
        gc.collect()
        if not await self._update_catalogue(trusted):
            is_whole = False
            self._why = "prices"
        self._choose(trusted)
        trusted = None
        gc.collect()
        self._whole = self._seal() if is_whole else ""
        # Of the answer's tag only which of the file's two it is: a proxy may expand what it passes.
        self._coded = "" if told.endswith(self._stem() + '"') else "z"
        self._looked_s = self._asked_s = self._time_s()
        self._save_state()

    async def _refresh(self, timestamp):
        """(TrustedMetadata, whether all is in order) after taking in all that is new."""
        known = self._verified_before()
        noted = tuple(known)
        metadata = Metadata(self._trust, self._fetch, self._log, known=known)
        try:
            await metadata.refresh(self._time_s(), timestamp)
            timestamp = None
            for role in (self._channel, "catalogue"):
                await metadata.take_role(role, "targets")
            # An online role says how far a release is let out; where there is none, to nobody.
            found, role, parent = metadata.trusted.find("rollout/" + self._channel + "/plan.json")
            if found == "load":
                await metadata.take_role(role, parent)
        finally:
            if self._note_key and tuple(known) != noted:
                self._note_verified(known)
        for error in metadata.expired:
            self._why = "expired"
            self._log("nothing is installed: " + error)
        if metadata.trusted.forked:
            self._why = "fork"
            self._log("the server has another timestamp of the known version")
        return metadata.trusted, not metadata.expired and not metadata.trusted.forked

    def _verified_before(self):
        """Digests of the files whose signatures this terminal found good (`tuf.TrustedMetadata`).

        A check takes a board a second, so the list outlives power-off. Serial recovery takes files
        under /data from anyone: only the terminal itself can seal the list.
        """
        note = self._files.read("verified", (tuf.KNOWN_FILES + 1) * _DIGEST_BYTES)
        if not self._note_key or not note or len(note) % _DIGEST_BYTES:
            return []
        if hmac_sha256(self._note_key, note[_DIGEST_BYTES:]) != note[:_DIGEST_BYTES]:
            self._log("the note of verified files is not this terminal's")
            return []
        starts = range(_DIGEST_BYTES, len(note), _DIGEST_BYTES)
        return [note[at : at + _DIGEST_BYTES] for at in starts]

    def _note_verified(self, known):
        note = b"".join(known)
        try:
            self._files.write("verified", hmac_sha256(self._note_key, note) + note)
            self._log("noted what is verified")
        except OSError as error:
            self._log("note of verified files: " + str(error))  # it saves time, nothing else

    async def _update_catalogue(self, trusted):
        """Bring the price list that is signed for into place, once the reader that will use it has
        read it; returns False if it must be asked for again.
        """
        found, _, entry = trusted.find(self._catalogue)
        if found != "found":
            self._log(self._catalogue + " is not listed")
            return True
        wanted = entry["hashes"].get("sha256")
        if self._unread == wanted:
            return True
        if self._holds("catalogue.json", wanted):
            if "catalogue.json" in self._kept.refused:
                self._unread = wanted  # it is what was signed that cannot be used here
            return True
        try:
            if not 0 < entry["length"] <= prices.MAX_BYTES:
                raise prices.CatalogueError("catalogue: over %d bytes" % prices.MAX_BYTES)
            name = trusted.target_name(self._catalogue, entry)
            if not await self._fetch_catalogue(name, entry["length"], wanted):
                self._log(self._catalogue + " is not what was signed")
                return False
            prices.load(self._files.path("catalogue.json.new"))
            self._files.put("catalogue.json")
        except prices.CatalogueError as error:
            # Signed, and of no use here: what is in use stays, and the office is told.
            self._unread = wanted
            self._kept.refuse("catalogue.json", str(error))
            self._log(self._catalogue + " refused: " + str(error))
            return True
        finally:
            self._files.remove("catalogue.json.new")
        self._unread = None
        self._log("new catalogue")
        if self._on_catalogue:
            self._on_catalogue()
        return True

    def _holds(self, name, wanted):
        try:
            return digest(self._files.path(name)).hex() == wanted
        except OSError:
            return False

    async def _fetch_catalogue(self, name, length, wanted):
        """Whether `catalogue.json.new` holds now what was signed; it never lies in the heap."""
        response = None
        while not response:
            try:
                with open(self._files.path("catalogue.json.new"), "wb") as file:

                    def keep(piece):
                        try:
                            file.write(piece)
                        except OSError as error:
                            raise StorageError(str(error))

                    response = await self._http.request(
                        "GET", _TARGETS + name, (), sink=keep, limit_bytes=length
                    )
            except GaveWay:
                pass  # from its beginning, once the sale has its answer
            except (BadResponse, TooLarge) as error:
                self._log(self._catalogue + ": " + str(error))
                return False
            except OSError as error:
                raise StorageError(str(error))
        return response.status == 200 and self._holds("catalogue.json.new", wanted)

    # Which release

    def _facts(self, rollout=None):
        board = self._board
        return releases.Facts(
            self._channel,
            board.HARDWARE_CLASS,
            board.HARDWARE_REVISION,
            board.BOOTLOADER_VERSION,
            self._control.state.security_version,
            self._boot.release,
            JOURNAL_VERSION,
            board.partitions["slot_a"].size_bytes,
            [number for number, _ in self.refused],
            rollout,
            JOURNAL_READS,
        )

    def _rollout(self, trusted):
        """The channel's plan; without one all waits. Raises ReleaseRefused if it is malformed."""
        found, role, entry = trusted.find("rollout/" + self._channel + "/plan.json")
        if found != "found" or role != "rollout-" + self._channel:
            entry = {"custom": {"releases": {}, "halted": []}}
        return releases.Rollout(entry.get("custom"), self._boot.identity.terminal_id)

    def _passed_over(self, refused):
        self._log("passed over: " + str(refused))
        if refused.reason not in _NO_NEWS:
            # The text begins with the number or, of an entry that cannot be read, with its path.
            number = str(refused).split(" ")[0].split("/")[-1].split(".")[0]
            if self.refusal is None:
                self.refusal = [int(number) if number.isdigit() else 0, refused.reason]

    def _choose(self, trusted):
        targets = trusted.targets(self._channel)
        chosen = None
        try:
            facts = self._facts(self._rollout(trusted))
            chosen = releases.choose(targets, facts, self._passed_over)
            if chosen and not self._boot.trial:
                chosen = self._finish_first(trusted, targets, facts, chosen)
        except releases.ReleaseRefused as error:
            self._log(str(error))
        if self._boot.trial or chosen is None:
            # On trial the other slot is the way back: nothing may touch it before the confirm.
            if self._release is not None:
                self._log("release %d is no longer offered" % self._release.release)
            self._drop_release()
            self._pending = chosen is not None
            return
        channel = self._channel
        roles = ["root", "timestamp", "snapshot", "targets", channel, "rollout-" + channel]
        self._fresh_until_s = min([trusted.expires_s(role) for role in roles])
        if self._release is not None and self._release.image_sha256 == chosen.image_sha256:
            self._release = chosen
            return
        self._drop_release()
        self._release = chosen
        self._pending = True
        self._log("release %d (%s) is offered" % (chosen.release, chosen.version))
        self._plan = self._payloads(trusted, targets, chosen)

    def _payloads(self, trusted, targets, release):
        """(kind, path, length, SHA-256) of what makes `release` here, best first."""
        plan = ()
        for payload in release.payloads_for(self._running_sha256()):
            entry = targets.get(payload.path)
            if entry is not None and "sha256" in entry["hashes"]:
                path = trusted.target_name(payload.path, entry)
                digest = bytes.fromhex(entry["hashes"]["sha256"])
                plan += ((payload.kind, path, entry["length"], digest),)
        return plan

    def _finish_first(self, trusted, targets, facts, chosen):
        """`chosen`, or an older release that may run here as well and whose payload is on its way
        already: a slow terminal must not begin anew with each release, and so end none.

        The newer one comes first where it takes one request, or no more bytes than the older still
        does: so what is missing never grows.
        """
        digest, received, length = under_way(self._board.partitions["download"], self._download)
        plan = self._payloads(trusted, targets, chosen)
        if not received or not plan or any(step[3] == digest for step in plan):
            return chosen
        cost = plan[0][2]
        if cost <= _PIECE_BYTES or length - received >= cost:
            return chosen
        text = digest.hex()
        for path in targets:
            if targets[path]["hashes"].get("sha256") != text:
                continue
            folder, _, name = path.rpartition("/")
            path = folder + "/" + name.split(".")[0].split("-")[0] + ".full"
            try:
                older = releases.Release.parse(path, targets[path])
                releases.eligible(older, facts)
            except (releases.ReleaseRefused, KeyError):
                break
            makes_it = self._payloads(trusted, targets, older)
            if self._later[0] == older.release and self._later[1]:
                break  # it failed here before: waiting for it could take for ever
            if not any(step[3] == digest for step in makes_it):
                break
            self._log("release %d is finished first" % older.release)
            return older
        return chosen

    def _running_sha256(self):
        return self._control.state.slots[self._boot.slot].sha256

    # Installing

    def _gate_closed(self):
        """Whether the switch must wait; says so, once for each reason."""
        blocked = gate_blocks(self._release, self._gate_facts())
        if not blocked:
            return False
        self._why, words = blocked
        if words != self._waiting_for:
            self._log("update ready, waits: " + words)
        self._waiting_for = words
        self.state_text = "Update ready"
        return True

    async def _install(self, is_asked):
        """`is_asked`: the server was asked just now, without a condition."""
        if not self._may_install():
            return self._poll_s
        if self._must_wait(self._release.release):
            self._why = "postponed"
            self.state_text = ""
            return self._poll_s
        if not self._ready:
            await self._prepare()
            if not self._ready:
                return self._poll_s
        if self._gate_closed():
            return min(_GATE_S, self._poll_s)
        # It may have been halted since: ask again, so that nothing but a fresh answer will do.
        if not is_asked:
            release = self._release
            await self._poll(True)
            if self._release is None or self._release.image_sha256 != release.image_sha256:
                return 1
            if not self._may_install() or self._gate_closed():
                return min(_GATE_S, self._poll_s)
        return self._switch()

    def _may_install(self):
        now = self._time_s()
        if now and now < self._fresh_until_s:
            return True
        self._why = "expired" if now else "clock"
        self._log("not installed: " + ("the signatures expired" if now else "the time is unknown"))
        return False

    def _slot(self):
        name = OTHER[self._boot.slot]
        return name, self._board.partitions["slot_" + name]

    async def _prepare(self):
        """Bring the signed image into the other slot, by the first payload that makes it."""
        release = self._release
        name, slot = self._slot()
        self.state_text = "Update %s" % release.version
        if await _holds_firmly(slot, release):
            self._ready = True
            return
        if not self._plan:
            raise Interrupted("no payload is listed")
        reason = ""
        while self._plan:
            kind, path, length, digest = self._plan[0]
            try:
                await self._fetch_payload(path, length, digest)
                self._log("expanding " + kind)
                self._control.empty(name)
                gc.collect()  # room for the window
                base = None
                if kind == "delta":
                    base = self._board.partitions["slot_" + self._boot.slot]
                await expand(
                    self._board.partitions["download"],
                    length,
                    slot,
                    release.image_size_bytes,
                    base,
                    self._control.state.slots[self._boot.slot].image_size,
                )
                if await digest_of(slot, release.image_size_bytes) == release.image_sha256:
                    self._log("image verified in flash")
                    self._ready = True
                    return
                raise InstallError("image_hash", "the slot does not hold the signed image")
            except (InstallError, StorageError) as error:
                reason = getattr(error, "reason", "storage")
                self._log(kind + " payload: " + str(error))
                self._download = None
                self._plan = self._plan[1:]
        # The plan is made anew with the next look at the metadata.
        self._drop_release()
        self._pending = True
        if reason in _NOT_ITS_FAULT:
            self._why = "storage"
            self._postpone(release.release, reason)
        else:
            self._refuse(release.release, reason)

    async def _fetch_payload(self, path, length, digest):
        """The payload, whole and with the right hash, in the `download` partition.

        Raises:
            Interrupted: what came is not what was signed: someone spoiled it on the way, or in the
                server's folder. The release is as good as before.
            StorageError: it does not fit, or the flash does not take it.
        """
        if self._download is None or self._download.digest != digest:
            self._download = None
            self._download = Download(self._board.partitions["download"], length, digest)
        download = self._download
        self._log("%d of %d bytes are here" % (download.received, length))
        faults = 0
        while True:
            while not download.complete:
                try:
                    await self._fetch_piece(download, path)
                    self._missed = 0
                except StorageError:
                    faults += 1
                    if faults > 2:
                        raise
                except Missing:
                    # Not with the first: anybody can say so once, and the full image is dear.
                    self._missed += 1
                    if self._missed >= _MISSES:
                        self._missed = 0
                        self._count(self._release.release, 1)
                        self._whole = ""  # the next look chooses anew
                        self._plan = self._plan[1:] + self._plan[:1]
                    raise
                self.state_text = "Update %d%%" % (download.received * 100 // length)
            if await digest_of(self._board.partitions["download"], length) == digest:
                return
            download.discard()
            self._download = None
            self._plan = self._plan[1:] + self._plan[:1]  # perhaps only this one is spoiled
            self._postpone(self._release.release, "payload_hash")
            raise Interrupted("what came is not the signed payload")

    async def _fetch_piece(self, download, path):
        first = download.received
        last = min(first + _PIECE_BYTES, download.length) - 1
        expected = (first, last, download.length)

        def check(status, headers):
            if status in (200, 206) and headers.get("content-encoding", "identity") != "identity":
                raise BadResponse("a payload in another coding")
            if status == 206:
                if content_range(headers) != expected:
                    raise BadResponse("another range than asked for")
            elif status == 200:
                length = headers.get("content-length", str(download.length))
                if first or last + 1 != download.length or length != str(download.length):
                    raise BadResponse("the server sends no ranges")

        try:
            response = await self._http.request(
                "GET",
                _TARGETS + path,
                (("Range", "bytes=%d-%d" % (first, last)),),
                sink=download.write,
                limit_bytes=last + 1 - first,
                on_head=check,
            )
        except GaveWay:
            return  # a sale has the link; the next piece begins where this one ended
        if response.status in (403, 404, 410):
            raise Missing("payload: status %d" % response.status)
        if response.status not in (200, 206):
            raise BadResponse("payload: status %d" % response.status)
        if download.received <= last:
            raise BadResponse("less than was promised")

    def _switch(self):
        release = self._release
        name, _ = self._slot()
        policy = {
            "crashes_allowed": release.crashes_allowed,
            "unconfirmed_boots_allowed": release.unconfirmed_boots_allowed,
            "selftest_deadline_s": release.selftest_deadline_s,
        }
        try:
            self._control.start_trial(
                name,
                release.image_size_bytes,
                release.image_sha256,
                release.release,
                release.security_version,
                policy,
            )
        except ControlError as error:
            self._log("control block: " + str(error))
            self._postpone(release.release, "control")
            return self._poll_s
        self._pending = False
        self._count(release.release, 2)
        self._later[3] = 0
        self._news = {}
        for language in sorted(release.text)[:_LANGUAGES]:
            self._news[language] = release.text[language]
        self._save_state()
        self._log("switching to release %d in slot %s" % (release.release, name))
        self._board.reset()
        return self._poll_s


async def _holds_firmly(slot, release):
    """Whether an earlier run left the image in `slot`, and it will read as well when it is booted.

    A cut may have left weak cells in any sector's last page: what follows may be there from before,
    for releases are much alike.
    """
    if await digest_of(slot, release.image_size_bytes) != release.image_sha256:
        return False
    for offset in range(0, release.image_size_bytes, SECTOR_BYTES):
        make_firm(slot, offset)
        await sleep_ms(0)
    return await digest_of(slot, release.image_size_bytes) == release.image_sha256
