"""The one place that knows signature schemes. `tuf_files` reads a file's keys by it, `tuf_signed`
checks with them.
"""

from bootloader.shared.compat import collect, threshold

from .ed25519 import verify as _verify_ed25519

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Key = tuple[str, Any]
    """(scheme, public key as its scheme's verifier takes it)."""


def from_hex(text: object, size_bytes: int | None = None) -> bytes | None:
    """The bytes that lower- or upper-case hex stands for, `size_bytes` of them, or None."""
    if not isinstance(text, str) or (size_bytes is not None and len(text) != 2 * size_bytes):
        return None
    try:
        data = bytes.fromhex(text)
    except ValueError:
        return None
    return data if 2 * len(data) == len(text) else None


def public_key(kind: object, scheme: str, text: str) -> "Any":
    """The public key in `text` as its scheme's verifier takes it, or None: it verifies nothing.
    `kind` is metadata's `keytype`.
    """
    if scheme == "ed25519" and kind == "ed25519":
        return from_hex(text, 32)
    if scheme == "ecdsa-sha2-nistp256" and kind in ("ecdsa", scheme):
        from . import p256

        return p256.public_key(text)
    if scheme == "rsassa-pss-sha256" and kind == "rsa":
        from . import rsa_pss

        return rsa_pss.public_key(text)
    return None


def verify_signature(key: "Key", signature: bytes, data: "bytes | bytearray | memoryview") -> bool:
    """True if `key` made `signature` over `data`."""
    # Nothing of the arithmetic is kept, so sweeps before the heap is full would only take time.
    sweep_at = threshold()
    threshold(-1)
    try:
        scheme, public = key
        if scheme == "ed25519":
            return _verify_ed25519(public, signature, data)
        # Our own channels never sign with these, so only who meets such a key loads the code.
        if scheme == "ecdsa-sha2-nistp256":
            from . import p256

            return p256.verify(public, signature, data)
        if scheme == "rsassa-pss-sha256":
            from . import rsa_pss

            return rsa_pss.verify(public, signature, data)
        return False
    finally:
        threshold(sweep_at)
        collect()  # or what comes next lies where the heap was full, and stays in between
