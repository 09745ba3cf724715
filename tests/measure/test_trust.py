"""The bars of `inv bench trust`, without the search for the heap."""

from __future__ import annotations

from pathlib import Path

from tests.measure.trust import POLL_BAR_BYTES, RELEASE_BAR_BYTES, Figures, measure


def test_a_poll_and_a_new_release_cost_no_more_airtime_than_promised(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    def note(name: str, ours: Figures, theirs: Figures, bar: int) -> bool:
        seen.append((ours.total, theirs.total))
        return not bar or ours.total <= bar

    assert measure(tmp_path, note, with_heap=False), seen
    full, poll, release = seen
    assert poll[0] <= POLL_BAR_BYTES and release[0] <= RELEASE_BAR_BYTES
    assert all(ours < theirs for ours, theirs in (full, poll, release))
