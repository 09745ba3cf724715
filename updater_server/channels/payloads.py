"""What travels over GPRS for one release: the full image and deltas, compressed. For the release
manager's tools.

Source: docs/formats/release.md; detools' sequential patch format.
"""

from __future__ import annotations

import contextlib
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from updater_server.channels import delta, patch

WINDOW_BITS = 12
"""A 4 KiB window: what a terminal's decompressor can hold in its heap."""
_PATCH_READER = b"patch.mpy"
EXPANDED_LIMIT_BYTES = 2 * 1024 * 1024


class PayloadError(Exception):
    """A payload does not expand to its image."""


@dataclass(frozen=True)
class Payload:
    """One payload of a release; `base_*` only for a delta or patch."""

    kind: Literal["full", "delta", "patch"]
    data: bytes
    base_release: int | None = None
    base_sha256: str | None = None


def compress(data: bytes) -> bytes:
    """One zlib stream that a terminal has memory for; of an image, its full payload."""
    compressor = zlib.compressobj(9, wbits=WINDOW_BITS)
    return compressor.compress(data) + compressor.flush()


def expand(payload: Payload, base: bytes | None = None) -> bytes:
    """The image that a terminal makes of `payload`; a delta or patch needs the `base` image.

    Raises:
        PayloadError: damaged, over 2 MiB when expanded, with a window a terminal cannot hold, or
            without its base.
    """
    if payload.kind == "patch":
        return _patched(payload, base)
    try:
        expander = zlib.decompressobj(wbits=WINDOW_BITS)
        content = expander.decompress(payload.data, EXPANDED_LIMIT_BYTES)
    except zlib.error as error:
        raise PayloadError(f"{payload.kind} payload: {error}") from error
    if not expander.eof or expander.unused_data:
        raise PayloadError(f"{payload.kind} payload: not one whole zlib stream")
    if payload.kind == "full":
        return content
    if base is None:
        raise PayloadError("a delta needs its base image")
    try:
        return delta.apply(base, content, EXPANDED_LIMIT_BYTES)
    except delta.DeltaError as error:
        raise PayloadError(f"delta payload: {error}") from error


def _patched(payload: Payload, base: bytes | None) -> bytes:
    if base is None:
        raise PayloadError("a patch needs its base image")
    try:
        return patch.apply(base, payload.data, EXPANDED_LIMIT_BYTES)
    except patch.PatchError as error:
        raise PayloadError(f"patch payload: {error}") from error


def reads_patches(image: bytes) -> bool:
    """Whether the program in a release image reads patches: it holds the module that does."""
    return _PATCH_READER in image


def build_payloads(image: bytes, bases: Mapping[int, bytes] | None = None) -> list[Payload]:
    """The full payload of `image`, then from each base image (release number → image) a patch,
    where its program reads patches, or else a delta, where it is smaller.

    Each is expanded again and compared before it is returned. The same inputs give the same bytes.
    """
    full = Payload("full", compress(image))
    payloads = [full]
    for base_release, base in sorted((bases or {}).items()):
        kind, data = _difference(base, image)
        if len(data) < len(full.data):
            digest = hashlib.sha256(base).hexdigest()
            payloads.append(Payload(kind, data, base_release, digest))
    for payload in payloads:
        base_image = None if payload.base_release is None else (bases or {})[payload.base_release]
        if expand(payload, base_image) != image:
            raise PayloadError(f"{payload.kind} payload does not expand to the image")
    return payloads


def _difference(base: bytes, image: bytes) -> tuple[Literal["delta", "patch"], bytes]:
    """A patch that takes terminals too long is none."""
    if reads_patches(base):
        with contextlib.suppress(patch.TooLong):
            return "patch", patch.make(base, image)
    return "delta", compress(delta.make(base, image))
