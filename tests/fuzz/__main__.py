"""Spoil good examples of everything that the terminal parses, a million times:

    python -m tests.fuzz [--inputs N] [--seed S] [--target NAME] [--replay ID]

In bulk on CPython, by as many processes as asked for; a sample runs on real MicroPython with a
board's free heap, where running out of memory is a finding too. A finding prints the id that
replays it on both. Exit code 1 if there was one.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
import traceback

from tests.fuzz import corpus as corpora
from tests.fuzz import targets
from tests.fuzz.mutate import make
from tests.support import micropython

SLOW = {"journal": 40, "record": 12, "control-block": 40, "ed25519": 60, "payload": 6}
SLOW |= {"metadata": 12, "json": 3, "catalogue": 3, "stock": 2, "smp": 3, "at": 2, "keys": 2}
"""How many times fewer inputs a target gets than the quickest ones."""

FREE_BYTES = 2 * 48 * 1024
"""The heap that a parser gets on MicroPython: 48 KiB on a board, doubled for 64-bit pointers."""

SHOWN = 5
CHUNK = 500


def shares(inputs: int, names: list[str]) -> dict[str, int]:
    """How many of `inputs` each target gets, by what one costs; at least `inputs` together."""
    weight = sum(1 / SLOW.get(name, 1) for name in names)
    return {name: int(inputs / SLOW.get(name, 1) / weight) + 1 for name in names}


def prepare() -> dict[str, list[bytes]]:
    corpus = corpora.make()
    targets.good_metadata[:] = [data[1:] for data in corpus["metadata"]]
    return corpus


def try_one(name: str, data: bytes) -> tuple[bool, str]:
    """(accepted, what went wrong or "")."""
    try:
        return targets.TARGETS[name](data), ""
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return False, f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"


_corpus: dict[str, list[bytes]] = {}


def _work(job: tuple[str, int, int, int]) -> tuple[str, int, int, list[tuple[int, str]]]:
    """(target, inputs, accepted, findings) of a run of numbers; in a process of the pool."""
    name, seed, first, last = job
    if not _corpus:
        _corpus.update(prepare())
    accepted = 0
    findings = []
    for number in range(first, last):
        good, wrong = try_one(name, make(name, seed, number, _corpus[name]))
        accepted += good
        if wrong:
            findings.append((number, wrong))
    return name, last - first, accepted, findings


def bulk(wanted: dict[str, int], seed: int, processes: int) -> tuple[int, int, list[str]]:
    """Run them on CPython; (inputs, accepted, findings as printed)."""
    jobs = [
        (name, seed, first, min(first + CHUNK, count))
        for name, count in wanted.items()
        for first in range(0, count, CHUNK)
    ]
    inputs = accepted = 0
    shown: dict[str, int] = {}
    findings = []
    with multiprocessing.Pool(processes) as pool:
        for name, count, good, found in pool.imap_unordered(_work, jobs):
            inputs += count
            accepted += good
            for number, wrong in found:
                text = f"{name}-{seed}-{number}: {wrong}"
                findings.append(text)
                shown[name] = shown.get(name, 0) + 1
                if shown[name] <= SHOWN:
                    print("finding", text, flush=True)
    return inputs, accepted, findings


DEVICE = """
import gc, json, sys
from tests.fuzz import targets
job = json.loads(sys.stdin.readline())
targets.good_metadata[:] = [bytes.fromhex(text) for text in job["metadata"]]
run = targets.TARGETS[job["target"]]
accepted = 0
least = job["free"]
# The code lies in flash on a board, and there is no fuzzer: leave as much free as a terminal has.
ballast = []
gc.collect()
while gc.mem_free() > job["free"]:
    ballast.append(bytearray(1000))
for number, size in enumerate(job["sizes"], job["first"]):
    data = sys.stdin.buffer.read(size)
    gc.collect()
    try:
        accepted += run(data)
    except Exception as error:
        print("FINDING", number, repr(error))
    least = min(least, gc.mem_free())
print("DONE", accepted, least)
"""


def on_device(
    name: str, seed: int, first: int, last: int, corpus: dict[str, list[bytes]]
) -> tuple[int, int, list[str]]:
    """The same numbers on real MicroPython with a board's heap: (accepted, heap bytes free at least
    after an input, findings)."""
    inputs = [make(name, seed, number, corpus[name]) for number in range(first, last)]
    job = {
        "target": name,
        "first": first,
        "sizes": [len(data) for data in inputs],
        "free": FREE_BYTES,
        "metadata": [d[1:].hex() for d in corpus["metadata"]] if name == "metadata" else [],
    }
    printed = micropython.run(
        DEVICE,
        heap_bytes=4 * 1024 * 1024,
        stdin=json.dumps(job).encode() + b"\n" + b"".join(inputs),
        timeout_s=600,
    )
    lines = printed.splitlines()
    findings = [
        f"{name}-{seed}-{line.split(' ', 2)[1]}: {line.split(' ', 2)[2]} (MicroPython)"
        for line in lines
        if line.startswith("FINDING")
    ]
    _, accepted, least = lines[-1].split()
    return int(accepted), int(least), findings


def replay(case: str) -> int:
    """Run the one input of that id on both interpreters, with all that can be seen of it."""
    name, seed, number = case.rsplit("-", 2)
    corpus = prepare()
    data = make(name, int(seed), int(number), corpus[name])
    print(f"{len(data)} bytes: {data.hex()}")
    try:
        print("CPython:", "accepted" if targets.TARGETS[name](data) else "refused")
        wrong = 0
    except Exception:
        traceback.print_exc()
        wrong = 1
    accepted, _, findings = on_device(name, int(seed), int(number), int(number) + 1, corpus)
    print("MicroPython:", findings[0] if findings else "accepted" if accepted else "refused")
    return 1 if wrong or findings else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=sorted(targets.TARGETS))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--sample", type=int, default=0, help="inputs on MicroPython; 1 in 50")
    parser.add_argument("--replay", metavar="ID")
    arguments = parser.parse_args()
    if arguments.replay:
        return replay(arguments.replay)
    names = [arguments.target] if arguments.target else list(targets.TARGETS)
    corpus = prepare()
    print(f"corpus {corpora.digest(corpus)}, seed {arguments.seed}, {len(names)} targets")
    start = time.monotonic()
    inputs, accepted, findings = bulk(
        shares(arguments.inputs, names), arguments.seed, arguments.processes
    )
    took_s = time.monotonic() - start
    print(f"CPython: {inputs} inputs in {took_s:.0f} s, {inputs / took_s:.0f} a second")
    print(f"  {accepted} accepted, {inputs - accepted - len(findings)} refused with a typed error")
    start = time.monotonic()
    sample = shares(arguments.sample or arguments.inputs // 50, names)
    for name, count in sample.items():
        _, _, found = on_device(name, arguments.seed, 0, count, corpus)
        findings += found
        for text in found[:SHOWN]:
            print("finding", text, flush=True)
    took_s = time.monotonic() - start
    print(
        f"MicroPython, {FREE_BYTES // 1024} KiB of heap: "
        f"{sum(sample.values())} inputs in {took_s:.0f} s"
    )
    print(f"fuzz: {inputs + sum(sample.values())} inputs, findings: {len(findings)}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
