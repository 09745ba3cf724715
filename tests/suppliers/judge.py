"""The judge of a torture: each sale against what its telephone or meter really got."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.server.device import Device

DELIVERED, REFUSED, PENDING = 0, 1, 2


@dataclass
class Sold:
    """One sale as its terminal has it."""

    device: Device
    content: dict[int, Any]
    number: str
    first: dict[int, Any] = field(default_factory=dict)
    """The first answer that was a decision."""
    last: dict[int, Any] = field(default_factory=dict)

    def ask(self) -> None:
        """Ask, or ask again with the same body."""
        self.last = self.device.ask(self.content)
        if self.last.get(1) != PENDING and not self.first:
            self.first = self.last


@dataclass
class Verdict:
    """What the night found."""

    sales: int = 0
    delivered: int = 0
    refused: int = 0
    lost: list[str] = field(default_factory=list)
    """Paid for and not delivered; or delivered and not paid for, unless the operator lied and an
    alarm names it. Or a decision that changed."""
    doubled: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    named: int = 0
    """The operator said no and delivered: an alarm says so."""
    problems: list[str] = field(default_factory=list)
    """What the server's own check finds."""

    def is_sound(self) -> bool:
        """0, 0, 0, and books that add up."""
        return not (self.lost or self.doubled or self.unresolved or self.problems)

    def text(self) -> str:
        """In one line."""
        return (
            f"{self.sales} sales: {self.delivered} delivered, {self.refused} refused, "
            f"{self.named} named; lost {len(self.lost)}, doubled {len(self.doubled)}, "
            f"unresolved {len(self.unresolved)}" + "".join(f"; {text}" for text in self.problems)
        )


def judge_one(sold: Sold, operator: Any, words: str, found: Verdict) -> None:
    """One sale, whose last answer is here; `words` are all open alarms."""
    got = operator.delivered.get(sold.number, [])
    if len(got) > 1:
        found.doubled.append(sold.number)
    if sold.last[1] == PENDING:
        found.unresolved.append(sold.number)
        return
    if sold.first != sold.last:
        found.lost.append(f"{sold.number}: its answer changed")
    is_delivered = sold.last[1] == DELIVERED
    found.delivered += is_delivered
    found.refused += not is_delivered
    amount_minor = sold.content[3]
    wanted = f"KES {amount_minor // 100}"
    if amount_minor % 100:
        wanted = f"KES {amount_minor / 100:.2f}"
    if is_delivered and got[:1] != [wanted]:
        found.lost.append(f"{sold.number}: paid, and got {got}")
    if is_delivered and hasattr(operator, "tokens"):
        _judge_tokens(sold, operator.tokens.get(sold.number, []), found)
    if not is_delivered and got:
        reference = f"duka-{sold.device.terminal_id.hex()}-{sold.content[1]}:"
        is_lie = operator.settings.faults.of_order(sold.number) == "lies_failed"
        if is_lie and reference in words:
            found.named += 1
        else:
            found.lost.append(f"{sold.number}: delivered, and given back")


def _judge_tokens(sold: Sold, made: list[str], found: Verdict) -> None:
    """What the customer types in, in that order, is what the utility made for that meter."""
    details = dict(sold.last.get(9, []))
    keys = [value for label, value in details.items() if label.startswith("key_change_")]
    more = [value for label, value in details.items() if label.startswith("token_")]
    if [*keys, sold.last[2], *more] != made:
        found.lost.append(f"{sold.number}: paid, and its slip has other tokens")
