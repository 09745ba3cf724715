"""What is the same in all lives of a run is made once: the images of a commit, and the payloads of
an image. Both are functions of what they are made from, to the byte (tests/release holds that).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from unittest import mock

from tests.support.world import ReleaseManager
from updater_server import channels
from updater_server.channels import promotion
from updater_server.channels.payloads import Payload, build_payloads


class Workshop:
    """`folder` holds the images that were built, by commit; any number of processes share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def build(self, manager: ReleaseManager, number: int) -> Path:
        """The image of release `number` from the manager's newest commit, in his folder."""
        commit = subprocess.run(
            ["git", "-C", str(manager.checkout), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        made = self._folder / f"{commit}-{number}.romfs"
        image = manager.images / f"duka-r1-{number}.romfs"
        if made.exists():
            shutil.copyfile(made, image)
            return image
        image = manager.build(number, f"1.{number}.0")
        self._folder.mkdir(parents=True, exist_ok=True)
        beside = made.with_suffix(f".{os.getpid()}")
        shutil.copyfile(image, beside)
        beside.replace(made)
        return image


@lru_cache(maxsize=64)
def _payloads(image: bytes, bases: tuple[tuple[int, bytes], ...]) -> tuple[Payload, ...]:
    return tuple(build_payloads(image, dict(bases)))


def _once(image: bytes, bases: Mapping[int, bytes] | None = None) -> list[Payload]:
    return list(_payloads(image, tuple(sorted((bases or {}).items()))))


@contextmanager
def payloads_once() -> Iterator[None]:
    """Within, this process makes the payloads of the same images once."""
    with (
        mock.patch.object(channels, "build_payloads", _once),
        mock.patch.object(promotion, "build_payloads", _once),
    ):
        yield
