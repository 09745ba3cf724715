"""The release manager's command line: keys, images, channels. `python -m tools release --help`.

Every step that signs says first, in words, what will be signed.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tools import image as images
from updater_server import channels
from updater_server.channels import keys as key_files
from updater_server.channels.policy import CATALOGUE_ROLE, ONLINE_ROLES

app = typer.Typer(no_args_is_help=True, help="Keys, images and signed channels.")
console = Console(highlight=False)

KeysOption = Annotated[Path, typer.Option("--keys", help="folder of the key files")]
RepositoryOption = Annotated[Path, typer.Option("--repository", help="folder of the channels")]
PassphraseOption = Annotated[
    str,
    typer.Option(
        prompt=True,
        hide_input=True,
        envvar="DUKA_PASSPHRASE",
        help="opens the key files; asked for when not in DUKA_PASSPHRASE",
    ),
]
ChannelOption = Annotated[str, typer.Option(help=", ".join(channels.CHANNELS))]
YesOption = Annotated[bool, typer.Option("--yes", help="do not ask before signing")]

ROOT = Path(__file__).resolve().parents[1]


@app.command("create")
def create(keys: KeysOption, repository: RepositoryOption, passphrase: PassphraseOption) -> None:
    """Make every role's keys and an empty repository signed by them."""
    policy = channels.Policy()
    public = key_files.generate_all(keys, policy, passphrase)
    channels.Repository.create(repository, public, policy, key_files.load_all(keys, passphrase))
    table = Table("role", "signatures needed", "keys")
    for role, rule in policy.roles.items():
        table.add_row(role, str(rule.threshold), str(rule.key_count))
    console.print(table)
    online = ", ".join(ONLINE_ROLES)
    console.print(f"Keys are in {keys}. Move all but {online} to people's own disks.")


@app.command("build")
def build(
    release: Annotated[int, typer.Option(min=1, help="release number; must rise")],
    version: Annotated[str, typer.Option(help="version for people, such as 1.1.0")],
    out: Annotated[Path, typer.Option(help="folder for the images")] = Path("build"),
    source: Annotated[Path, typer.Option(help="checkout to build from")] = ROOT,
    board: Annotated[str, typer.Option(help="board of the boot image")] = "sim",
    security_version: Annotated[int, typer.Option(min=1, help="never falls")] = 1,
) -> None:
    """Build the release, boot and self-test images; the same commit gives the same bytes."""
    commit, built = images.commit_of(source)
    info = images.ReleaseInfo(release, version, commit, built, security_version)
    out.mkdir(parents=True, exist_ok=True)
    outputs = {
        f"{info.hardware_class}-{release}.romfs": images.build_release(source, info),
        f"boot-{board}.romfs": images.build_boot(source, board),
        f"selftest-{board}.romfs": images.build_selftest(source, board),
    }
    for name, content in outputs.items():
        (out / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        console.print(f"{out / name}  {len(content):,} bytes  sha256 {digest}")
    if commit.endswith("-dirty"):
        console.print("The checkout has uncommitted changes: this image cannot be published.")


@app.command("add")
def add(
    image: Annotated[Path, typer.Argument(help="release image made by `build`")],
    channel: ChannelOption,
    keys: KeysOption,
    repository: RepositoryOption,
    passphrase: PassphraseOption,
    text: Annotated[str, typer.Option(help="what merchants are told (English)")] = "",
    gate_idle_s: Annotated[int, typer.Option(min=0, help="idle seconds before a switch")] = 10,
    selftest_deadline_s: Annotated[int, typer.Option(min=1, help="time for the self-test")] = 300,
    deltas: Annotated[bool, typer.Option(help="offer deltas from the releases listed now")] = True,
    yes: YesOption = False,
) -> None:
    """List an image on a channel and sign the list with the keys at hand."""
    content = image.read_bytes()
    manifest = images.read_manifest(content)
    if manifest.commit.endswith("-dirty"):
        raise images.BuildError(
            f"{image} was built from uncommitted changes: commit them and build it again"
        )
    opened = channels.Repository.open(repository)
    bases = _earlier_images(opened, channel) if deltas else {}
    payloads = channels.build_payloads(content, bases)
    entry = channels.ReleaseEntry(
        release=manifest.release,
        version=manifest.version,
        commit=manifest.commit,
        built=manifest.built,
        security_version=manifest.security_version,
        hardware=channels.Hardware(manifest.hardware_class, [1]),
        image=channels.Image(len(content), hashlib.sha256(content).hexdigest()),
        gate=channels.InstallGate(idle_s=gate_idle_s),
        trial=channels.TrialPolicy(selftest_deadline_s=selftest_deadline_s),
        text={"en": text} if text else {},
    )
    console.print(
        f"You sign: release {entry.release} ({entry.version}) of {manifest.hardware_class} for "
        f"channel {channel}, {len(content):,} bytes, from commit {entry.commit[:12]}."
    )
    for payload in payloads:
        origin = f" from release {payload.base_release}" if payload.base_release else ""
        console.print(f"  {payload.kind}{origin}: {len(payload.data):,} bytes over the air")
    _confirm(yes)
    opened.add_release(channel, entry, payloads, key_files.load_all(keys, passphrase, [channel]))
    say_staged(opened)


@app.command("catalogue")
def catalogue(
    file: Annotated[Path, typer.Argument(help="price list, docs/formats/release.md")],
    keys: KeysOption,
    repository: RepositoryOption,
    passphrase: PassphraseOption,
    name: Annotated[str, typer.Option(help="name of the price list")] = "default",
    yes: YesOption = False,
) -> None:
    """Sign a price list and its offline policy."""
    prices = channels.Catalogue.parse(file.read_bytes())
    console.print(f"You sign: price list {name!r}, version {prices.version}, {prices.currency}:")
    for product in prices.products:
        console.print(
            f"  {product.product_id}: {product.name}, {product.amount_minor} minor units, "
            f"commission {product.commission_minor}"
        )
    _confirm(yes)
    opened = channels.Repository.open(repository)
    opened.set_catalogue(name, prices, key_files.load_all(keys, passphrase, [CATALOGUE_ROLE]))
    say_staged(opened)


@app.command("publish")
def publish(keys: KeysOption, repository: RepositoryOption, passphrase: PassphraseOption) -> None:
    """Put everything that has its signatures into force."""
    opened = channels.Repository.open(repository)
    version = opened.publish(key_files.load_all(keys, passphrase, list(ONLINE_ROLES)))
    console.print(f"Published: timestamp version {version}.")


@app.command("show")
def show(
    repository: RepositoryOption,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Say what the channels offer."""
    content = channels.Repository.open(repository).show()
    if as_json:
        typer.echo(json.dumps(content, indent=1))
    else:
        console.print_json(data=content)


@app.command("verify")
def verify(repository: RepositoryOption) -> None:
    """Check everything a terminal would check; exit code 1 when something is wrong."""
    problems = channels.Repository.open(repository).verify()
    for problem in problems:
        console.print(problem)
    if problems:
        raise typer.Exit(1)
    console.print("Sound: signatures, versions, lengths, hashes and files agree.")


def _earlier_images(repository: channels.Repository, channel: str) -> dict[int, bytes]:
    earlier = {}
    for entry in repository.releases(channel):
        full = next(payload.path for payload in entry.payloads if payload.kind == "full")
        earlier[entry.release] = channels.expand(
            channels.Payload("full", repository.target_bytes(full))
        )
    return earlier


def _confirm(yes: bool) -> None:
    if not yes:
        typer.confirm("Sign this?", abort=True)


def say_staged(repository: channels.Repository) -> None:
    """Tell what waits to be published, and which signatures it lacks."""
    for staged in repository.staged():
        state = (
            "ready to publish" if not staged.missing else f"{staged.missing} signature(s) missing"
        )
        console.print(f"{staged.role} version {staged.version}: {state}")
