"""Every part of a running terminal, one after the other, with a person's eyes and fingers.

Device side: firmware/service/parts.py. Selling stops for the test and begins again by a restart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from tools.errors import LinkError
from tools.technician import ports
from tools.technician.console_link import ConsoleLink
from tools.technician.custody import running
from tools.technician.log import Job
from tools.technician.progress import Row

KEYS = "123A456B789C*0#D"
SLIP_PARTS = ("battery", "RTC", "flash", "keypad", "LCD", "printer", "SIM", "modem")
"""In the order in which firmware/service/parts.py prints them."""
BATTERY_MV = range(3300, 4301)
SECOND_MS = range(950, 1051)
_MODEM_S = 180
_KEY_S = 20
_SIM_FAULTS = ("no_sim", "sim_locked")


class Person(Protocol):
    """The technician."""

    def sees(self, question: str) -> bool:
        """Answer a question about the terminal with yes or no."""

    def hears(self, text: str) -> None:
        """Take note of what to do next."""


Outcome = tuple[bool, str]
"""Whether the part works, and what was found, in a few words."""


class SelfTest:
    """One terminal's test on its console."""

    def __init__(self, link: ConsoleLink, person: Person, row: Row) -> None:
        self._link = link
        self._person = person
        self._row = row

    def _sees(self, question: str) -> bool:
        with self._row.aside():  # a bar would write over the question
            return self._person.sees(question)

    def _test(self, part: str, timeout_s: float = 20) -> dict[str, Any]:
        return self._link.command(f"test {part}", timeout_s)

    def keypad(self) -> Outcome:
        """Every key once, in any order."""
        with self._row.aside():
            self._person.hears("Press each of the sixteen keys once.")
        missing = set(KEYS)
        while missing:
            key = self._test("keypad", _KEY_S)["key"]
            if key is None:
                return False, "no press of " + " ".join(sorted(missing))
            missing.discard(key)
        return True, "16 keys"

    def lcd(self) -> Outcome:
        """Every pixel dark, then text."""
        self._test("lcd dark")
        dark = self._sees("Is the whole display dark, without a bright dot or line?")
        self._test("lcd text")
        text = self._sees("Is the text on the display sharp and whole?")
        return dark and text, "" if dark and text else "pixels or lines are missing"

    def printer(self) -> Outcome:
        """Its status; the slip at the end shows that it prints."""
        status = self._test("printer")["status"]
        return status in ("ok", "unknown"), status

    def sim_and_modem(self) -> tuple[Outcome, Outcome]:
        """The card, then the network."""
        found = self._test("modem", _MODEM_S)
        fault = found["fault"]
        sim = (fault not in (*_SIM_FAULTS, "no_modem"), found.get("text", "read"))
        signal = found["signal"]
        words = f"signal {signal} of 31" if signal != 99 else "no signal"
        return sim, (fault is None and found["registered"], found.get("text", words))

    def flash(self) -> Outcome:
        """Erase, program, read back; and the running image against its hash."""
        found = self._test("flash", 60)
        if found["wrong"]:
            return False, "what was written does not read back"
        return found["image"], "image intact" if found["image"] else "running image damaged"

    def battery(self) -> Outcome:
        """Its voltage."""
        found = self._test("battery")
        charging = ", charging" if found["charging"] else ""
        return found["mv"] in BATTERY_MV, f"{found['mv']} mV{charging}"

    def rtc(self) -> Outcome:
        """Whether its second is one."""
        second_ms = self._test("rtc")["second_ms"]
        return second_ms in SECOND_MS, f"a second takes {second_ms} ms"

    def slip(self, outcomes: dict[str, Outcome]) -> Outcome:
        """The results on paper; the words are the terminal's own."""
        marks = "".join("+" if outcomes[part][0] else "-" for part in SLIP_PARTS)
        done = self._test(f"slip {marks}", 40)
        if not done["sent"] or done["status"] not in ("ok", "unknown"):
            return False, done["status"]
        seen = self._sees("Did a slip come out, black and readable to its end?")
        return seen, "" if seen else "pale, torn or no slip"


def selftest(port: str, person: Person, job: Job, row: Row) -> str:
    """Test every part; print a slip.

    Raises:
        LinkError: no terminal runs on `port`, or a part does not work; the text names them.
    """
    found = running(port, job)
    outcomes: dict[str, Outcome] = {}
    with ConsoleLink(port) as link:
        test = SelfTest(link, person, row)
        steps: dict[str, Callable[[], Outcome]] = {
            "battery": test.battery,  # the first stops the sale, before anyone presses a key
            "RTC": test.rtc,
            "flash": test.flash,
            "keypad": test.keypad,
            "LCD": test.lcd,
            "printer": test.printer,
        }
        for part, step in steps.items():
            row.step(part)
            outcomes[part] = step()
        row.step("modem")
        outcomes["SIM"], outcomes["modem"] = test.sim_and_modem()
        row.step("slip")
        outcomes["slip"] = test.slip(outcomes)
        link.word("reset")
    job.details["parts"] = {
        part: f"{'ok' if ok else 'FAULT'} {words}".strip() for part, (ok, words) in outcomes.items()
    }
    ports.wait_for(port, ports.SELLING)
    broken = [f"{part} ({words})" for part, (ok, words) in outcomes.items() if not ok]
    if broken:
        raise LinkError(f"{port}: not in order: " + ", ".join(broken))
    return f"terminal {found.terminal}: every part is in order"
