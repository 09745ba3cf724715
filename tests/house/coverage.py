"""`inv coverage`: the tests under coverage.py, with every process that they start counted.

Branches and lines of `updater_server` and `tools` are counted. Settings and the floor are in
pyproject.toml, `[tool.coverage]`: with all tests run, less than the floor is a failure. A process
that a test starts measures itself too (`patch = ["subprocess"]`); one that is killed (`kill -9`)
leaves nothing, so that the figure is a little lower than the truth.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import subprocess
import sys

from tests.house.tree import ROOT

DATA = ROOT / "build" / "coverage"
ALL = "tests"


def main() -> int:
    """Run the tests, put the processes' figures together, print them by file, keep the page."""
    parser = argparse.ArgumentParser(prog="inv coverage")
    parser.add_argument("paths", nargs="*", default=[ALL])
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    if importlib.util.find_spec("coverage") is None:
        print("coverage.py is not installed: run `python3 tasks.py coverage`, which sets up")
        return 1
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir(parents=True)
    tests = [*_coverage("run", "-m", "pytest"), "-q", "-n", str(asked.workers), *asked.paths]
    failed = subprocess.run(tests, cwd=ROOT, check=False).returncode
    subprocess.run(_coverage("combine", "--quiet"), cwd=ROOT, check=False)
    subprocess.run(_coverage("html", "--quiet"), cwd=ROOT, check=False)
    report = _coverage("report")
    if asked.paths != [ALL]:
        report += ["--fail-under", "0"]
    low = subprocess.run(report, cwd=ROOT, check=False).returncode
    print(f"by line: {(DATA / 'html' / 'index.html').relative_to(ROOT)}")
    return failed or low


def _coverage(command: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "coverage", command, *arguments]


if __name__ == "__main__":
    sys.exit(main())
