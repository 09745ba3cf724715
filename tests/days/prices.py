"""The price lists of a town: one of Kenya's, one in Uganda's shillings."""

from __future__ import annotations

from pathlib import Path

from tests.server.shop import PASSPHRASE, make_database, make_repository
from tests.suppliers.counter import CATALOGUE
from updater_server import channels

KENYA, UGANDA = "catalogue/default.json", "catalogue/uganda.json"


def _list(currency: str, digits: int) -> channels.Catalogue:
    sold = channels.Product("air50", "Savanna 50", "Savanna", 5000, 250, "Dial *130*PIN#", [4] * 4)
    products = [sold, *CATALOGUE.products[1:]] if currency == "KES" else [sold]
    return channels.Catalogue(1, currency, digits, products, CATALOGUE.offline)


def make_signed(folder: Path) -> Path:
    """`folder` with `keys`, `empty.db` and `repository`."""
    folder.mkdir(parents=True, exist_ok=True)
    make_database(folder / "empty.db")
    repository = make_repository(folder / "repository", folder / "keys", _list("KES", 2))
    signers = channels.keys.load_all(folder / "keys", PASSPHRASE)
    repository.set_catalogue("uganda", _list("UGX", 0), signers)
    repository.publish(signers)
    return folder
