"""Starting: a sign of life first, damaged settings in plain words, a new release's self-test."""

from __future__ import annotations

import pytest

from tests.support import micropython

PRELUDE = """
import asyncio, hashlib, json
from tests.merchant import counter
from firmware import main, log
from firmware.duties import out_of_service, supervisor, trial

class Slot:
    selftest_deadline_s = 1
    state = "good"
    image_size = 64
    sha256 = hashlib.sha256(b"\\xff" * 64).digest()

class Control:
    def __init__(self):
        self.said = []
        self.state = self
        self.slots = {"a": Slot(), "b": Slot()}
    def confirm(self):
        self.said.append("confirm")
    def clear_failure(self):
        self.said.append("clear_failure")
    def running_well(self):
        self.said.append("running_well")
    def request_recovery(self):
        self.said.append("recovery")

class Watchdog:
    fed = 0
    def feed(self):
        self.fed += 1

class Info(counter.BootInfo):
    def __init__(self):
        self.control = Control()
        self.watchdog = Watchdog()
"""


def told(script: str) -> list[str]:
    """The lines a script printed on MicroPython."""
    return micropython.run(PRELUDE + script, heap_bytes=4 << 20).splitlines()


START = """
class Stop(Exception):
    pass

board = counter.Board()
info = Info()
screens = []
counter.Board.data_vfs = lambda self: screens.append(bytes(self.lcd.memory)) or {mount}
async def stop_soon(*args):
    screens.append(args[4])
    raise Stop
out_of_service.out_of_service = stop_soon
try:
    main.run(board, info)
except Stop:
    pass
print(any(screens[0]), screens[1:])
"""


def test_the_screen_says_something_before_anything_is_mounted_and_missing_settings_are_named() -> (
    None
):
    out = told(START.replace("{mount}", "None"))
    assert out[-1] == "True ['s_config']"
    assert any("config.json: missing" in line for line in out)


def test_a_data_partition_that_does_not_mount_asks_for_a_technician() -> None:
    out = told(START.replace("{mount}", "(_ for _ in ()).throw(OSError(5))"))
    assert out[-1] == "True ['s_config']"


def test_a_terminal_out_of_service_feeds_its_watchdog_and_hears_the_technician() -> None:
    out = told(
        """
class Reset(BaseException):
    pass
def reset():
    raise Reset
board = counter.Board()
board.reset = reset
typed = [b"rec", b"overy\\r\\n"]
board.console.read = None
class Console(counter.Console):
    def read(self, n):
        return typed.pop(0) if typed and info.watchdog.fed > 1 else b""
board.console = Console()
info = Info()
screen = counter.ToldScreen(counter.Lcd(board.lcd))
try:
    asyncio.run(out_of_service.out_of_service(board, info, screen, counter.Words("en"), "s_config"))
except Reset:
    print("reset", info.control.said)
""".replace("board.console.read = None\n", "")
    )
    assert out[0].startswith("PAGE Needs service | The settings are missing or | damaged.")
    assert out[-1] == "reset ['recovery']"


TRIAL = """
counter.BootInfo.trial = True
counter.BootInfo.control = Control()
b = counter.Counter({})
app = b.app
{setup}
async def go():
    try:
        await asyncio.wait_for(trial.prove(app, app.check_in), 8)
    except trial.SelfTestFailed as error:
        print("FAILED", error)
    print(app.boot_info.control.said, app.boot_info.trial)
asyncio.run(go())
"""


def test_a_release_on_trial_is_confirmed_once_everything_has_shown_that_it_works() -> None:
    out = told(TRIAL.replace("{setup}", "app.check_in.done = True"))
    assert out[-1] == "['confirm'] False"


@pytest.mark.parametrize(
    ("setup", "reason"),
    [
        ("", "check-in"),
        ("app.check_in.done = True; app.link.modem.cell.registered = False", "network"),
        ("app.check_in.done = True; b.board.pressed = '5'", "keypad at rest"),
    ],
)
def test_a_release_that_does_not_prove_itself_in_time_is_given_up(setup: str, reason: str) -> None:
    out = told(TRIAL.replace("{setup}", setup))
    assert out[-2] == f"FAILED self-test: no {reason}"
    assert out[-1] == "[] True"


def test_a_release_on_trial_beside_a_damaged_one_waits_for_its_network_and_does_not_restart() -> (
    None
):
    """A technician put it on a terminal of which both slots were spoiled: the records of the other
    one still say that it is good.
    """
    damaged = "app.boot_info.control.slots['b'].sha256 = bytes(32)"
    script = TRIAL.replace("{setup}", damaged)
    script = script.replace("except trial.SelfTestFailed", "except asyncio.TimeoutError")
    assert told(script)[-1] == "[] True"


def test_a_first_release_that_has_nothing_to_go_back_to_waits_for_its_network() -> None:
    script = TRIAL.replace("{setup}", "app.boot_info.control.slots['b'].state = 'empty'")
    script = script.replace("except trial.SelfTestFailed", "except asyncio.TimeoutError")
    assert told(script)[-1] == "[] True"


def test_a_mute_printer_or_no_paper_is_no_fault_of_a_release() -> None:
    for state in ("mute", "paper_out"):
        setup = f"app.check_in.done = True; b.board.printer.state = '{state}'"
        assert told(TRIAL.replace("{setup}", setup))[-1] == "['confirm'] False"


WATCH = """
b = counter.Counter({})
app = b.app
app.boot_info.watchdog = app.supervisor._watchdog = Watchdog()
supervisor.BEAT_MS = 400
{setup}
async def go():
    try:
        await asyncio.wait_for(app.supervisor.watch(), 1.2)
    except asyncio.TimeoutError:
        pass
    except ValueError as error:
        print("LEFT", error)
    print(app.boot_info.watchdog.fed)
asyncio.run(go())
"""


def test_the_watchdog_is_fed_while_merchant_and_radio_live() -> None:
    assert int(told(WATCH.replace("{setup}", ""))[-1]) >= 2


@pytest.mark.parametrize("limit", ["MERCHANT_SILENT_MS", "RADIO_SILENT_MS"])
def test_a_task_that_hangs_gets_no_watchdog_fed(limit: str) -> None:
    assert told(WATCH.replace("{setup}", f"supervisor.{limit} = -1"))[-1] == "0"


def test_an_error_in_any_task_leaves_the_program_so_that_it_counts_as_a_crash() -> None:
    setup = "app.supervisor._failed = ValueError('a bug')"
    assert "LEFT a bug" in told(WATCH.replace("{setup}", setup))


REST = """
b = counter.Counter({})
app = b.app
app.boot_info.watchdog = app.supervisor._watchdog = dog = Watchdog()
supervisor.BEAT_MS, supervisor.REST_BEAT_MS = 300, 60000
supervisor.NOBODY_LOOKS_MS = {nobody_ms}
async def pause(ms):
    await asyncio.sleep_ms(ms)
async def go():
    rest = app.supervisor.rest
    others = [asyncio.create_task(rest(pause(9000))) for _ in range({others})]
    one = asyncio.create_task(rest(pause(2000)))
    watch = asyncio.create_task(app.supervisor.watch())
    await asyncio.sleep_ms(1700)
    resting = dog.fed
    await one
    print(resting, dog.fed - resting)
    await asyncio.sleep_ms(700)
    print(dog.fed - resting)
asyncio.run(go())
"""


def test_while_all_rest_the_watchdog_is_fed_seldom_and_before_who_comes_back_works() -> None:
    came_back, working = told(REST.replace("{nobody_ms}", "-1").replace("{others}", "1"))[-2:]
    assert came_back == "1 1", "one feed for the whole rest, and one as it ends, before any work"
    assert int(working) >= 3, "while one works it is fed on the short beat again"


@pytest.mark.parametrize(("nobody_ms", "others"), [("1 << 28", "1"), ("-1", "0")])
def test_while_anybody_may_work_the_watchdog_is_fed_on_the_short_beat(
    nobody_ms: str, others: str
) -> None:
    told_of = told(REST.replace("{nobody_ms}", nobody_ms).replace("{others}", others))
    assert int(told_of[-2].split()[0]) >= 4


CHECK_IN = """
b = counter.Counter({})
app = b.app
app.boot_info.control = Control()
app.boot_info.last_failure = {"release": 8, "reason": "crash"}
sent = []
class Messenger:
    notice, notice_told, no_room = 0, -1, 0
    async def exchange(self, kind, fields):
        sent.append(fields)
        return {1: 1795000100, 2: 90000, 3: app.journal.next_sequence - 1, 4: "Hello", 5: []}
app.messenger = Messenger()
app.link.state = 0
async def go():
    await app.check_in.run()
    await app.check_in.run()
asyncio.run(go())
print(sent[0][8], sent[1][8], app.boot_info.control.said, app.message, app.now())
print(app.link.state, sent[0][2], sent[0][3], sent[0][4], sent[0][6], sent[0][7], sent[0][9])
print(app.till.float_minor)
"""


def test_the_last_failure_is_told_once_and_then_cleared() -> None:
    out = told(CHECK_IN)
    said = "['clear_failure', 'running_well']"
    assert out[-3] == f"[8, 'crash'] None {said} Hello 1795000100"
    assert out[-2:] == ["2 7 a False 3900 18 100000", "90000"]
