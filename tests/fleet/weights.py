"""What things weigh in bytes: messages sealed and answered by the server's own code, news made from
signed files. What headers and connections add is what a release is quoted with
(`updater_server.channels.quote`), which `inv bench release` holds to the simulated network.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live.fleet import CHANNEL, NEW, OLD
from tests.live.terminal import HOUR_S, Terminal
from tests.server.shop import NOW, PASSPHRASE, Shop, make_signed
from tests.server.test_channels import add
from updater_server import channels
from updater_server.channels import keys as key_files
from updater_server.channels import quote
from updater_server.channels.news import news
from updater_server.channels.rollout import Control
from updater_server.channels.waves import reach

DATAGRAM_BYTES = 200 - 133
"""What a message's two bodies cost more on the air by CoAP; docs/decisions/0062-by-datagram.md."""
NAME_BYTES = 132
"""Asking for the server's name, which each start does anew; docs/patches.md."""
DAY_H = 24
_SAMPLE = 60


@dataclass(frozen=True)
class Weights:
    """Both bodies of each kind of message, the mean of a sample; what is fetched."""

    check_in: float
    check_in_told: float
    sale_told: float
    restart: float
    news_of_plan: int
    news_of_release: int
    news_of_day: int

    def said(self, body: float) -> float:
        """A message on the air."""
        return body + DATAGRAM_BYTES

    @property
    def updated(self) -> float:
        """The word before the restart, and the first check-in on trial by HTTP."""
        return quote.TELL_BYTES

    @property
    def restarted(self) -> float:
        """The same of a control, which asks for the name and stays with datagrams."""
        return self.said(self.restart) + NAME_BYTES + self.said(self.check_in)


def weigh(sales_a_day: float, window_h: int = 1) -> Weights:
    """Make everything once, `window_h` hours of counters in each window."""
    with _shop() as (shop, repository):
        spent: list[int] = []

        def post(body: bytes) -> tuple[int, bytes]:
            status, answer = shop.post(body)
            spent.append(len(body) + len(answer))
            return status, answer

        terminals = []
        for number in range(1, _SAMPLE + 1):
            shop.enrol(number, 10**8)
            key = hashlib.sha256(b"%d" % number).digest()
            terminals.append(Terminal(number, key, 0, 1, post, OLD))

        def mean(kind: str) -> float:
            del spent[:]
            for one in terminals:
                sales = round(sales_a_day * window_h / DAY_H)
                window = one.window(NOW, window_h * HOUR_S, sales, 0.02)
                if kind == "check_in":
                    one.check_in(NOW)
                elif kind == "told":
                    one.check_in(NOW, window)
                elif kind == "sale":
                    assert one.sell(NOW, window) == 0
                else:
                    one.check_in(NOW, into=NEW)
            return sum(spent) / len(spent)

        plan, release, day = _news(repository)
        check_in, told, sale, restart = map(mean, ("check_in", "told", "sale", "restart"))
        return Weights(check_in, told, sale, restart, plan, release, day)


@contextmanager
def _shop() -> Iterator[tuple[Shop, Path]]:
    with tempfile.TemporaryDirectory() as name:
        signed = Path(name, "signed")
        signed.mkdir()
        make_signed(signed)
        shop = Shop.open(Path(name, "data"), signed / "repository")
        shop.stock_vault(count=_SAMPLE)
        yield shop, signed
        shop.service.engine.dispose()


def _news(signed: Path) -> tuple[int, int, int]:
    """Bytes of the news of a plan, of a release, and of a day on which nothing came but a date."""
    signers = key_files.load_all(signed / "keys", PASSPHRASE)
    repository = channels.Repository.open(signed / "repository")
    metadata = signed / "repository" / "metadata"

    def publish() -> int:
        before = repository.published.metadata["snapshot"].signed.version
        repository.publish(signers)
        answer = news(metadata, f"1.{before}.{CHANNEL}")
        assert answer is not None
        return len(answer)

    add(repository, signers, OLD)
    publish()
    add(repository, signers, NEW)
    release = publish()
    for wave in (100, 300):
        threshold, within = reach(wave, 10_000)
        repository.set_rollout(
            CHANNEL, NEW, threshold, signers, within=within, control=Control(10_000, 0)
        )
        plan = publish()
    return plan, release, publish()
