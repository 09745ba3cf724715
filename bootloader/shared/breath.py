"""Lets others have a moment in the middle of work that cannot wait for them.

Checking a signature takes a board seconds, in one piece: while it lasts no key would be heard and
no watchdog fed. So such loops call `breathe()` every few milliseconds, and a release says with
`use` what is to be done then. In the bootloader nobody waits, and nothing is done.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class _Lungs:
    task: "Callable[[], None] | None" = None


def use(task: "Callable[[], None] | None") -> None:
    """From now on `breathe()` calls `task()`: short, without waiting; None for nothing."""
    _Lungs.task = task


def breathe() -> None:
    """Called by whatever works for long, as often as it likes."""
    if _Lungs.task:
        _Lungs.task()
