"""The arms that other salts would have drawn.

A terminal's place under a salt is that of roll-outs (`channels.rollout.place`, which the terminal
computes itself). Those in the arms are the first of all terminals in the order of their places;
given who they are and how many are in beta, each choice of that many is as likely as any other. So
another salt's arm is the first so many of the same terminals in the order of *its* places.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from updater_server.channels.rollout import EVERYBODY, drawn

Bits = npt.NDArray[np.uint8]
Reach = tuple[int, int]
"""Whole ten-thousandths, and steps within the next one."""


def other_salts(salt: str, count: int) -> list[str]:
    """`count` salts (16 hex digits each) that follow from the one in use, so that a replay draws
    the same.
    """
    seed = bytes.fromhex(salt)
    return [
        hashlib.sha256(b"other salts" + seed + number.to_bytes(4, "big")).hexdigest()[:16]
        for number in range(count)
    ]


def arms(salts: Sequence[str], ids: Sequence[bytes], in_beta: int) -> Bits:
    """One row a salt: 1 for each of the `in_beta` terminals of `ids` that come first under it.

    Places go to 10,000 only, so the rest of the same digest orders those that share one.
    """
    drawn = np.zeros((len(salts), len(ids)), np.uint8)
    for row, salt in enumerate(salts):
        drawn[row, _order(salt, ids)[:in_beta]] = 1
    return drawn


def _order(salt: str, ids: Sequence[bytes]) -> npt.NDArray[np.int64]:
    prefix, sha256 = bytes.fromhex(salt), hashlib.sha256
    digests = b"".join([sha256(prefix + one).digest()[:16] for one in ids])
    words = np.frombuffer(digests, ">u8").reshape(len(ids), 2).astype(np.uint64)
    places = (words[:, 0] >> np.uint64(32)) % np.uint64(EVERYBODY)
    return np.lexsort((words[:, 1], words[:, 0], places))


def arm_of(salt: str, terminal_id: bytes, beta: Reach, control: Reach) -> str:
    """ "beta", "control" or "none" for a terminal, as the terminal finds it in the signed plan:
    places before `beta` (and steps within the place at it) install, those from there to `control`
    restart only.
    """
    at = drawn(salt, terminal_id)
    if at < beta:
        return "beta"
    return "control" if at < control else "none"
