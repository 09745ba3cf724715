"""What holds for every test."""

from __future__ import annotations

import functools
import gc
import hashlib
import random
from collections import Counter

import pytest
import typer.main
import typer.testing
from hypothesis.internal.conjecture import providers

from tests.support import given, once, ram
from tests.support.cpu import CpuSeconds

# Typer makes an app's commands anew for each line that is typed: eight tenths of a short command's
# time. What it makes does not depend on the line.
typer.testing._get_command = functools.cache(typer.main.get_command)  # type: ignore[attr-defined]

# Of the constants in loaded modules none is an example: what is loaded depends on the tests before,
# and a failure would not come again where its test runs by itself.
assert hasattr(providers, "_get_local_constants"), "this version of hypothesis names it otherwise"
providers._get_local_constants = lambda: providers._local_constants

ram.use()


def pytest_collection_finish() -> None:
    """Device code tidies its small heap often. Let that not walk through all of the test suite's
    modules each time: it took nine tenths of some tests' time. And what goes in circles is left
    until there is more of it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 5)
    once.remember()
    given.close_what_commands_open()


def pytest_configure(config: pytest.Config) -> None:
    """Count what the tests cost."""
    config.pluginmanager.register(CpuSeconds())


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--digests` tells that of each world; with `--full` nothing runs as a sample; `--shuffle N`
    runs the tests in another order; `--cpu` names the dearest tests.
    """
    parser.addoption("--cpu", action="store_true", help="name the dearest tests")
    parser.addoption("--digests", action="store_true", help="tell the digest of each world")
    parser.addoption("--full", action="store_true", help="run all that everyday runs sample")
    parser.addoption("--shuffle", type=int, default=0, help="another order for each number but 0")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One digest of all worlds on simulated time: equal in each run of the same tests."""
    engines: Counter[str] = Counter()
    for report in terminalreporter.stats.get("", []):
        if getattr(report, "when", "") == "teardown":
            engines.update(value for name, value in report.user_properties if name == "engine")
    lines = sorted(
        f"{report.nodeid.partition('@')[0]} {value}"
        for report in terminalreporter.stats.get("", [])
        if getattr(report, "when", "") == "teardown"
        for name, value in report.user_properties
        if name == "digest"
    )
    if lines:
        if terminalreporter.config.getoption("--digests"):
            terminalreporter.write_line("\n".join(lines))
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
        terminalreporter.write_line(f"digest: {digest} ({len(lines)} worlds on simulated time)")
        told = ", ".join(f"{count} on {engine}" for engine, count in sorted(engines.items()))
        terminalreporter.write_line(f"worlds: {told}; with --full all on MicroPython")


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is made once for a file, or for a folder, is made once: of several processes, one runs
    all tests that ask for it.
    """
    if config.getoption("--shuffle"):
        random.Random(config.getoption("--shuffle")).shuffle(items)
    for item in items:
        if item.get_closest_marker("full") and not config.getoption("--full"):
            item.add_marker(pytest.mark.skip(reason="not every day: inv test --full"))
        if not isinstance(item, pytest.Function):
            continue
        for made in (every[-1] for every in item._fixtureinfo.name2fixturedefs.values()):
            if made.scope in ("module", "package"):
                shared = item.nodeid.partition("::")[0] if made.scope == "module" else made.baseid
                item.add_marker(pytest.mark.xdist_group(shared))
                break
