"""Run the public tuf-conformance suite against the terminal's TUF client on real MicroPython:

    python -m tests.conformance CHECKOUT [-- pytest's own options]

CHECKOUT is a checkout of github.com/theupdateframework/tuf-conformance; nothing of it is kept here.
It needs `faketime` on the PATH.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = Path(__file__).with_name("expected_failures.txt")


def run(checkout: Path, options: list[str]) -> int:
    """Run the suite, print its counts last; the suite's exit code."""
    if not (checkout / "tuf_conformance").is_dir():
        print(f"{checkout} is no checkout of tuf-conformance: it has no folder tuf_conformance")
        return 2
    if shutil.which("faketime") is None:
        print("the suite needs `faketime`; on Debian and Ubuntu: apt-get install faketime")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        # The suite wants one program without blanks in its path; the list of failures lies beside.
        client = Path(folder) / "duka-tuf-client"
        python, root = shlex.quote(sys.executable), shlex.quote(str(ROOT))
        client.write_text(
            f'#!/bin/sh\nPYTHONPATH={root} exec {python} -m tools.lab.tuf_client "$@"\n'
        )
        client.chmod(0o755)
        shutil.copy(EXPECTED, client.with_name(client.name + ".xfails"))
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "tuf_conformance", "-c", "pyproject.toml"]
        command += ["--entrypoint", str(client), f"--junitxml={report}", "-q", *options]
        done = subprocess.run(command, cwd=checkout, check=False)
        if not report.exists():
            return done.returncode or 1
        suite = next(ElementTree.parse(report).getroot().iter("testsuite"))
        total, failed, errors, skipped = (
            int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")
        )
    expected = [
        line for line in EXPECTED.read_text().splitlines() if line and not line.startswith("#")
    ]
    print(
        f"conformance: {total} tests, {total - failed - errors - skipped} passed, "
        f"{failed + errors} failed, {skipped} skipped or expected to fail "
        f"({len(expected)} listed)"
    )
    return done.returncode


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.conformance", description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("options", nargs="*", help="for pytest, for example -k expired")
    arguments = parser.parse_args()
    return run(arguments.checkout.resolve(), arguments.options)


if __name__ == "__main__":
    sys.exit(main())
