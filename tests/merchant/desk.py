"""A desk on this interpreter: a real screen that notes what is drawn, keys pressed in advance."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

from firmware.drivers.lcd import Lcd
from firmware.kept.files import Kept
from firmware.net.link import ONLINE
from firmware.sales.catalogue import Catalogue
from firmware.ui.canvas import WIDTH
from firmware.ui.dialogs import Dialogs
from firmware.ui.money_and_dates import money
from firmware.ui.screen import HINTS_TOP, Screen
from firmware.ui.texts import Words
from tests.merchant.glass import Glass
from tests.money.shop import CATALOGUE


class Pages(Screen):  # type: ignore[misc]
    """Notes where every text of every page was drawn: (x, y, end, text)."""

    def __init__(self) -> None:
        super().__init__(Lcd(Glass()))
        self.drawn: list[list[tuple[int, int, int, str]]] = []
        self.left_out: list[Any] = []
        draw = self._canvas.text

        def text(x: int, y: int, what: str, big: bool = False, bold: bool = False) -> int:
            end: int = draw(x, y, what, big, bold)
            if self.drawn:
                self.drawn[-1].append((x, y, end - (2 if big else 1), what))  # without the gap
            return end

        self._canvas.text = text

    def page(self, *args: Any, **named: Any) -> None:
        self.drawn.append([])
        super().page(*args, **named)
        told = [what for *_, what in self.drawn[-1]]
        lines = named.get("lines", args[1] if len(args) > 1 else ())
        for line in lines:
            last = line[-1] if isinstance(line, tuple) else line
            if last not in told:
                self.left_out.append(line)

    def faults(self) -> list[str]:
        """What is drawn beyond an edge, over something else or not at all."""
        wrong = [f"{line!r} has no place" for line in self.left_out]
        for page in self.drawn:
            for n, (x, y, end, what) in enumerate(page):
                if x < 0 or end > WIDTH or y > HINTS_TOP + 1:
                    wrong.append(f"{what!r} runs from {x} to {end}")
                for other_x, other_y, other_end, other in page[:n]:
                    if y == other_y and x < other_end and other_x < end and what and other:
                        wrong.append(f"{what!r} over {other!r}")
        return wrong

    def told(self) -> str:
        """All that was shown, an item a line."""
        return "\n".join(what for page in self.drawn for _, _, _, what in page)


class Keys:
    """Gives `keys`, one each time a page waits; with none left the last one again."""

    def __init__(self, keys: str) -> None:
        self._keys = list(keys)

    def forget(self) -> None:
        pass

    async def get(self, timeout_ms: int) -> str | None:
        return self._keys.pop(0) if len(self._keys) > 1 else self._keys[0]


class _Quiet:
    def key(self) -> None:
        pass

    good = bad = key


def desk_of(catalogue: Catalogue, till: Any, keys: str, language: str) -> Any:
    """A desk with a real screen and a real till."""
    screen = Pages()
    words = Words(language)
    ui = Dialogs(screen, Keys(keys), _Quiet(), words)
    till.catalogue = catalogue
    desk = SimpleNamespace(
        ui=ui,
        words=words,
        till=till,
        catalogue=catalogue,
        config=SimpleNamespace(utc_offset_s=0, shop={}),
        files=Kept(False),
        link=SimpleNamespace(state=ONLINE, trouble="", modem=SimpleNamespace(registered=True)),
        messenger=SimpleNamespace(sms_to=""),
        now=lambda: 1_790_000_000,
        money=lambda minor: money(minor, catalogue.minor_digits),
    )
    desk.price = lambda minor: catalogue.currency + " " + desk.money(minor)
    return desk


def ended(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def prices(currency: str, digits: int, price_minor: int, name: str) -> Catalogue:
    table = json.loads(json.dumps(CATALOGUE))
    table.update(currency=currency, minor_digits=digits)
    for product in table["products"]:
        product.update(name=name, amount_minor=price_minor, commission_minor=price_minor // 20)
        if "open" in product:
            product["open"].update(min_minor=1, max_minor=price_minor, step_minor=1)
    return Catalogue(json.dumps(table))
