"""From blank to retired, by the command line alone, over a pty."""

from __future__ import annotations

from collections.abc import Callable

from tests.bench.conftest import Bench
from tests.terminal.conftest import MakeWorld, TerminalWorld

BenchOf = Callable[[TerminalWorld], Bench]


def test_a_blank_terminal_is_provisioned_bricked_recovered_and_retired(
    make_world: MakeWorld, bench_of: BenchOf
) -> None:
    world = make_world("factory").open_shop()
    bench = bench_of(world)
    assert "blank board" in bench.tech("list", "--port", bench.port)
    said = bench.tech("provision", "--port", bench.port, *bench.provision_options())
    assert "is ready to sell" in said
    world.wait_online()
    assert "selling" in bench.tech("list", "--port", bench.port)

    bench.brick()
    assert "recovery (provisioned)" in bench.tech("list", "--port", bench.port)
    assert "release 1 runs" in bench.tech("recover", "--port", bench.port, *bench.channel)
    world.merchant.sign_in()

    world.wait_online()
    assert "is wiped" in bench.tech("retire", "--port", bench.port, *bench.server, "--yes")
    assert "recovery (blank)" in bench.tech("list", "--port", bench.port)
    history = bench.tech("history")
    assert [line.split()[3] for line in history.splitlines()] == ["provision", "recover", "retire"]
    assert history.count("Wanjiru") == 3
    assert history.count("ok") == 3
