"""The price lists of a town: one of Kenya's, one in Uganda's shillings, and each as it is later."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.server.shop import PASSPHRASE, make_database, make_repository
from tests.suppliers.counter import CATALOGUE
from updater_server import channels

KENYA, UGANDA = "catalogue/default.json", "catalogue/uganda.json"
COMMISSIONS_MINOR = (250, 200)
"""On a voucher of 5000, before and after the prices change."""


def _list(version: int, currency: str, digits: int) -> channels.Catalogue:
    commission = COMMISSIONS_MINOR[version - 1]
    sold = channels.Product(
        "air50", "Savanna 50", "Savanna", 5000, commission, "Dial *130*PIN#", [4] * 4
    )
    products = [sold, *CATALOGUE.products[1:]] if currency == "KES" else [sold]
    return channels.Catalogue(version, currency, digits, products, CATALOGUE.offline)


def make_signed(folder: Path) -> Path:
    """`folder` with `keys`, `empty.db`, `repository`, and `later`: the same with other prices."""
    folder.mkdir(parents=True, exist_ok=True)
    make_database(folder / "empty.db")
    repository = make_repository(folder / "repository", folder / "keys", _list(1, "KES", 2))
    signers = channels.keys.load_all(folder / "keys", PASSPHRASE)
    repository.set_catalogue("uganda", _list(1, "UGX", 0), signers)
    repository.publish(signers)
    shutil.copytree(folder / "repository", folder / "later")
    repository = channels.Repository.open(folder / "later")
    repository.set_catalogue("default", _list(2, "KES", 2), signers)
    repository.set_catalogue("uganda", _list(2, "UGX", 0), signers)
    repository.publish(signers)
    return folder
