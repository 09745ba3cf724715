"""Processes for wrong builds: each spoils its own, and so needs one that no other was built in.

They are forked by a process that has imported this module and done nothing else: Python's start
and the imports are a second of CPU, a server with its vault and keys another, and there are seventy
wrong builds. It is a process of its own, as whoever asks may have threads, and what forks beside
one may wait for ever.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing.pool import Pool

from tests.powercut.__main__ import _try_mutant
from tests.powercut.mutants import MUTANTS
from tests.powercut.runner import golden

golden("sale-online")  # by the right build, as it is for each of them


def try_mutant(name: str) -> tuple[str, str]:
    """(mutant, case and words that caught it or "")."""
    return _try_mutant(name)


def build(name: str) -> bool:
    """Whether the wrong build still fits the code as it stands; raises PatchDoesNotFit if not."""
    MUTANTS[name].build()
    return True


def pool() -> Pool:
    """One process at a time, and another for each piece of work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context.Pool(1, maxtasksperchild=1)
