"""Listing a price list and its offline policy."""

from __future__ import annotations

from pathlib import Path

from tools.release.options import Desk
from tools.release.steps import Step
from updater_server import channels
from updater_server.channels.policy import CATALOGUE_ROLE
from updater_server.channels.shown import visible


def sign_prices(
    file: Path, desk: Desk, name: str = "default", *, back: bool = False, step: Step
) -> None:
    """Sign a price list and its offline policy with the keys at hand."""
    listed = channels.Catalogue.parse(file.read_bytes())
    words = [f"price list {visible(name)}, version {listed.version}, {listed.currency}:"]
    for product in listed.products:
        words.append(
            f"  {product.product_id}: {visible(product.name)}, {product.amount_minor} minor units, "
            f"commission {product.commission_minor}"
        )
    rule = listed.offline
    words.append(
        f"  without network: {rule.max_count} sales, {rule.max_amount_minor} each, "
        f"{rule.max_total_minor} in all, within {rule.max_age_s} s"
    )
    if rule.wipe_after_s:
        words.append(f"  away for more than {rule.wipe_after_s} s: it wipes its stock")
    opened = desk.open()

    def build() -> None:
        opened.set_catalogue(name, listed, back=back)

    desk.stage(opened, build, step, [CATALOGUE_ROLE], words)
