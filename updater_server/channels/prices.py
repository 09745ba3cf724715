"""Staging price lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from securesystemslib.signer import Signer

from updater_server.channels.entry import Catalogue, EntryError
from updater_server.channels.errors import ReleaseRefused, RepositoryDamaged
from updater_server.channels.judge import Judge
from updater_server.channels.lists import price_list_path
from updater_server.channels.policy import CATALOGUE_ROLE
from updater_server.channels.published import Published
from updater_server.channels.staging import Staging

_NAME = re.compile("[a-z0-9][a-z0-9_-]{0,31}")


class Prices:
    """Changes the price lists, each judged by `judge` first."""

    def __init__(self, published: Published, staging: Staging, judge: Judge) -> None:
        self._published = published
        self._staging = staging
        self._judge = judge

    def set_catalogue(
        self,
        name: str,
        catalogue: Catalogue,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
        *,
        back: bool = False,
    ) -> None:
        """Stage the price list `catalogue/<name>.json`. With `back` its version may be below the
        one in force: terminals take what is signed last, whatever its version.

        Raises:
            ReleaseRefused: bad name, or its version is not above the one in force.
            EntryError: a field of the catalogue is wrong.
        """
        if not _NAME.fullmatch(name):
            raise ReleaseRefused(f"{name!r} cannot be the name of a catalogue")
        catalogue.check()
        path = price_list_path(name)
        data = catalogue.encode()
        self._judge.target(path, data)
        with self._staging.editing(CATALOGUE_ROLE, f"set prices {name}", signers, now) as edit:
            if path in self._published.list_of(CATALOGUE_ROLE).signed.targets:
                self._check_version(name, catalogue, back)
            target = edit.add_target(path, data)
            edit.details = {"version": catalogue.version, "sha256": target.hashes["sha256"]}

    def _check_version(self, name: str, catalogue: Catalogue, back: bool) -> None:
        try:
            in_force = self._published.catalogue(name)
        except (EntryError, RepositoryDamaged):
            return  # what cannot be read must not keep its remedy away
        if catalogue.version > in_force.version:
            return
        if not back or (
            catalogue.version == in_force.version and catalogue.encode() != in_force.encode()
        ):
            raise ReleaseRefused(
                f"price list {name} is at version {in_force.version}; the next must be higher, "
                f"or an earlier one that is put back (--back)"
            )
