"""Whatever order things happen in, the books balance and the terminal's own figure is explained."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.engines import POSTGRESQL_ALONE, Store
from tests.server.merchant import STEPS, Merchant
from tests.server.shop import Shop


@given(seed=st.integers(0, 2**32), names=st.lists(st.sampled_from(STEPS), max_size=40))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_interleaving_of_two_merchants_keeps_the_books(
    signed: Path, seed: int, names: list[str]
) -> None:
    live(signed, "", seed, names)


@POSTGRESQL_ALONE
@pytest.mark.parametrize("seed", range(3))
def test_some_interleavings_keep_them_on_postgresql(signed: Path, store: Store, seed: int) -> None:
    chance = random.Random(seed)
    live(signed, store.new_url(), seed, [chance.choice(STEPS) for _ in range(40)])


def live(signed: Path, url: str, seed: int, names: list[str]) -> None:
    """The days of two merchants."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop.open(Path(folder) / "data", signed / "repository", url)
        merchants = [Merchant(shop, 1), Merchant(shop, 2)]
        for name in names:
            chance.choice(merchants).step(name, chance)
            assert shop.problems() == []
        for merchant in merchants:
            merchant.block(False)
            merchant.check_in()
            merchant.upload()
            merchant.check_in()
            merchant.check_in()
            assert merchant.own_float() == shop.float_of(merchant.device)
        given_out = [pin for merchant in merchants for pin in merchant.pins]
        assert len(given_out) == len(set(given_out))
        assert set(shop.alarms()) <= {"sale_conflict", "no_vouchers", "voucher_spoiled"}
        assert shop.problems() == []
        shop.service.engine.dispose()
