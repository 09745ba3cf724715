"""The everyday form of the publications' part of `inv powercut`."""

from __future__ import annotations

import pytest

from tests.powercut import publications


@pytest.mark.parametrize("name", ["publish-nothing", "publish-keys-timestamp", "publish-keys-ci"])
def test_a_publication_that_is_cut_leaves_the_old_channels_or_the_new_ones(name: str) -> None:
    found = publications.explore((name, 2, 13))
    assert found.broken == []
    assert found.judged >= 2


@pytest.mark.parametrize("name", ["torn_line_is_fatal", "publication_in_parts", "staged_in_parts"])
def test_a_wrong_build_of_the_publishing_code_is_caught(name: str) -> None:
    assert publications.try_mutant(name)[1]
