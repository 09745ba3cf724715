"""A flash of four megabytes in memory, partitioned as duka-r1, and the boot records on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bootloader.shared import control, partitions
from hw_sim.flash import NorFlash

KEY = bytes(range(32))
POLICY = {"crashes_allowed": 2, "unconfirmed_boots_allowed": 4, "selftest_deadline_s": 300}


def image_terms(release: int = 1, security_version: int = 1) -> tuple[Any, ...]:
    """What `ControlBlock` records of an image."""
    return (1000 + release, bytes([release]) * 32, release, security_version, POLICY)


@pytest.fixture
def flash() -> NorFlash:
    return NorFlash(None)


@pytest.fixture
def control_partition(flash: NorFlash) -> Any:
    return partitions.table(flash)["control"]


@pytest.fixture
def block(control_partition: Any) -> Any:
    """Release 1 confirmed and running in slot a."""
    made = control.ControlBlock(control_partition, KEY)
    made.create(0)
    made.adopt("a", *image_terms())
    return made


@pytest.fixture
def reload(control_partition: Any) -> Callable[[], Any]:
    """The newest State, as the next boot would read it."""
    return lambda: control.ControlBlock(control_partition, KEY).load()
