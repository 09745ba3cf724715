"""A corner of a town: something that goes on there beside the counters."""

from __future__ import annotations

import copy
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.days.town import Town


class Corner:
    """`books` is what its model knows: it is remembered with a back-up, and what the operator
    commanded since is done again after a restore.
    """

    steps: tuple[str, ...] = ()
    """What may happen there in a day; what is named twice happens twice as often."""

    share = 1.0
    """How much happens there, beside the others."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.books: Any = None

    def step(self, name: str, chance: random.Random) -> None:
        """Let one of `steps` happen."""
        raise NotImplementedError

    def evening(self) -> None:
        """The counters are closed; all that they know is told."""

    def night(self) -> None:
        """The day is over, a statement of it can be had."""

    def broken(self) -> list[str]:
        """The names of the promises that are broken."""
        return []

    def words(self) -> list[str]:
        """What a person wants to know of what is broken."""
        return []

    def remember(self) -> Any:
        """What the model knows now."""
        return copy.deepcopy(self.books)

    def put_back(self, remembered: Any) -> None:
        """The server is as it was when this was remembered."""
        self.books = copy.deepcopy(remembered)
