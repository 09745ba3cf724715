"""The device key's randomness: raw noise that passes the start-up tests, and nothing else.

NIST SP 800-90B section 4.4: repetition count and adaptive proportion tests over the first 1024
samples (4.3: start-up), each sample a byte credited with one bit of entropy, so that a sound source
fails once in a million starts (alpha = 2^-20). Only serial recovery calls it.

The key is made *from* the samples that were tested, so a board cannot pass with one source and draw
its key from another.
"""

from hashlib import sha256

from bootloader.shared.compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SAMPLES = const(1024)
_PIECE = const(64)
_REPEATS = const(21)  # 4.4.1: 1 + 20 / 1 bit
_WINDOW = const(512)  # 4.4.2: for samples of more than one bit
_PROPORTION = const(311)  # 4.4.2: 1 + the smallest c with P(binomial(512, 1/2) <= c) >= 1 - 2^-20


class NoEntropyError(Exception):
    """The noise source does not pass its start-up test: the board must not make a key."""


def make_key(noise: "Callable[[int], bytes]", random: "Callable[[int], bytes]") -> bytes:
    """32 bytes for a device key. `noise(n)` gives n raw bytes of the hardware's noise source,
    `random(n)` n bytes of the board's own generator, which are mixed in.

    Raises NoEntropyError if the noise source is stuck, biased or missing.
    """
    health = Health()
    digest = sha256()
    left = _SAMPLES
    while left:
        piece = noise(_PIECE)
        if len(piece) != _PIECE:
            raise NoEntropyError("the noise source gives nothing")
        health.feed(piece)
        digest.update(piece)
        left -= _PIECE
    digest.update(random(32))
    key: bytes = digest.digest()
    return key


class Health:
    """The two continuous tests of SP 800-90B 4.4, sample by sample."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._repeats = 0
        self._place = 0
        self._first: int | None = None
        self._count = 0

    def feed(self, samples: bytes) -> None:
        """Take samples (bytes). Raises NoEntropyError if either test fails."""
        for sample in samples:
            self._repeats = self._repeats + 1 if sample == self._last else 1
            self._last = sample
            if self._repeats >= _REPEATS:
                raise NoEntropyError("the noise source is stuck")
            if self._place == 0:
                self._first = sample
                self._count = 0
            self._count += sample == self._first
            self._place = (self._place + 1) % _WINDOW
            if self._count >= _PROPORTION:
                raise NoEntropyError("the noise source is biased")
