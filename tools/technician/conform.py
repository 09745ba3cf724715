"""Whether a board keeps what docs/porting.md asks: runs on any blank board over its serial port.

The checks are device code (bootloader/conformance.py) in an image of their own, which takes
the place of the boot image for the while; the board is blank again afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tools.errors import LinkError
from tools.technician import ports
from tools.technician.console_link import ConsoleLink
from tools.technician.log import Job
from tools.technician.progress import Row
from tools.technician.recovery_link import BlankBoard

_CHECK_S = 60
_START_S = 15


def conform(
    port: str, image: bytes, job: Job, row: Row, say: Callable[[str], None] = lambda text: None
) -> str:
    """Run every check; the results are in the job's details.

    Raises:
        LinkError: the board is not blank, does not start the image, or a check fails.
    """
    ports.wait_for(port, ports.BLANK, timeout_s=10)
    with BlankBoard(port) as board:
        board.write_boot(image, row.step("self-test image"))
        board.reset()
    failed: list[str] = []
    results: dict[str, str] = {}
    try:
        facts = _greeting(port)
        job.uid = str(facts["uid"])
        for name in facts["checks"]:
            row.step(name)
            results[name] = _check(port, name)
            say(f"  {name}: {results[name]}")
            if results[name] != "ok":
                failed.append(f"{name} ({results[name]})")
    finally:
        job.details["checks"] = results
        with ConsoleLink(port) as link:
            link.command("erase", _CHECK_S)
    ports.wait_for(port, ports.BLANK)
    if failed:
        raise LinkError(f"{port}: not in order: " + ", ".join(failed))
    return f"the board keeps all {len(results)} promises"


def _greeting(port: str) -> dict[str, Any]:
    for _ in range(int(_START_S)):
        with ConsoleLink(port) as link:
            try:
                return link.command("checks", 1)
            except LinkError:
                continue
    raise LinkError(f"{port}: the self-test image does not start: is it for this board?")


def _check(port: str, name: str) -> str:
    """One check; one that ends in a reset tells its result when the board is back."""
    with ConsoleLink(port) as link:
        answer = link.command(f"check {name}", _CHECK_S)
    if answer.get("then") == "reset":
        _greeting(port)
        with ConsoleLink(port) as link:
            answer = link.command(f"after {name}", _CHECK_S)
    return str(answer["result"])
