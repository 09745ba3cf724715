"""Salts of waves and flags are the same in every run: which place a terminal has is no chance."""

from __future__ import annotations

import hashlib
from itertools import count
from types import SimpleNamespace

import pytest

from updater_server.channels import rollout


@pytest.fixture(autouse=True)
def _same_salts(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count()

    def token_hex(size: int) -> str:
        return hashlib.sha256(b"salt %d" % next(numbers)).hexdigest()[: 2 * size]

    monkeypatch.setattr(rollout, "secrets", SimpleNamespace(token_hex=token_hex))
