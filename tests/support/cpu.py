"""How many CPU seconds the tests take, by folder, told at the end of each run: what was bought
dearly is seen by whoever bought it.

Counted are this process, its children that have ended, and the nursery's programs that were seen
to end; a server that lives for a whole file counts where it ends. PostgreSQL's own processes are
nobody's children and are not counted.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Generator, Mapping

import pytest

from tests.support import nursery

_DEAREST = 40


def used_s() -> float:
    """CPU seconds of this process so far, with its children and programs that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system + nursery.cpu_s()


def _dearest(spent_s: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(spent_s.items(), key=lambda item: -item[1])


class CpuSeconds:
    """The plugin: in each process that runs tests it counts, and in the one that tells it sums."""

    def __init__(self) -> None:
        self._seen_s = used_s()
        self._by_folder_s: defaultdict[str, float] = defaultdict(float)
        self._by_test_s: defaultdict[str, float] = defaultdict(float)
        self._tests_of: Counter[str] = Counter()

    def pytest_runtestloop(self) -> None:
        """What was imported and collected is no test's."""
        self._seen_s = used_s()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self,
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Each phase of a test says what it took."""
        report = yield
        now_s = used_s()
        report.user_properties.append(("cpu_s", now_s - self._seen_s))
        self._seen_s = now_s
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Sum it; where several processes run tests, their reports come here."""
        test = report.nodeid.partition("@")[0]
        folder = "/".join(test.partition("::")[0].split("/")[:2])
        self._tests_of[folder] += report.when == "call"
        for name, value in report.user_properties:
            if name == "cpu_s":
                self._by_folder_s[folder] += float(str(value))
                self._by_test_s[test] += float(str(value))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table: folders, the dearest first; with `--cpu` the dearest tests, too."""
        told = [
            f"{folder.removeprefix('tests/')} {cpu_s:.0f} ({self._tests_of[folder]})"
            for folder, cpu_s in _dearest(self._by_folder_s)
        ]
        total_s = sum(self._by_folder_s.values())
        terminalreporter.write_line(f"CPU seconds (tests): {total_s:.0f}: {', '.join(told)}")
        if terminalreporter.config.getoption("--cpu"):
            for test, cpu_s in _dearest(self._by_test_s)[:_DEAREST]:
                terminalreporter.write_line(f"{cpu_s:8.2f} {test}")
