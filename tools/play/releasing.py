"""Releases of the world: a good one, and one that crashes at its start."""

from __future__ import annotations

from tools.play import making
from tools.play.world import World

_TEXTS = "firmware/ui/languages/en.py"
_THANKS = "|Thank you\n"
_COME_AGAIN = "|Thank you, come again\n"
_START = "    log.start(board.console)\n"
_CRASH = _START + '    raise RuntimeError("no such display")\n'


def good(world: World, _: int) -> str:
    """Publish it; for everybody."""
    number = _next_release(world)
    text = world.releases.text(_TEXTS)
    again = _THANKS if _THANKS in text else _COME_AGAIN
    other = _COME_AGAIN if again == _THANKS else _THANKS
    _mend(world)
    world.releases.change(_TEXTS, again, other)
    return _publish(world, number, "Kinder receipts")


def bad(world: World, _: int) -> str:
    """Publish it; for everybody."""
    number = _next_release(world)
    _mend(world)
    world.releases.change("firmware/main.py", _START, _CRASH)
    return _publish(world, number, "Crashes at start")


def _mend(world: World) -> None:
    if _CRASH in world.releases.text("firmware/main.py"):
        world.releases.change("firmware/main.py", _CRASH, _START)


def _next_release(world: World) -> int:
    built = [file.stem.rpartition("-")[2] for file in world.releases.images.glob("duka-r1-*.romfs")]
    return 1 + max(int(number) for number in built)


def _publish(world: World, number: int, text: str) -> str:
    version = f"1.{number - 1}.0"
    with making.quiet():
        world.releases.release(number, version, text)
        world.releases.publish()
    return f"release {version} is out; the terminal hears of it at its next check-in"
