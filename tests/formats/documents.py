"""Documents with one field set to a length or number, and everybody who reads them: for the tests
that hold the readers against docs/formats/limits.toml.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cbor2

from bootloader.shared import release, rollout
from firmware.kept import config, people
from firmware.office import messenger
from firmware.office.ask import delivery
from firmware.sales import catalogue, state, till
from firmware.sales.stock import Stock
from tests.money import office
from updater_server import channels
from updater_server.channels.rollout import RolloutPlan
from updater_server.wire import limits

ROOT = Path(__file__).resolve().parents[2]
TABLE: dict[str, Any] = tomllib.loads((ROOT / "docs/formats/limits.toml").read_text())
Reader = Callable[[Any], object]


def bounds(path: str) -> tuple[int, int]:
    """The pair at a dotted path of the table."""
    found: Any = TABLE
    for name in path.split("."):
        found = found[name]
    return found[0], found[1]


# --- price list ---


def product(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"air{number}",
        "name": "Savanna 50",
        "operator": "Savanna",
        "amount_minor": 5000,
        "commission_minor": 250,
        "instructions": "Dial *130*PIN#",
        "pin_groups": [4, 4, 4, 4],
        **changes,
    }


OFFLINE = {"max_amount_minor": 1, "max_count": 2, "max_total_minor": 3, "max_age_s": 4}


def price_list(**changes: Any) -> dict[str, Any]:
    return {
        "version": 3,
        "currency": "KES",
        "minor_digits": 2,
        "products": [product()],
        "offline": OFFLINE,
        **changes,
    }


def compact(table: Any) -> bytes:
    return json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode()


def signer_prices(table: dict[str, Any]) -> bytes:
    """What the release manager's command would sign of it. Raises EntryError."""
    return channels.Catalogue.parse(compact(table)).encode()


def terminal_prices(table: dict[str, Any]) -> catalogue.Catalogue:
    found = catalogue.Catalogue(compact(table))
    assert [p.id for p in found.products] == [p["id"] for p in table["products"]]
    return found


PRICE_READERS: tuple[Reader, ...] = (signer_prices, terminal_prices)
PRICE_FIELDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "price_list.version": lambda n: price_list(version=n),
    "price_list.currency": lambda n: price_list(currency="K" * n),
    "price_list.minor_digits": lambda n: price_list(minor_digits=n),
    "price_list.products": lambda n: price_list(products=[product(i) for i in range(n)]),
    "price_list.product.id": lambda n: price_list(products=[product(id="a" * n)]),
    "price_list.product.name": lambda n: price_list(products=[product(name="é" * n)]),
    "price_list.product.operator": lambda n: price_list(products=[product(operator="é" * n)]),
    "price_list.product.amount_minor": lambda n: price_list(
        products=[product(amount_minor=n, commission_minor=0)]
    ),
    "price_list.product.commission_minor": lambda n: price_list(
        products=[product(amount_minor=max(1, min(n, 2**30 - 1)), commission_minor=n)]
    ),
    "price_list.product.instructions": lambda n: price_list(
        products=[product(instructions="é" * n)]
    ),
    "price_list.product.dial": lambda n: price_list(
        products=[product(dial="PIN"[:n] + "*" * (n - 3))]
    ),
    "price_list.product.helpline": lambda n: price_list(products=[product(helpline="é" * n)]),
    "price_list.product.pin_groups": lambda n: price_list(products=[product(pin_groups=[1] * n)]),
    "price_list.product.pin_group": lambda n: price_list(products=[product(pin_groups=[n])]),
    **{
        f"price_list.offline.{name}": lambda n, name=name: price_list(  # type: ignore[misc]
            offline={**OFFLINE, name: n}
        )
        for name in OFFLINE
    },
    **{
        f"price_list.product.offline.{name}": lambda n, name=name: price_list(  # type: ignore[misc]
            products=[product(offline={name: n})]
        )
        for name in list(OFFLINE)[1:]
    },
    "price_list.prefixes.operators": lambda n: price_list(
        prefixes={f"Operator {i}": str(i) for i in range(n)}
    ),
    "price_list.prefixes.operator": lambda n: price_list(prefixes={"é" * n: "07"}),
    "price_list.prefixes.starts": lambda n: price_list(
        prefixes={"Savanna": "0" * n if n < 3 else "0" * (2 - n % 2) + " 0" * ((n - 1) // 2)}
    ),
}


def topup(**changes: Any) -> dict[str, Any]:
    """What others make for a number, with the most that fits beside what is changed."""
    return product(**{"kind": "topup", "recipient": {"digits": [4, 20], "starts": []}, **changes})


def _recipient(**changes: Any) -> dict[str, Any]:
    return price_list(products=[topup(recipient={"digits": [4, 20], "starts": [], **changes})])


def _open(**changes: Any) -> dict[str, Any]:
    bounds = {"min_minor": 1, "max_minor": 2**30 - 1, "step_minor": 1, "commission_permille": 50}
    return price_list(products=[topup(open={**bounds, **changes})])


OTHERS_FIELDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "price_list.recipient.digits": lambda n: _recipient(digits=[n, n]),
    "price_list.recipient.starts": lambda n: _recipient(starts=["07"] * n),
    "price_list.recipient.start": lambda n: _recipient(starts=["0" * n]),
    "price_list.open.min_minor": lambda n: _open(min_minor=n),
    "price_list.open.max_minor": lambda n: _open(max_minor=n),
    "price_list.open.step_minor": lambda n: _open(min_minor=n, step_minor=n),
    "price_list.open.commission_permille": lambda n: _open(commission_permille=n),
}

# --- release entry ---


def entry(**changes: Any) -> dict[str, Any]:
    number = changes.get("release", 7)
    return {
        "release": number,
        "version": "1.1.0",
        "commit": "0123abc",
        "built": 1,
        "security_version": 1,
        "hardware": {"class": "duka-r1", "revisions": [1]},
        "image": {"size_bytes": 1000, "sha256": "0" * 64},
        "min_bootloader": 1,
        "stepping_stone": 0,
        "journal": {"reads": [1], "writes": 1},
        "payloads": [{"kind": "full", "path": f"stable/duka-r1/{number}.full"}],
        "trial": {
            "crashes_allowed": 2,
            "unconfirmed_boots_allowed": 16,
            "selftest_deadline_s": 300,
        },
        "gate": {"battery_mv": 3600, "unsynced_records": 50, "idle_s": 10},
        "text": {"en": "Faster receipts"},
        **changes,
    }


def signer_entry(custom: dict[str, Any]) -> object:
    return channels.ReleaseEntry.parse(custom)


def terminal_entry(custom: dict[str, Any]) -> release.Release:
    """Read as a terminal does, and found among what a channel lists."""
    hardware = custom["hardware"]
    path = f"stable/{hardware['class']}/{custom['release']}.full"
    target = {"custom": custom}
    read = release.Release.parse(path, target)
    board = SimpleNamespace(
        HARDWARE_CLASS=hardware["class"],
        HARDWARE_REVISION=hardware["revisions"][0],
        BOOTLOADER_VERSION=custom["min_bootloader"],
        partitions={"slot_a": SimpleNamespace(size_bytes=limits.IMAGE_BYTES[1])},
    )
    running = release.Running(
        "stable",
        max(custom["release"] - 1, custom["stepping_stone"]),
        custom["journal"]["reads"][0],
        [custom["journal"]["writes"]],
        [],
        SimpleNamespace(check=lambda number: None, keep_pace=lambda found: None),
    )
    chosen = release.choose({path: target}, board, custom["security_version"], running)
    if chosen is None or chosen.release != read.release:
        raise ValueError(f"release {custom['release']} is not seen")
    return read


def _inside(group: str, name: str) -> Callable[[int], dict[str, Any]]:
    return lambda n: entry(**{group: {**entry()[group], name: n}})


def _payloads(n: int) -> list[dict[str, str]]:
    full = [{"kind": "full", "path": "stable/duka-r1/7.full"}]
    delta = {"kind": "delta", "path": "stable/duka-r1/7-from-6.delta", "base_sha256": "0" * 64}
    return (full + [delta] * 20)[:n] if n else []


ENTRY_READERS: tuple[Reader, ...] = (signer_entry, terminal_entry)
ENTRY_FIELDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "release.version": lambda n: entry(version="1" * n),
    "release.commit": lambda n: entry(commit="a" * n),
    "release.built": lambda n: entry(built=n),
    "release.security_version": lambda n: entry(security_version=n),
    "release.hardware_class": lambda n: entry(
        hardware={"class": "d" * n, "revisions": [1]},
        payloads=[{"kind": "full", "path": f"stable/{'d' * n}/7.full"}],
    ),
    "release.hardware_revisions": lambda n: entry(
        hardware={"class": "duka-r1", "revisions": [1] * n}
    ),
    "release.hardware_revision": lambda n: entry(hardware={"class": "duka-r1", "revisions": [n]}),
    "release.min_bootloader": lambda n: entry(min_bootloader=n),
    "release.journal_reads": lambda n: entry(journal={"reads": [1] * n, "writes": 1}),
    "release.journal_version": lambda n: entry(journal={"reads": [n], "writes": n}),
    "release.image_size_bytes": lambda n: entry(image={"size_bytes": n, "sha256": "0" * 64}),
    "release.crashes_allowed": _inside("trial", "crashes_allowed"),
    "release.unconfirmed_boots_allowed": _inside("trial", "unconfirmed_boots_allowed"),
    "release.selftest_deadline_s": _inside("trial", "selftest_deadline_s"),
    "release.gate_battery_mv": _inside("gate", "battery_mv"),
    "release.gate_unsynced_records": _inside("gate", "unsynced_records"),
    "release.gate_idle_s": _inside("gate", "idle_s"),
    "release.pace_after_h": lambda n: entry(pace=[n, 1, 3, 24, 0, 1]),
    "release.pace_millionths": lambda n: entry(pace=[0, n, 3, 24, 0, n]),
    "release.pace_factor": lambda n: entry(pace=[0, 1, n, 24, 0, 1]),
    "release.pace_every_h": lambda n: entry(pace=[0, 1, 3, n, 0, 1]),
    "release.pace_rate": lambda n: entry(pace=[0, 1, 3, 24, n, 1]),
    "release.quote_bytes": lambda n: entry(quote_bytes=n),
    "release.text_languages": lambda n: entry(text={"a" + chr(97 + i): "x" for i in range(n)}),
    "release.text": lambda n: entry(text={"en": "é" * n}),
}

# --- rollout plan ---


def plan(**changes: Any) -> dict[str, Any]:
    return {"releases": {"7": ["0" * 16, 500]}, "halted": [6], **changes}


PLAN_READERS: tuple[Reader, ...] = (
    RolloutPlan.parse,
    lambda custom: rollout.Rollout(custom, bytes(8)),
)
PLAN_FIELDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "rollout.releases": lambda n: plan(releases={str(i + 1): ["0" * 16, 1] for i in range(n)}),
    "rollout.salt_bytes": lambda n: plan(releases={"7": ["00" * n, 1]}),
    "rollout.threshold": lambda n: plan(releases={"7": ["0" * 16, n]}),
    "rollout.within": lambda n: plan(within={"7": n}),
    "rollout.halted": lambda n: plan(halted=list(range(1, n + 1))),
}

# --- settings ---


def settings(**changes: Any) -> dict[str, Any]:
    return {
        "server": {"host": "duka.example", "port": 80},
        "apn": "internet",
        "channel": "stable",
        "catalogue": "catalogue/default.json",
        "merchant": {
            "name": "Mama Asha Shop",
            "pin_salt": "00" * 16,
            "pin_hash": "00" * 32,
            "pin_rounds": 2000,
        },
        "language": "en",
        "poll_s": 900,
        "sync_s": 300,
        **changes,
    }


def _merchant(**changes: Any) -> dict[str, Any]:
    return settings(merchant={**settings()["merchant"], **changes})


def terminal_settings(table: dict[str, Any]) -> config.Config:
    return config.Config(compact(table))


SETTINGS_FIELDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "settings.host_bytes": lambda n: settings(server={"host": "h" * n, "port": 80}),
    "settings.port": lambda n: settings(server={"host": "h", "port": n}),
    "settings.apn_bytes": lambda n: settings(apn="a" * n),
    "settings.apn_user_bytes": lambda n: settings(apn_user="a" * n),
    "settings.apn_password_bytes": lambda n: settings(apn_user="a", apn_password="a" * n),
    "settings.channel": lambda n: settings(channel="c" * n),
    "settings.catalogue": lambda n: settings(catalogue="c" * n),
    "settings.language": lambda n: settings(language="e" * n),
    "settings.poll_s": lambda n: settings(poll_s=n),
    "settings.sync_s": lambda n: settings(sync_s=n),
    "settings.utc_offset_s": lambda n: settings(utc_offset_s=n),
    "settings.paper_mm": lambda n: settings(paper_mm=n),
    "settings.merchant_name": lambda n: _merchant(name="é" * n),
    "settings.place": lambda n: _merchant(place="é" * n),
    "settings.telephone": lambda n: _merchant(telephone="0" * n),
    "settings.tax_number": lambda n: _merchant(tax_number="0" * n),
    "settings.helpline": lambda n: settings(helpline="0" * n),
    "settings.number": lambda n: settings(number="0" * n),
    "settings.vat_permille": lambda n: settings(vat_permille=n),
    "settings.terms_languages": lambda n: settings(terms={f"a{chr(97 + i)}": "" for i in range(n)}),
    "settings.terms": lambda n: settings(terms={"en": "é" * n}),
    "settings.pin_salt_bytes": lambda n: _merchant(pin_salt="00" * n),
    "settings.pin_hash_bytes": lambda n: _merchant(pin_hash="00" * n),
    "settings.pin_rounds": lambda n: _merchant(pin_rounds=n),
}

# --- people ---


def person(number: int = 1, name: str = "ADA", rounds: int = 2000) -> list[Any]:
    return [number, 1, name, bytes(16), bytes(32), rounds]


def everybody(*others: list[Any]) -> bytes:
    return cbor2.dumps([1, 65535, None, list(others)])


def terminal_people(data: bytes) -> people.People:
    return people.People(data)


PEOPLE_FIELDS: dict[str, Callable[[int], bytes]] = {
    "people.others": lambda n: everybody(*(person(number + 1) for number in range(n))),
    "people.name": lambda n: everybody(person(name="É" * n)),
    "people.number": lambda n: everybody(person(number=n)),
    "people.rounds": lambda n: everybody(person(rounds=n)),
}

# --- vouchers, in a reply and in a stock file ---


def voucher(**changes: Any) -> dict[str, Any]:
    return {
        "product_id": "air50",
        "pin": "12345678",
        "serial": "S-1",
        "expires_at": 0,
        **changes,
    }


def server_voucher(told: dict[str, Any]) -> None:
    """As the server judges it before it is sold. Raises ValueError."""
    why = limits.unfit_voucher(told["product_id"], told["pin"], told["serial"], told["expires_at"])
    if why:
        raise ValueError(why)


class _Journal:
    """Just enough of one for `Till.delivered`."""

    def __init__(self) -> None:
        self.written: list[tuple[int, list[Any]]] = []
        self.state = self

    def entry(self, sequence: int) -> list[int]:
        return [sequence, len(self.written), 0, sequence]

    def read(self, sequence: int) -> tuple[int, int, list[Any]]:
        return state.INTENT_ONLINE, 0, ["air50", 5000, 250]

    def append(self, kind: int, body: list[Any]) -> int:
        self.written.append((kind, body))
        return 1


class _Sale:
    sequence, product_id, voucher_sequence = 1, "air50", 0


class _Keys:
    stock = bytes(16)


def terminal_reply(told: dict[str, Any]) -> None:
    """As the till takes it from the server's answer. Raises BadReply."""
    journal = _Journal()
    reply = {2: told["pin"], 3: told["serial"], 4: told["expires_at"], 5: told.get("after", 0)}
    till.Till(journal, None, None, _Keys(), lambda: 0).delivered(_Sale(), *delivery(reply))
    assert len(journal.written) == 1
    # The sealed answer must fit a record: docs/formats/journal.md.
    assert len(cbor2.dumps(journal.written[0][1])) <= 240


def terminal_stock(told: dict[str, Any], folder: str) -> None:
    """As the till stores and opens it from a stock file. Raises StockError."""
    head = [told.get("batch", 7), told["product_id"], told.get("face", 5000), told["expires_at"]]
    file = office.sealed_file(head, [(told["serial"], told["pin"])] * told.get("count", 1))
    stock = Stock(office.STOCK, folder)
    stock.store(head[0], file)
    assert stock.open_pin(head[0], 0) == (told["pin"], told["serial"], told["expires_at"])


VOUCHER_FIELDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "voucher.product_id": lambda n: voucher(product_id="a" * n),
    "voucher.pin_bytes": lambda n: voucher(pin="9" * n),
    "voucher.serial_bytes": lambda n: voucher(serial="S" * n),
    "voucher.expiry": lambda n: voucher(expires_at=n),
}
REFUSALS = (
    ValueError,
    channels.EntryError,
    channels.RolloutError,
    release.ReleaseRefused,
    messenger.BadReply,
)


def takes(reader: Reader, document: Any) -> bool:
    """Whether `reader` takes it; anything but a refusal is an error of the test."""
    try:
        reader(document)
    except REFUSALS:
        return False
    return True
