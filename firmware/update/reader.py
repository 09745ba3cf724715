"""The reader of patches, in the heap while it works: the machine code that the interpreter has
frozen in, or this image's byte code. For `news` and `prepare`.

A release decides which machine code it takes, by its name: one that is found to be wrong, or calls
for other callbacks, is left alone by every later release, though it stays in the interpreter.
"""

from firmware.lent import give_back, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MACHINE_CODE = "patch_1"
_BYTE_CODE = "firmware.update"


def bring(is_failed: bool = False) -> "Any":
    """The module `patch`; in byte code after a try that failed (`is_failed`)."""
    if not is_failed:
        try:
            return _of(_MACHINE_CODE)
        except ImportError:
            pass  # an older interpreter
    return _of(_BYTE_CODE)


def _of(room: str) -> "Any":
    return load(room + ".patch", (room + ".model",))


def tidy() -> None:
    """Give back what was brought."""
    modules = [room + leaf for room in (_MACHINE_CODE, _BYTE_CODE) for leaf in (".patch", ".model")]
    give_back(modules + [_MACHINE_CODE])
