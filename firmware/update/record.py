"""What the update client remembers over a restart: `update.json`, by names
(docs/formats/terminal-files.md). For `client` and its pieces.

Losing it costs one full look at the metadata: signed metadata says again what to do.
"""

import json

from bootloader.shared.compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.boot_info import BootInfo
    from firmware.kept.store import Store

    Refusal = list[int | str]
    """[release, reason]."""

_FILE = "update.json"
_MAX_BYTES = const(8192)
_REFUSED_LIMIT = const(16)
_FIRST_PAUSE_S = const(900)
LONGEST_PAUSE_S = const(86400)
_TRIALS = const(3)
_LANGUAGES = const(8)  # as many as an entry may have
_NO_SERVER = ("self-test: no network", "self-test: no check-in", "not confirmed in time")


class Record:
    """Attributes, kept by `save`:

    whole: seal of all that the last look led to, "" if it left anything undone; coded: which of the
    server's two tags it came with; looked_s: when. pending: a release is on its way. refused:
    [[release, reason]]; refusal: the one that the server is still to be told of, or None. news:
    {language: text} of the last release that was switched to. is_hourly: the plan wants a window
    of counters each hour. sham: the wave in which this terminal restarted last as a control;
    restarted: the start that comes is wanted, for that or for a release. braked: (channel, release,
    version of the brake's file that halted it): what a brake said it cannot take back. flags: what
    is turned on here.

    tried: the release that the next three are of; faults: how often it could not be brought in;
    trials: how often it was on trial; not_before_s: when it is tried again.

    Not kept: unread_prices, the hash of a signed price list that cannot be used here, or None;
    held, the server's code for why `tried` waits.
    """

    def __init__(
        self, files: "Store", log: "Callable[[str], object]", time_s: "Callable[[], int]"
    ) -> None:
        self._files = files
        self._log = log
        self._time_s = time_s
        self.unread_prices: str | None = None
        self.whole = ""
        self.coded = "z"
        self.looked_s = 0
        self.pending = False
        self.refused: list[Refusal] = []
        self.refusal: Refusal | None = None
        self.news: dict[str, str] = {}
        self.is_hourly = self.restarted = False
        self.sham = ""
        self.braked: list[tuple[str, int, int]] = []
        self.flags: list[str] = []
        self._begin(0)
        try:
            self._load()
        except (ValueError, TypeError, AttributeError):
            # Only the list of refused releases is lost, and the control block still tells of the
            # last failure. What else it told of comes with a full look.
            self.whole = ""
            self._log(_FILE + " is spoiled, begun anew")

    def _begin(self, number: int) -> None:
        self.tried = number
        self.faults = self.trials = self.not_before_s = 0
        self.held = "postponed"

    def _load(self) -> None:
        kept = json.loads(self._files.read(_FILE, _MAX_BYTES) or b"{}")
        self.whole = str(kept.get("whole", ""))
        self.coded = "z" if kept.get("coded", "z") else ""
        self.looked_s = int(kept.get("looked", 0))
        self.pending = bool(kept.get("pending"))
        for number, reason in kept.get("refused", ())[-_REFUSED_LIMIT:]:
            self.refused.append([int(number), str(reason)])
        if kept.get("refusal"):
            number, reason = kept["refusal"]
            self.refusal = [int(number), str(reason)]
        tried, faults, trials, not_before_s = kept.get("later", (0, 0, 0, 0))
        self.tried, self.faults = int(tried), int(faults)
        self.trials, self.not_before_s = int(trials), int(not_before_s)
        is_hourly, sham, restarted = kept.get("arm", (False, "", False))
        self.is_hourly, self.sham, self.restarted = bool(is_hourly), str(sham), bool(restarted)
        for channel, number, at in kept.get("braked", ()):
            self.braked.append((str(channel), int(number), int(at)))
        self.flags = [str(flag) for flag in kept.get("flags", ())]
        for language, text in kept.get("news", {}).items():
            self.news[str(language)] = str(text)

    def save(self) -> bool:
        """Put it on the disk; whether that took it. If not, that is no reason to stop."""
        kept = {
            "whole": self.whole,
            "coded": self.coded,
            "looked": self.looked_s,
            "pending": self.pending,
            "refused": self.refused,
            "refusal": self.refusal,
            "later": [self.tried, self.faults, self.trials, self.not_before_s],
            "news": self.news,
            "braked": self.braked,
            "flags": self.flags,
            "arm": [self.is_hourly, self.sham, self.restarted],
        }
        try:
            self._files.write(_FILE, json.dumps(kept).encode())
            return True
        except OSError as error:
            # Losing it costs a look at the metadata; ending the program would cost the sales.
            self._log(_FILE + ": " + str(error))
            return False

    def learn(self, boot: "BootInfo") -> None:
        """Take in what the bootloader tells of a release that failed here."""
        failure = boot.last_failure
        failed_trial = getattr(boot, "trial_failed", True)
        # That the confirmed release which runs crashed says nothing against it.
        if not failure or (not failed_trial and failure["release"] == boot.release):
            return
        number = failure["release"]
        if self.tried != number:
            self._begin(number)
            self.trials = 1
        if failed_trial:
            # A trial that only lacked the network says nothing against the release: later again.
            lacked = any(words in failure["reason"] for words in _NO_SERVER)
            if not lacked or self.trials >= _TRIALS:
                self.refuse(number, failure["reason"], False)
                return
            self._log("release %d had no network, is tried again later" % number)
        # Else it was confirmed once, and gave way: it may come again, after a pause.
        self.pending = True  # nothing new need be published for that
        self.save()

    def refuse(self, number: int, reason: str, report: bool = True) -> None:
        """Never try that release again; with `report` also tell at the next check-in."""
        if number in self.refused_numbers():
            return
        self.refused.append([number, reason])
        del self.refused[:-_REFUSED_LIMIT]
        if report:
            self.refusal = [number, reason]
        self._log("release %d refused: %s" % (number, reason))
        self.pending = False
        self.save()

    def refused_numbers(self) -> list[int]:
        """The releases that are never tried again."""
        return [int(number) for number, _ in self.refused]

    def count_fault(self, number: int) -> None:
        """Release `number` could not be brought in, perhaps by no fault of its own."""
        if self.tried != number:
            self._begin(number)
        self.faults += 1

    def begin_try(self, number: int) -> None:
        """What begins now would restart the terminal if it went wrong: a fault until `end_try`."""
        self.count_fault(number)
        self.save()

    def end_try(self) -> None:
        """It ended, well or with an error."""
        self.faults -= 1
        self.save()

    def has_failed(self, number: int) -> bool:
        """Whether release `number` could not be brought in before."""
        return self.tried == number and self.faults > 0

    def postpone(self, number: int, reason: str) -> None:
        """What failed may be no fault of the release: try it again, but not for ever more airtime.
        The first time at once, then after pauses that grow to a day.
        """
        self.count_fault(number)
        pause_s = 0
        if self.faults > 1:
            pause_s = min(_FIRST_PAUSE_S << min(self.faults - 2, 8), LONGEST_PAUSE_S)
            self.refusal = [number, reason]
        self.not_before_s = self._time_s() + pause_s
        self._log("release %d refused for %d s: %s" % (number, pause_s, reason))
        self.save()

    def hold_back(self, number: int) -> None:
        """No ranges of `number`'s payload are to be had: each attempt may cost the whole, so that
        even the second is for later, after a pause that grows to a day.
        """
        self.count_fault(number)
        self.held = "ranges"
        pause_s = min(_FIRST_PAUSE_S << min(self.faults - 1, 8), LONGEST_PAUSE_S)
        self.not_before_s = self._time_s() + pause_s
        self._log("release %d waits for %d s: no ranges" % (number, pause_s))
        self.save()

    def must_wait(self, number: int) -> bool:
        """Whether `number` failed here lately, by no fault of its own."""
        if self.tried != number:
            return False
        if self.trials and not self.not_before_s:
            self.not_before_s = self._time_s() + (_FIRST_PAUSE_S << self.trials - 1)
            self.save()
        return self._time_s() < self.not_before_s

    def begin_trial(self, number: int, text: dict[str, str]) -> None:
        """Release `number` is booted next; `text` is what it says to the merchant."""
        self.pending = False
        if self.tried != number:
            self._begin(number)
        self.trials += 1
        self.restarted = True
        self.not_before_s = 0
        self.news = {}
        for language in sorted(text)[:_LANGUAGES]:
            self.news[language] = text[language]
        self.save()

    def reported(self, refusal: "Refusal | None") -> None:
        """The server accepted a check-in that told of `refusal`."""
        if refusal and refusal == self.refusal:
            self.refusal = None
            self.save()
