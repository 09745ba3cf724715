"""The figures of `inv house`: counted right, and made for another tree as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.tree import Module, module
from tests.measure import house

RUN = "".join(f"    total_{n} = first({n}, second) + third[{n}] * fourth\n" for n in range(7))


def _of(*texts: str) -> dict[str, Module]:
    made = [module(f"a/m{number}.py", text) for number, text in enumerate(texts)]
    return {each.name: each for each in made}


def test_lines_that_stand_twice_are_found() -> None:
    one = f'"""A file."""\nimport os\n\n\ndef f():\n{RUN}'
    other = f"import os\n\n\n# other words\ndef g(x):\n    y = x\n{RUN.replace(' + ', '  +  ')}"
    assert house.repeated(_of(one, other)) == [("a/m0.py", 6, 7), ("a/m1.py", 7, 7)]


@pytest.mark.parametrize(
    "text",
    [
        RUN.replace("second", "another"),
        "    x = 1\n" + "".join(RUN.splitlines(keepends=True)[1:5]),
        "".join(f"import module_{n}, second_{n}, third_{n}, fourth_{n}, fifth\n" for n in range(9)),
    ],
)
def test_what_is_not_the_same_is_not_found(text: str) -> None:
    head = "def f():\n" if text.startswith("    ") else ""
    assert not house.repeated(_of(f"def f():\n{RUN}", head + text))


def test_another_tree_is_counted(tmp_path: Path) -> None:
    for area in ("bootloader", "firmware", "updater_server", "hw_sim", "tools"):
        (tmp_path / area).mkdir()
    (tmp_path / "firmware" / "long.py").write_text(
        "class Many:\n" + "".join(f"    def f{n}(self):\n        return {n}\n\n" for n in range(21))
    )
    (tmp_path / "tools" / "short.py").write_text('"""Short."""\n')
    figures = house.counted(tmp_path)
    assert figures["files"] == (2, "")
    assert figures["longest file, lines"] == (64, "firmware/long.py")
    assert figures["classes over 20 methods"] == (1, "most: 21 of firmware/long.py:Many")
    assert figures["public and without docstring"] == (22, "of 22")


def test_the_table_shows_both_trees_side_by_side() -> None:
    now: house.Figures = {"files": (1200, ""), "heap": (float("nan"), "not measured: no QEMU")}
    assert house.table(now, None) == "files      1,200\nheap           ?  not measured: no QEMU"
    assert house.table(now, {"files": (900, "")}).startswith("files        900 →      1,200")


def test_what_travels_is_counted_from_the_old_image() -> None:
    old = bytes(range(256)) * 40
    figures = house.sent(old + b"a new end", old)
    delta, full = figures["delta from then, bytes"][0], figures["full payload, bytes"][0]
    assert 0 < delta < full
