"""How the world is made: keys, first release, price list, vouchers, and terminals that sell.

By the same functions that the command lines of release managers, operators and technicians call.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from hw_sim.threaded import SimulatedBoard
from tools.release import adding, building, keys, publishing, rollout, steps, terms
from tools.release import image as images
from tools.release.image import ROOT
from tools.release.options import Desk, Manner
from tools.release.prices import sign_prices
from tools.technician.commands_making import provision
from tools.technician.provisioning import Merchant, ServerAccess, slip_settings
from updater_server import channels
from updater_server.__main__ import cli
from updater_server.channels.entry import PIN_KIND, OpenAmount, Product, Recipient

PASSPHRASE = "a world to play in"  # noqa: S105  keys that sign for nobody
MERCHANT_PIN = "2580"
CURRENCY = "KES"
SERVER_NAME, SERVER_PORT = "duka.example", 80
"""Where terminals believe the server to be; the simulated network knows better."""
FLOAT_MINOR = 500_000
VOUCHERS, STOCK = 200, 5
SILENT = Console(quiet=True)

TOP_UP, ELECTRICITY = "topup", "power"
"""What others make: `tools.play.makers`."""
A_TELEPHONE, A_METER = "0712345678", "14100000422"
"""Numbers that both take: the meter's last digit is its check digit."""


def _voucher(product_id: str, operator: str, amount: int, commission_minor: int) -> Product:
    code, groups = {"Savanna": ("130", [4, 4, 4, 4]), "Baobab": ("144", [4, 4, 4, 2])}[operator]
    return Product(
        product_id, f"{operator} {amount}", operator, amount * 100, commission_minor,
        "", groups, dial=f"*{code}*PIN#", helpline="100",
    )  # fmt: skip


PRICES = channels.Catalogue(
    version=1,
    currency=CURRENCY,
    minor_digits=2,
    products=[
        _voucher("sav20", "Savanna", 20, 100),
        _voucher("sav50", "Savanna", 50, 250),
        _voucher("sav100", "Savanna", 100, 500),
        _voucher("bao50", "Baobab", 50, 300),
        _voucher("bao250", "Baobab", 250, 1500),
        Product(
            TOP_UP, "Savanna top-up", "Savanna", 10000, 500, "", [4], "topup",
            OpenAmount(1000, 100_000, 500, 50), Recipient((10, 12), ["07", "2547"]),
            helpline="100",
        ),
        Product(
            ELECTRICITY, "Lake Power units", "Lake Power", 10000, 200, "", [4] * 5, "meter",
            OpenAmount(1000, 100_000, 500, 20), Recipient((11, 13), []), helpline="95551",
        ),
    ],
    offline=channels.OfflinePolicy(10000, 5, 25000, 259200),
)  # fmt: skip
SLIP = (
    "place=Market Road, Kisumu", "telephone=0722 000 111", "tax_number=P051234567X",
    "vat_permille=160", "helpline=0800 720 720", "terms.en=What is sold is not taken back.",
)  # fmt: skip
"""What a slip of the shop says beside the sale (docs/merchant.md)."""
SOLD_OUT = "bao250"
"""The vault holds none of it: what a merchant sees then."""
STOCKED = "sav50"
"""Of this one the terminal holds some itself, for when there is no network."""


class MakingFailed(Exception):
    """The world could not be made; the text is what the step said."""


def operator(data: Path, *arguments: str) -> str:
    """`python -m updater_server ARGUMENTS` on a data folder, in this process; what it said.

    For one thread at a time: it takes the process's standard output.

    Raises:
        MakingFailed: it was refused.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = cli([*arguments, "--data", str(data)], standalone_mode=False)
    except SystemExit as error:
        status = error.code
    except Exception as error:
        raise MakingFailed(f"{' '.join(arguments)}: {error}") from error
    if status:
        raise MakingFailed(f"{' '.join(arguments)}: {said.getvalue()}")
    return said.getvalue()


def found_server(data: Path) -> str:
    """Make the server's data folder; the token that opens dashboard and enrolment."""
    found = re.search(r"technician token:\s+(\S{20,})", operator(data, "init"))
    if not found:
        raise MakingFailed("the new server told no token")
    return found[1]


class Releases:
    """The release managers of the world: their keys, their checkout, their channels."""

    def __init__(self, folder: Path, repository: Path) -> None:
        self.images = folder / "images"
        self._checkout = folder / "checkout"
        self._desk = Desk(repository, folder / "keys", PASSPHRASE)

    def found(self) -> None:
        """Make keys and the empty channels, and take the firmware as it stands in this tree."""
        assert self._desk.keys is not None
        keys.create(self._desk.keys, self._desk.repository, PASSPHRASE)
        for room in ("bootloader", "firmware"):
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / room, self._checkout / room, ignore=ignore)
        self._git("init", "-q", "-b", "main")
        self._commit("Firmware as it stands")

    def change(self, path: str, old: str, new: str) -> None:
        """Edit one file of the checkout and commit it. MakingFailed when it does not say so."""
        file = self._checkout / path
        text = file.read_text(encoding="utf-8")
        if old not in text:
            raise MakingFailed(f"{path} does not say {old!r} any more")
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        self._commit(f"Change {path}")

    def text(self, path: str) -> str:
        """What a file of the checkout says."""
        return (self._checkout / path).read_text(encoding="utf-8")

    def release(self, number: int, version: str, text: str) -> None:
        """Build and sign a release, and let it out to everybody; `publish` puts it into force."""
        building.build(number, version, self.images, self._checkout, "sim", 1)
        image = self.images / f"duka-r1-{number}.romfs"
        manner = Manner(yes=True)
        says = terms.Terms(
            trial=channels.TrialPolicy(selftest_deadline_s=60),
            gate=channels.InstallGate(idle_s=5),
            text={"en": text},
        )
        adding.sign_image(image, "stable", self._desk, says, deltas=number > 1, step=manner.step)
        listed = images.read_manifest(image.read_bytes()).release
        rollout.set_rollout(listed, channels.EVERYBODY, "stable", self._desk, manner)

    def sign_prices(self) -> None:
        """Sign the price list of this world."""
        file = self.images / "prices.json"
        file.write_bytes(PRICES.encode())
        sign_prices(file, self._desk, step=Manner(yes=True).step)

    def publish(self) -> None:
        """Put what is signed into force."""
        publishing.publish(self._desk, Manner(yes=True))

    @property
    def boot_image(self) -> bytes:
        """The boot image of the last build."""
        return (self.images / "boot-sim.romfs").read_bytes()

    @property
    def root(self) -> bytes:
        """The root metadata that a new terminal is given."""
        return channels.open_published(self._desk.repository).root_bytes()

    def _commit(self, message: str) -> None:
        self._git("add", "-A")
        self._git("commit", "-q", "-m", message)

    def _git(self, *arguments: str) -> None:
        git = shutil.which("git")
        if not git:
            raise MakingFailed("git is needed to build a release")
        who = ["-c", "user.name=Release Manager", "-c", "user.email=release@duka.example"]
        subprocess.run([git, "-C", str(self._checkout), *who, *arguments], check=True)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the release managers' tools from telling what they do."""
    before = steps.console
    steps.console = SILENT
    try:
        yield
    finally:
        steps.console = before


def vouchers() -> str:
    """A delivery file: PINs that are distinct and easy to recognise, none of what is sold out."""
    lines = ["product,pin,serial,expiry"]
    made_by_us = [one for one in PRICES.products if one.kind == PIN_KIND]
    for number, product in enumerate(made_by_us, start=1):
        digits = sum(product.pin_groups) - 4
        for n in range(0 if product.product_id == SOLD_OUT else VOUCHERS):
            pin = f"{number}{n:03d}{(n * 7919 + 104729) % 10**digits:0{digits}d}"
            lines.append(f"{product.product_id},{pin},SN{number}{n:05d},0")
    return "\n".join(lines) + "\n"


def make_terminal(
    board: SimulatedBoard, releases: Releases, url: str, token: str, shop: str
) -> str:
    """Make a terminal that sells of a blank board that is switched on; its id.

    Raises:
        LinkError: the board does not answer, or is not blank.
    """
    return provision(
        board.serial_port,
        ServerAccess(url, token, SERVER_NAME, SERVER_PORT),
        releases.root,
        releases.boot_image,
        Merchant(shop, MERCHANT_PIN),
        float_minor=FLOAT_MINOR,
        settings={"poll_s": 15, "sync_s": 2, **slip_settings(list(SLIP))},
        out=SILENT,
    )
