"""Before anything is signed or written, the terminal's own readers are asked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from tests.formats import documents
from tests.server.shop import CATALOGUE, PASSPHRASE, a_release, make_repository
from tools import oracle
from tools.__main__ import app
from tools.technician.provisioning import Merchant, ServerAccess, make_config
from updater_server import channels
from updater_server.channels import carried
from updater_server.channels.policy import CHANNELS


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("channels")
    make_repository(folder / "site", folder / "keys")
    return folder


@pytest.fixture
def desk(made: Path, tmp_path: Path) -> Path:
    for name in ("site", "keys"):
        shutil.copytree(made / name, tmp_path / name)
    return tmp_path


def command(desk: Path, *words: str) -> str:
    line = [*words, "--repository", str(desk / "site"), "--keys", str(desk / "keys")]
    if words[1] != "publish":
        line.append("--yes")
    done = CliRunner(env={"DUKA_PASSPHRASE": PASSPHRASE}).invoke(app, line, input="y\n")
    return done.output + (str(done.exception) if done.exit_code else "")


def sign_prices(desk: Path, prices: channels.Catalogue, *words: str) -> str:
    file = desk / "prices.json"
    file.write_bytes(prices.encode())
    return command(desk, "release", "sign", "catalogue", "--prices", str(file), *words)


def test_earlier_prices_are_put_back_only_when_that_is_said(desk: Path) -> None:
    dated = msgspec.structs.replace(CATALOGUE, version=202611261430)
    for prices in (dated, CATALOGUE):
        said = sign_prices(desk, prices)
        if prices is dated:
            command(desk, "release", "publish")
    assert "--back" in said
    assert "ready to publish" in sign_prices(desk, CATALOGUE, "--back")
    command(desk, "release", "publish")
    assert channels.Repository.open(desk / "site").published.catalogue("default").version == 1


def test_a_release_is_taken_off_the_list_and_lower_numbers_follow(desk: Path) -> None:
    repository = channels.Repository.open(desk / "site")
    signers = channels.keys.load_all(desk / "keys", PASSPHRASE)
    release = a_release(2026112601)
    repository.add_release("ci", release.entry, channels.build_payloads(release.image), signers)
    repository.publish(signers)
    said = command(desk, "release", "unlist", "2026112601", "--channel", "ci")
    assert "without release 2026112601" in said
    command(desk, "release", "publish")
    repository = channels.Repository.open(desk / "site")
    assert repository.published.releases("ci") == []
    lower = a_release(7)
    repository.add_release("ci", lower.entry, channels.build_payloads(lower.image), signers)
    assert "unlist from ci" in [line.what for line in repository.audit()]


PROBLEMS: list[tuple[str, dict[str, Any]]] = [
    ("stable", documents.entry(release=4_294_967_296)),
    ("stable", documents.entry(gate={"battery_mv": 5000, "unsynced_records": 1, "idle_s": 1})),
    ("stable", documents.entry(trial={**documents.entry()["trial"], "crashes_allowed": 101})),
    ("stable", documents.entry(journal={"reads": [2], "writes": 1 << 20})),
]


@pytest.mark.parametrize(("role", "custom"), PROBLEMS)
def test_metadata_that_no_terminal_takes_is_not_signed_by_a_key_elsewhere(
    role: str, custom: dict[str, Any], desk: Path
) -> None:
    path = f"stable/duka-r1/{custom['release']}.full"
    target = {"length": 1, "hashes": {"sha256": "0" * 64}, "custom": custom}
    signed = {
        "_type": "targets",
        "spec_version": "1.0.31",
        "version": 2,
        "expires": "2027-11-21T07:45:38Z",
        "targets": {path: target},
    }
    with pytest.raises(oracle.Unfit, match="no terminal would take this"):
        oracle.TERMINAL.metadata(role, signed)
    request = desk / "request.json"
    request.write_text(json.dumps({"role": role, "signed": signed}))
    key, out = next((desk / "keys").glob("stable-1.pem")), desk / "out.json"
    line = ["keys", "sign", str(request), "--key", str(key), "--out", str(out), "--yes"]
    done = CliRunner(env={"DUKA_PASSPHRASE": PASSPHRASE}).invoke(app, line)
    assert isinstance(done.exception, oracle.Unfit)
    assert not out.exists()


def test_everything_that_is_in_force_would_be_taken(desk: Path) -> None:
    repository = oracle.open_repository(desk / "site")
    signers = channels.keys.load_all(desk / "keys", PASSPHRASE)
    release = a_release(7)
    repository.add_release("stable", release.entry, channels.build_payloads(release.image), signers)
    repository.set_rollout("stable", 7, 500, signers)
    for role in ("root", "targets", "catalogue", *(c for c in CHANNELS if c != "stable")):
        repository.date_anew(role, signers)
    repository.publish(signers)
    assert repository.verify() == []


def test_the_judge_is_asked_before_a_key_is_used(desk: Path) -> None:
    class Never:
        def metadata(self, role: str, signed: dict[str, Any]) -> None:
            raise oracle.Unfit("never")

        def target(self, path: str, data: bytes) -> None:
            pass

    repository = channels.Repository.open(desk / "site")
    signers = channels.keys.load_all(desk / "keys", PASSPHRASE)
    repository.set_catalogue("default", msgspec.structs.replace(CATALOGUE, version=2), ())
    key = next(s for s in signers if s.public_key.keyid in _of(repository, "catalogue"))
    signature = json.loads(carried.sign(repository.to_sign("catalogue"), key))
    repository = channels.Repository.open(desk / "site", judge=Never())
    release = a_release(7)
    for change in (
        lambda: repository.sign("catalogue", signers),
        lambda: repository.add_signature("catalogue", signature["keyid"], signature["sig"]),
        lambda: repository.add_release(
            "stable", release.entry, channels.build_payloads(release.image), signers
        ),
        lambda: repository.date_anew("stable", signers),
    ):
        with pytest.raises(oracle.Unfit):
            change()
    assert [staged.signed_by for staged in repository.staged()] == [[]]


def _of(repository: channels.Repository, role: str) -> list[str]:
    keys: list[str] = repository.show()["roles"][role]["keys"]
    return keys


ACCESS = ServerAccess("http://x", "t", "duka.example", 80)


@pytest.mark.parametrize(
    ("access", "merchant", "settings", "field"),
    [
        (ACCESS, Merchant("m" * 33, "2580"), {}, "name"),
        (ACCESS, Merchant("", "2580"), {}, "name"),
        (ServerAccess("http://x", "t", "h" * 101, 80), Merchant("m", "2580"), {}, "host"),
        (ServerAccess("http://x", "t", "", 80), Merchant("m", "2580"), {}, "host"),
        (ServerAccess("http://x", "t", "duka.example", 70000), Merchant("m", "2580"), {}, "port"),
        (ServerAccess("http://x", "t", "duka.example", 0), Merchant("m", "2580"), {}, "port"),
        (ServerAccess("http://x", "t", "h", 80, "a" * 61), Merchant("m", "2580"), {}, "apn"),
        (ServerAccess("http://x", "t", "h", 80, 'a"b'), Merchant("m", "2580"), {}, "apn"),
        (ACCESS, Merchant("m", "2580", "swa"), {}, "language"),
        (ACCESS, Merchant("m", "2580"), {"poll_s": 0}, "poll_s"),
        (ACCESS, Merchant("m", "2580"), {"more": "x" * 4096}, "over 4096 bytes"),
    ],
)
def test_settings_that_would_put_a_terminal_out_of_service_are_not_written(
    access: ServerAccess, merchant: Merchant, settings: dict[str, Any], field: str
) -> None:
    with pytest.raises(oracle.Unfit, match=field):
        make_config(access, merchant, "stable", settings)


def test_settings_at_the_bounds_are_written() -> None:
    access = ServerAccess("http://x", "t", "h" * 100, 65535, "a" * 60)
    table = make_config(access, Merchant("é" * 32, "2580"), "stable", {})
    assert json.loads(oracle.check_settings(table)) == table


def _names(*products: dict[str, Any]) -> bytes:
    made = [documents.product(n, **changes) for n, changes in enumerate(products)]
    return documents.compact(documents.price_list(products=made))


LONG = "Savanna weekly bundle with"
OPEN = {
    "kind": "bill",
    "recipient": {"digits": [4, 4], "starts": []},
    "open": {
        "min_minor": 100,
        "max_minor": 10**9,
        "step_minor": 100,
        "commission_permille": 20,
    },
}
"""An amount that is typed: a list of sales shows it, the price list does not."""


@pytest.mark.parametrize(
    "products",
    [
        ({"name": f"{LONG} 1 GB"}, {"name": f"{LONG} 2 GB"}),
        ({"name": f"{LONG} 1 GB"}, {"name": f"{LONG} 2 GB", "amount_minor": 5001}),
        ({"name": "W" * 31 + "a"}, {"name": "W" * 31 + "b"}),
        ({"name": "Savanna 50"}, {"name": "Savanna 50"}),
        (
            {"name": "Savanna 50", "operator": "W" * 31 + "a"},
            {"name": "Kilele 50", "operator": "W" * 31 + "b"},
        ),
        (
            {"name": "Electricity, north", **OPEN},
            {"name": "Electricity, south", **OPEN},
        ),
    ],
)
def test_two_names_that_read_the_same_where_they_are_shortened_are_not_signed(
    products: tuple[dict[str, Any], ...],
) -> None:
    with pytest.raises(oracle.Unfit, match="a merchant cannot tell"):
        oracle.TERMINAL.target("catalogue/default.json", _names(*products))


@pytest.mark.parametrize(
    "products",
    [
        ({"name": "Savanna 1 GB week"}, {"name": "Savanna 2 GB week"}),
        ({"name": f"1 GB {LONG}"}, {"name": f"2 GB {LONG}"}),
        ({"name": "Savanna"}, {"name": "Savanna", "amount_minor": 10000}),
        (
            {"name": f"{LONG} 1 GB"},
            {"name": f"{LONG} 2 GB", "kind": "bill", "recipient": {"digits": [4, 4], "starts": []}},
        ),
    ],
)
def test_names_that_a_merchant_can_tell_are_signed(products: tuple[dict[str, Any], ...]) -> None:
    oracle.TERMINAL.target("catalogue/default.json", _names(*products))
