#!/usr/bin/env python3
"""Duka's tasks: set up, build, demo, test, lint.

Run as a program on a machine that has nothing but Python, this file makes `.venv` from the
hash-pinned lock file and hands the task over to `invoke`: `python3 tasks.py demo`.
Inside the environment the same tasks are `inv demo`, `inv test`, ...; `inv --list` names them all.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
PEERS_LOCK = ROOT / "requirements-peers.lock"


def set_up_environment() -> Path:
    """Make `.venv` hold what requirements.lock says; return the path of its `inv`.

    An environment that was interrupted half-way or made from another lock file is made anew.

    Raises:
        SystemExit: this Python is too old, or cannot make environments; the text says what to do.
    """
    if sys.version_info < (3, 11):  # noqa: UP036  run by whatever Python the machine has
        raise SystemExit(
            f"Duka's tools need Python 3.11 or later; this is {sys.version.split()[0]}."
        )
    scripts = VENV / ("Scripts" if os.name == "nt" else "bin")
    wanted = hashlib.sha256(
        LOCK.read_bytes() + PEERS_LOCK.read_bytes() + sys.version.encode()
    ).hexdigest()
    stamp = VENV / "made-from.sha256"
    if stamp.exists() and stamp.read_text() == wanted:
        return scripts / "inv"

    print("Setting up .venv (once; a minute or two) ...", flush=True)
    _make_venv()
    pip = [str(scripts / "python"), "-m", "pip", "install", "--quiet", "--require-hashes"]
    pip += ["--disable-pip-version-check", "--requirement"]
    if subprocess.run([*pip, str(LOCK)], cwd=ROOT, check=False).returncode:
        raise SystemExit(
            "Set-up failed: pip's own words are above. Check the network and run this again."
        )
    peers = subprocess.run([*pip, str(PEERS_LOCK)], cwd=ROOT, capture_output=True, check=False)
    if peers.returncode:
        print("Peers for comparison were not installed (no C compiler?); their tests will be")
        print("skipped and counted. See requirements-peers.in.")
    stamp.write_text(wanted)
    return scripts / "inv"


def _make_venv() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    command = [sys.executable, "-m", "venv", str(VENV)]
    if subprocess.run(command, capture_output=True, check=False).returncode == 0:
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    apt_get = shutil.which("apt-get")
    if apt_get and os.geteuid() == 0:
        for step in (["update", "-q"], ["install", "-qy", package]):
            subprocess.run([apt_get, *step], check=False, capture_output=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(
            f"This Python cannot make a virtual environment:\n{done.stdout}{done.stderr}\n"
            f"On Debian and Ubuntu: apt-get install {package}"
        )


if __name__ == "__main__":
    inv = set_up_environment()
    os.environ["PATH"] = f"{inv.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    os.chdir(ROOT)
    os.execv(inv, [str(inv), *(sys.argv[1:] or ["--list"])])  # noqa: S606


# These are only there once the environment is.
from invoke.collection import Collection  # noqa: E402
from invoke.context import Context  # noqa: E402
from invoke.exceptions import Exit  # noqa: E402
from invoke.tasks import task  # noqa: E402

from tools.lab import qemu_tasks, setup_tasks  # noqa: E402


def _python(arguments: str) -> None:
    """Run this environment's Python at the root; its exit code becomes the task's.

    It keeps what it compiles, beside the other things that are made, even where Python is told to
    keep nothing (as in many containers): tests start hundreds of processes, and each would compile
    the same modules again.
    """
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(ROOT / "build" / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, *shlex.split(arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if done.returncode:
        raise Exit(code=done.returncode)


@task(
    help={
        "keep": "keep the story's folder (flash, database, images) and print its path",
        "pictures": "folder for pictures of the display and a receipt",
        "pace": "seconds of the story in one of yours: 1 is real time, 4 what you see unless said;"
        " where nobody watches it goes as fast as it can",
    }
)
def demo(context: Context, keep: bool = False, pictures: str = "", pace: float = 0.0) -> None:
    """Tell the story of one terminal: sell, lose the network, update, roll back."""
    arguments = " --keep" * keep + (f' --pictures "{pictures}"' if pictures else "")
    arguments += f" --pace {pace}" if pace else ""
    _python("-m tests.story" + arguments)


@task(
    help={
        "terminals": "how many stand side by side, 1 to 4",
        "port": "of the panel, on this computer only",
        "new": "make the world anew",
        "state": "start from: ready, factory, low",
        "browser": "open the page by itself",
    }
)
def sim(
    context: Context,
    terminals: int = 1,
    port: int = 8123,
    new: bool = False,
    state: str = "",
    browser: bool = True,
) -> None:
    """Play: a terminal that sells, in the browser, with its server; pull whatever you like."""
    arguments = f"--terminals {terminals} --port {port}" + " --new" * new
    arguments += f" --state {state}" if state else ""
    _python("-m tools.play " + arguments + " --no-browser" * (not browser))


@task(
    help={
        "paths": "tests to run (all of them unless named), for example tests/money",
        "workers": "processes at once; two for each processor unless said, as most wait",
        "full": "all that everyday runs take a sample of: every whole terminal on MicroPython",
    }
)
def test(context: Context, paths: str = "tests", workers: int = 0, full: bool = False) -> None:
    """Run the linters, then the whole test suite; skipped tests are listed with reasons."""
    lint(context)
    paths += " --full" * full
    # Whole terminals wait for their networks and printers more than they compute.
    workers = workers or 2 * (os.cpu_count() or 1)
    # A process that is gone ends the run at once, with the name of its test: with another one in
    # its place, groups were left that nobody ran, and the run never ended.
    _python(f"-m pytest -n {workers} --dist loadgroup --max-worker-restart=0 -q {paths}")


@task(
    help={
        "times": "how often",
        "busy": "processes that compute beside",
        "paths": "which tests, as pytest takes them",
    }
)
def digests(
    context: Context, times: int = 10, busy: int = 4, paths: str = "tests/terminal"
) -> None:
    """Whole terminals again and again, in another order, on the other engine, with load beside:
    each world must come to the same digest."""
    _python(f"-m tests.terminal.digests --times {times} --busy {busy} {paths}")


@task(
    help={
        "full": "cut each recovery in its turn, until a million distinct states were seen",
        "case": "replay one case by its id",
        "scenario": "one scenario only",
        "seed": "which operations come first; with --full, which million states are seen",
        "one_in": "look at one in so many stretches of operations only, for a short run",
    }
)
def powercut(
    context: Context,
    full: bool = False,
    case: str = "",
    scenario: str = "",
    seed: int = 1,
    one_in: int = 1,
) -> None:
    """Cut the power at every flash operation, in every way; then show that wrong builds are
    caught."""
    arguments = " --full" if full else ""
    arguments += f" --case {case}" if case else ""
    arguments += f" --scenario {scenario}" if scenario else ""
    _python(f"-m tests.powercut --seed {seed} --one-in {one_in}{arguments}")


@task(
    help={
        "terminals": "how many",
        "days": "how long",
        "seed": "which lives",
        "terminal": "only this one of them, as it was",
        "sample": "so many of them live on MicroPython as well, and must come to the same digests",
        "sample_days": "so many of their first days, at most 7",
        "full": "a hundred terminals for a year, ten of them on MicroPython for their first week",
        "wrong_builds": "live with firmware that is wrong on purpose instead, and see it noticed",
    }
)
def lives(
    context: Context,
    terminals: int = 2,
    days: int = 7,
    seed: int = 1,
    terminal: int = -1,
    sample: int = 1,
    sample_days: int = 3,
    wrong_builds: bool = False,
    full: bool = False,
) -> None:
    """Live whole lives of terminals, merchants and their office, judged at each midnight."""
    if full:
        terminals, days, sample, sample_days = 100, 365, 10, 7
    only = f" --terminal {terminal}" if terminal >= 0 else ""
    only += f" --sample {sample} --sample-days {sample_days}" + " --wrong-builds" * wrong_builds
    _python(f"-m tests.lives --terminals {terminals} --days {days} --seed {seed}{only}")


@task(
    help={
        "sales": "how many, on top of one for each byte of each message",
        "seed": "of all that goes wrong",
        "full": "34,000 sales through each kind, and a cut at every byte",
        "wrong_builds": "sell with servers that are wrong on purpose instead, and see it noticed",
    }
)
def suppliers(
    context: Context,
    sales: int = 2000,
    seed: int = 1,
    full: bool = False,
    wrong_builds: bool = False,
) -> None:
    """Sell what simulated suppliers make that misbehave: lost, doubled, unresolved must be 0."""
    more = " --full" * full + " --wrong-builds" * wrong_builds
    _python(f"-m tests.suppliers --sales {sales} --seed {seed}{more}")


@task(
    help={
        "days": "of two merchants' trade, twenty a server",
        "seed": "the same days again",
        "engine": "sqlite or postgresql",
    }
)
def days(context: Context, days: int = 100, seed: int = 1, engine: str = "sqlite") -> None:
    """Random days of money while the server ends anywhere: broken must be 0."""
    _python(f"-m tests.days --days {days} --seed {seed} --engine {engine}")


@task(
    help={
        "check": "sell a hundred vouchers through it, take it down, say what was seen",
        "kill": "kill each part under load; print what it cost and what the board said",
        "move": "move a server from SQLite to PostgreSQL under load, killed at each step",
        "rate": "sales a second of one and of two server processes beside pgbench's",
        "apart": "let one supplier hang while another one sells",
        "rewind": "drop the books, and bring them back to the moment before",
    }
)
def env(
    context: Context,
    check: bool = False,
    kill: bool = False,
    move: bool = False,
    rate: bool = False,
    apart: bool = False,
    rewind: bool = False,
) -> None:
    """The whole picture on this machine: balancer, two servers, worker, PostgreSQL with standbys,
    mail; gone without trace at the end.
    """
    asked = {"check": check, "kill": kill, "move": move, "rate": rate, "apart": apart,
             "rewind": rewind}  # fmt: skip
    _python("-m tests.env" + "".join(f" --{name}" for name, wanted in asked.items() if wanted))


@task(
    positional=["what"],
    help={
        "what": "gsm (the radio, on simulated time), server or database (killed under load)",
        "seed": "which run; any of gsm replays",
        "hours": "of gsm: how long, simulated",
        "part": "of gsm: sim800 or m95, the modem that it has",
        "wrong_builds": "of gsm: drivers that are wrong on purpose instead, and see each noticed",
        "engine": "of server and database: sqlite or postgresql",
        "kills": "of server and database: how often",
    },
)
def torture(
    context: Context,
    what: str,
    seed: int = 1,
    hours: float = 100,
    part: str = "sim800",
    wrong_builds: bool = False,
    engine: str = "sqlite",
    kills: int = 200,
) -> None:
    """Random trouble for long: `inv torture gsm`, `inv torture server`; lost, doubled: 0."""
    if what == "gsm":
        wrong = " --wrong-builds" * wrong_builds
        _python(f"-m tests.torture.gsm --seed {seed} --hours {hours} --part {part}{wrong}")
    else:
        killed = f"--what {what} --engine {engine} --kills {kills} --seed {seed}"
        _python(f"-m tests.torture.money {killed}")


@task(
    help={
        "accept": "pin what is drawn now",
        "against": "the commit whose screens are the old ones",
    }
)
def screens(context: Context, accept: bool = False, against: str = "HEAD") -> None:
    """Every page in every language and every slip, as pictures in build/screens; old beside new."""
    _python(f"-m tests.merchant.screens --against {against}" + " --accept" * accept)


@task(
    positional=["what"],
    help={
        "what": "journal, trust, board, running, modules, sale, sales, idle, airtime, telemetry …",
        "options": 'passed on to it: `inv bench sales --options "--past 1000000 --connections 64"`',
        "database": "of sales: sqlite, or postgresql beside pgbench, with one and two processes",
    },
)
def bench(context: Context, what: str, options: str = "", database: str = "sqlite") -> None:
    """Measure against the alternatives, with bars: `inv bench journal`, `inv bench sales`."""
    there = sorted(
        file.stem
        for file in Path("tests/measure").glob("[a-z]*.py")
        if "__main__" in file.read_text()
    )
    if what not in there:
        raise SystemExit(f"no benchmark {what!r}; there are: {', '.join(there)}")
    engine = "_on_postgresql" if (what, database) == ("sales", "postgresql") else ""
    _python(f"-m tests.measure.{what}{engine} {options}")


@task(
    help={
        "weeks": "simulated weeks of each kind",
        "full": "400 weeks of each kind (an hour and a half of CPU)",
        "seed": "which weeks",
        "only": "one group: false-alarms, delays, twelve, silence, evaluation",
    }
)
def verdict(
    context: Context, weeks: int = 4, full: bool = False, seed: int = 1, only: str = ""
) -> None:
    """Our verdict on a release beside others', on the same simulated weeks, with bars."""
    arguments = f"--weeks {weeks} --seed {seed}" + " --full" * full
    arguments += f" --only {only}" if only else ""
    _python("-m tests.measure.verdict " + arguments)


@task(
    help={
        "live": "so many protocol terminals before the real server and worker; 330 unless said",
        "terminals": "so many by discrete events instead, held against --live first",
        "effect": "how many times as often sales fail on the bad release",
        "options": 'passed on: `--options "--wave 100 --hours 40 --only bad --kills 10"`',
    }
)
def fleet(
    context: Context, live: int = 0, terminals: int = 0, effect: float = 2.0, options: str = ""
) -> None:
    """A fleet on a fast clock: a good release passes, a bad one is halted, an outage is not; or of
    a whole one: adoption, bytes, dollars and days per wave, and what a server hears in a minute."""
    if terminals:
        _python(f"-m tests.fleet --terminals {terminals} --live {live} {options}")
    else:
        _python(f"-m tests.live --terminals {live or 330} --effect {effect} {options}")


@task(
    help={
        "since": "a commit to compare with, checked out into a folder of its own for the while",
        "heap": "measure the heap at rest on the emulated Cortex-M3 as well (minutes)",
        "runs": "list every run of lines that stands twice",
    }
)
def house(context: Context, since: str = "", heap: bool = False, runs: bool = False) -> None:
    """The house in figures: files, lines, the longest, repetition, image; then and now."""
    arguments = f' --since "{since}"' if since else ""
    _python("-m tests.measure.house" + arguments + " --heap" * heap + " --runs" * runs)


@task
def ceilings(context: Context) -> None:
    """Lower the ceilings of docs/ceilings.toml and ruff to what is under them; say what is over."""
    _python("-m tests.house.ceilings")


@task
def pictures(context: Context) -> None:
    """Draw the rooms, a sale and an update into docs/architecture.md anew."""
    _python("-m tests.house.pictures")


@task
def front_panel(context: Context) -> None:
    """Draw the front panel, its display and a slip, for README and docs, anew."""
    _python("-m tests.panel.pictures")


@task
def board(context: Context) -> None:
    """Draw the fleet's board, a quiet day, a wave and a halt, into docs/pictures anew."""
    _python("-m tests.board.pictures")


@task
def names(context: Context) -> None:
    """Write the names of the terminal's program that real boards' interpreters are built with."""
    _python("-m tools.lab.names")


@task
def machine_code(context: Context) -> None:
    """Write the reader of patches that real boards' interpreters have in machine code."""
    _python("-m tools.lab.machine_code")


@task(help={"paths": "tests to run; the figure counts as the floor for all of them only"})
def coverage(context: Context, paths: str = "tests", workers: int = 0) -> None:
    """Which branches of server and tools the tests reach, their subprocesses counted; a floor."""
    workers = workers or 2 * (os.cpu_count() or 1)
    _python(f"-m tests.house.coverage --workers {workers} {paths}")


@task(help={"path": "checkout of github.com/theupdateframework/tuf-conformance"})
def conformance(context: Context, path: str) -> None:
    """Run the public TUF conformance suite against the terminal's client on MicroPython."""
    _python(f'-m tests.conformance "{path}"')


@task(
    help={
        "inputs": "how many inputs in bulk on CPython; a sample runs on MicroPython besides",
        "seed": "the same seed makes the same inputs",
        "target": "one parser only",
        "replay": "id of one finding",
    }
)
def fuzz(
    context: Context, inputs: int = 1_000_000, seed: int = 1, target: str = "", replay: str = ""
) -> None:
    """Spoil everything that the terminal parses, a million times: only typed errors may leave."""
    arguments = f" --inputs {inputs} --seed {seed}"
    arguments += f" --target {target}" if target else ""
    arguments += f" --replay {replay}" if replay else ""
    _python("-m tests.fuzz" + arguments)


@task
def attacks(_: Context) -> None:
    """Play every row of docs/threats.md against the server process and whole terminals."""
    _python("-m tests.attacks")


@task
def lint(context: Context) -> None:
    """Check style, types and the rooms' import rules."""
    _python("-m ruff check .")
    _python("-m ruff format --check .")
    _python("-m mypy")
    _python("-m tools.lab.stubs")


@task(
    help={
        "release": "release number, rises with every release",
        "version": "version for people",
        "out": "folder for the images",
        "board": "board of the boot and self-test images: sim or rp2",
    }
)
def build(
    context: Context,
    release: int = 1,
    version: str = "1.0.0",
    out: str = "build",
    board: str = "sim",
) -> None:
    """Build the release, boot and self-test images; the same commit gives the same bytes."""
    about = f"--release {release} --version {version} --board {board}"
    _python(f'-m tools release build {about} --out "{out}"')


@task(help={"upgrade": "move every pin to the newest version that fits"})
def lock(context: Context, upgrade: bool = False) -> None:
    """Make the lock files anew from requirements.in and requirements-peers.in."""
    common = "-m uv pip compile --universal --python-version 3.11 --generate-hashes -q --no-header"
    if upgrade:
        common += " --upgrade"
    _python(f"{common} requirements.in -o requirements.lock")
    _python(f"{common} requirements-peers.in -c requirements.lock -o requirements-peers.lock")


namespace = Collection.from_module(sys.modules[__name__])
namespace.add_collection(Collection.from_module(qemu_tasks, name="qemu"))
namespace.add_collection(Collection.from_module(setup_tasks, name="setup"))
