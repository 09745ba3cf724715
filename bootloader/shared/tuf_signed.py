"""Whether a file of metadata has the signatures that its role needs. For `tuf` only."""

from hashlib import sha256

from .compat import collect, const
from .crypto import signatures
from .tuf_files import NotSigned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .crypto.signatures import Key
    from .tuf_files import Envelope, Signers

KNOWN_FILES = const(12)
"""Signed files that are remembered as verified, at most: those of one refresh, old and new."""


class SignatureCheck:
    """Checks signatures, each file's once.

    `known`: a list of digests, or None. Signatures that it tells of are not checked again, and it
    is told of those found good: each entry stands for these bytes, verified by these keys and this
    threshold, which stays true for ever. So who keeps the list must let nobody else write to it.
    """

    def __init__(self, known: list[bytes] | None) -> None:
        self._known = known

    def check(self, file: "Envelope", keys: "dict[str, Key]", signers: "Signers") -> None:
        """Return only if enough of `signers`, whose keys are among `keys`, signed `file`; what it
        says may be set aside then.

        Raises:
            NotSigned: they did not.
        """
        if self._known is None:
            _check(file, keys, signers)
            return
        by = [(keyid, keys.get(keyid)) for keyid in signers.keyids]
        fact = sha256(repr((signers.threshold, by)).encode())
        fact.update(file.data)
        digest = fact.digest()
        if digest in self._known:
            self._known.remove(digest)
        else:
            _check(file, keys, signers)
        self._known.append(digest)
        del self._known[:-KNOWN_FILES]


def _check(file: "Envelope", keys: "dict[str, Key]", signers: "Signers") -> None:
    collect()
    good = _count(file, keys, signers, file.set_aside())
    collect()
    if good < signers.threshold:
        raise NotSigned(file.role, "%d of %d signatures" % (good, signers.threshold))


def _count(
    file: "Envelope",
    keys: "dict[str, Key]",
    signers: "Signers",
    data: "bytearray | memoryview",
) -> int:
    """How many of `signers` signed `data`, as far as their threshold."""
    good: list[Key] = []
    for keyid in signers.keyids:
        key = keys.get(keyid)
        # One key under two names is one signer.
        if key is None or key in good or keyid not in file.signatures:
            continue
        signature = signatures.from_hex(file.signatures[keyid])
        if signature and signatures.verify_signature(key, signature, data):
            good.append(key)
            if len(good) >= signers.threshold:
                break
    return len(good)
