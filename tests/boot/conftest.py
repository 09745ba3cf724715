"""A flash of four megabytes in memory, partitioned as duka-r1, and the boot records on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bootloader.shared import control, partitions
from hw_sim.flash import NorFlash
from tests.boot import signed, terminal

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
    made.confirm()
    return made


@pytest.fixture
def reload(control_partition: Any) -> Callable[[], Any]:
    """The newest State, as the next boot would read it."""
    return lambda: control.ControlBlock(control_partition, KEY).load()


@dataclass
class Workshop:
    """Built once: the images, and the flash of a terminal that runs release 1."""

    boot: bytes
    images: dict[int, bytes]
    channel: signed.Channel
    files: dict[str, bytes]
    provisioned: bytes
    device_key: bytes


@pytest.fixture(scope="package")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    folder = tmp_path_factory.mktemp("releases")
    boot = terminal.boot_image()
    images = {release: terminal.release_image(folder, release) for release in (1, 2, 3)}
    channel = signed.Channel()
    files = channel.files(signed.entry(images[1], 1), signed.entry(images[2], 2))
    flash = NorFlash(None)
    flash.damage(0, boot)
    with terminal.terminal(flash) as bench:
        key = terminal.provision(bench, images[1], files)
        bench.running()
        bench.tell("confirm")
    return Workshop(boot, images, channel, files, flash.snapshot(), key)


@pytest.fixture
def blank(workshop: Workshop, flash: NorFlash) -> Iterator[terminal.Terminal]:
    """A board with a boot image and nothing else, off."""
    flash.damage(0, workshop.boot)
    with terminal.terminal(flash) as bench:
        yield bench


@pytest.fixture
def bench(workshop: Workshop, flash: NorFlash) -> Iterator[terminal.Terminal]:
    """A terminal that was provisioned and runs release 1 in slot a, off."""
    flash.restore(workshop.provisioned)
    with terminal.terminal(flash) as made:
        yield made
