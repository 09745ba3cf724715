"""The release manager's command line: images and channels. `python -m tools release --help`.

`build` an image, `sign` it for a channel, `publish`; `show` and `verify` what is in force. Letting
a release out further is `tools.promotion`; docs/release-manager.md is the manual.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from tools import image as images
from tools import oracle
from tools.steps import (
    DryRunOption,
    ExpectOption,
    JsonOption,
    KeysAtHand,
    PassphraseOption,
    Passphrases,
    RepositoryOption,
    Step,
    YesOption,
    at_hand,
    compare,
    later,
    open_for_halt,
    say,
)
from updater_server import channels
from updater_server.channels import keys as key_files
from updater_server.channels import offline
from updater_server.channels.layouts import does_not_fit
from updater_server.channels.payloads import compress
from updater_server.channels.policy import CATALOGUE_ROLE
from updater_server.channels.shown import visible

app = typer.Typer(no_args_is_help=True, help="Images and signed channels.")

_PUBLISHING_KEYS = ("snapshot", "timestamp")

ROOT = Path(__file__).resolve().parents[1]
_ENTRY_PANEL, _CARRY_PANEL = "What the entry of an image says", "Keys that are elsewhere"
_TRIAL, _GATE, _JOURNAL = channels.TrialPolicy(), channels.InstallGate(), (1,)


@dataclass(frozen=True)
class Terms:
    """What a release entry says beside what the image says of itself (docs/formats/release.md)."""

    revisions: list[int] = field(default_factory=lambda: [1])
    min_bootloader: int = 1
    stepping_stone: int = 0
    journal_reads: list[int] = field(default_factory=lambda: [*_JOURNAL])
    journal_writes: int = 1
    trial: channels.TrialPolicy = _TRIAL
    gate: channels.InstallGate = _GATE
    text: dict[str, str] = field(default_factory=dict)

    def entry(self, content: bytes) -> channels.ReleaseEntry:
        """The entry of an image.

        Raises:
            BuildError: not a release image, or built from uncommitted changes.
            EntryError: a term is out of bounds.
        """
        manifest = images.read_manifest(content)
        if manifest.commit.endswith("-dirty"):
            raise images.BuildError(
                "this image was built from uncommitted changes: commit them and build it again"
            )
        made = channels.ReleaseEntry(
            release=manifest.release,
            version=manifest.version,
            commit=manifest.commit,
            built=manifest.built,
            security_version=manifest.security_version,
            hardware=channels.Hardware(manifest.hardware_class, self.revisions),
            image=channels.Image(len(content), hashlib.sha256(content).hexdigest()),
            min_bootloader=self.min_bootloader,
            stepping_stone=self.stepping_stone,
            journal=channels.JournalVersions(self.journal_reads, self.journal_writes),
            trial=self.trial,
            gate=self.gate,
            text=self.text,
        )
        made.check()
        return made


@app.command("build")
def build(
    release: Annotated[int, typer.Option(min=1, help="release number; must rise")],
    version: Annotated[str, typer.Option(help="version for people, such as 1.1.0")],
    out: Annotated[Path, typer.Option(help="folder for the images")] = Path("build"),
    source: Annotated[Path, typer.Option(help="checkout to build from")] = ROOT,
    board: Annotated[str, typer.Option(help="board of the boot image")] = "sim",
    security_version: Annotated[int, typer.Option(min=1, help="never falls")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="build, and keep nothing")] = False,
    as_json: JsonOption = False,
) -> None:
    """Build the release, boot and self-test images; the same commit gives the same bytes."""
    commit, built = images.commit_of(source)
    info = images.ReleaseInfo(release, version, commit, built, security_version)
    with images.files_of(source, commit) as files:
        content = images.build_release(files, info)
        outputs = {
            f"{info.hardware_class}-{release}.romfs": content,
            f"boot-{board}.romfs": images.build_boot(files, board),
            f"selftest-{board}.romfs": images.build_selftest(files, board),
        }
    full_bytes = len(compress(content))
    too_large = does_not_fit(info.hardware_class, len(content), {"the full payload": full_bytes})
    if too_large:
        raise images.BuildError(f"{too_large}: no terminal could take it")
    told = []
    for name, content in outputs.items():
        if not dry_run:
            out.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        told.append({"file": str(out / name), "size_bytes": len(content), "sha256": digest})
        if not as_json:
            say(f"{out / name}  {len(content):,} bytes  sha256 {digest}")
    if as_json:
        typer.echo(json.dumps({"commit": commit, "done": not dry_run, "images": told}))
    elif commit.endswith("-dirty"):
        say("The checkout has uncommitted changes: this image cannot be published.")


@app.command("sign")
def sign(
    role: Annotated[str, typer.Argument(help="channel, catalogue, or another role that waits")],
    repository: RepositoryOption,
    keys: KeysAtHand = None,
    passphrase: PassphraseOption = "",
    image: Annotated[Path | None, typer.Option(help="list this image of `release build`")] = None,
    prices: Annotated[Path | None, typer.Option(help="list this price list")] = None,
    name: Annotated[str, typer.Option(help="name of the price list")] = "default",
    back: Annotated[
        bool, typer.Option("--back", help="prices of a version below the one in force")
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="the same content, with a later date")
    ] = False,
    revision: Annotated[
        list[int] | None,
        typer.Option(help="hardware revision; repeat", rich_help_panel=_ENTRY_PANEL),
    ] = None,
    min_bootloader: Annotated[
        int, typer.Option(help="oldest bootloader it runs on", rich_help_panel=_ENTRY_PANEL)
    ] = 1,
    stepping_stone: Annotated[
        int, typer.Option(help="release that must run before", rich_help_panel=_ENTRY_PANEL)
    ] = 0,
    journal_reads: Annotated[
        list[int] | None,
        typer.Option(help="journal version it reads; repeat", rich_help_panel=_ENTRY_PANEL),
    ] = None,
    journal_writes: Annotated[
        int, typer.Option(help="journal version it writes", rich_help_panel=_ENTRY_PANEL)
    ] = 1,
    crashes_allowed: Annotated[
        int,
        typer.Option(
            "--trial-crashes",
            help="crashes on trial before it is given up",
            rich_help_panel=_ENTRY_PANEL,
        ),
    ] = _TRIAL.crashes_allowed,
    unconfirmed_boots_allowed: Annotated[
        int,
        typer.Option(
            "--trial-boots",
            help="boots on trial before it is given up",
            rich_help_panel=_ENTRY_PANEL,
        ),
    ] = _TRIAL.unconfirmed_boots_allowed,
    selftest_deadline_s: Annotated[
        int,
        typer.Option(
            "--trial-deadline-s", help="seconds for the self-test", rich_help_panel=_ENTRY_PANEL
        ),
    ] = _TRIAL.selftest_deadline_s,
    gate_battery_mv: Annotated[
        int, typer.Option(help="least battery for the switch, mV", rich_help_panel=_ENTRY_PANEL)
    ] = _GATE.battery_mv,
    gate_unsynced_records: Annotated[
        int,
        typer.Option(
            "--gate-unsent", help="most unsent records at the switch", rich_help_panel=_ENTRY_PANEL
        ),
    ] = _GATE.unsynced_records,
    gate_idle_s: Annotated[
        int, typer.Option(help="idle seconds before the switch", rich_help_panel=_ENTRY_PANEL)
    ] = _GATE.idle_s,
    text: Annotated[
        list[str] | None,
        typer.Option(
            help="merchants are told: en=Faster receipts; repeat", rich_help_panel=_ENTRY_PANEL
        ),
    ] = None,
    deltas: Annotated[
        bool, typer.Option(help="offer deltas from what is listed", rich_help_panel=_ENTRY_PANEL)
    ] = True,
    export: Annotated[
        Path | None,
        typer.Option(help="write here what is to be signed", rich_help_panel=_CARRY_PANEL),
    ] = None,
    import_file: Annotated[
        Path | None,
        typer.Option(
            "--import", help="signature that `keys sign` wrote", rich_help_panel=_CARRY_PANEL
        ),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="sign with this one key file", rich_help_panel=_CARRY_PANEL)
    ] = None,
    expect: ExpectOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """List an image or prices and sign the list, date it anew, or sign what waits.

    Keys that are elsewhere: --export, `keys sign` there, and --import here.
    """
    step = Step(dry_run, as_json, yes)
    if image is not None:
        terms = Terms(
            revision or [1],
            min_bootloader,
            stepping_stone,
            journal_reads or [*_JOURNAL],
            journal_writes,
            channels.TrialPolicy(crashes_allowed, unconfirmed_boots_allowed, selftest_deadline_s),
            channels.InstallGate(gate_battery_mv, gate_unsynced_records, gate_idle_s),
            _texts(text or []),
        )
        sign_image(image, role, keys, repository, passphrase, terms, deltas=deltas, step=step)
    elif prices is not None:
        if role != CATALOGUE_ROLE:
            raise typer.BadParameter(f"price lists are signed by {CATALOGUE_ROLE}")
        sign_prices(prices, keys, repository, passphrase, name, back=back, step=step)
    elif anew:
        _date_anew(role, repository, keys, passphrase, step)
    elif export is None:
        _sign_staged(role, repository, keys, passphrase, import_file, key, step, expect)
    if export is not None:
        _export(role, repository, export, step)


def _texts(given: list[str]) -> dict[str, str]:
    texts = {}
    for item in given:
        language, found, text = item.partition("=")
        if not found:
            raise typer.BadParameter("--text is a language and the text: en=Faster receipts")
        texts[language] = text
    return texts


def sign_image(
    image: Path,
    channel: str,
    keys: Path | None,
    repository: Path,
    passphrase: str,
    terms: Terms,
    *,
    deltas: bool,
    step: Step,
) -> None:
    """List an image on a channel and sign the list with the keys at hand."""
    content = image.read_bytes()
    entry = terms.entry(content)
    opened = oracle.open_repository(repository)
    bases = opened.images(channel, entry.hardware.hardware_class, entry.release) if deltas else {}
    payloads = channels.build_payloads(content, bases)
    words = [f"for channel {visible(channel)}:", *payload_words(payloads)]

    def build() -> None:
        opened.add_release(channel, entry, payloads)

    step.stage(opened, build, later(keys, passphrase, [channel]), words)
    say_let_out(opened, channel, entry.release, step)


def payload_words(payloads: list[channels.Payload]) -> list[str]:
    """What a terminal fetches of a release, a line each."""
    words = []
    for payload in payloads:
        origin = f" from release {payload.base_release}" if payload.base_release else ""
        words.append(f"  {payload.kind}{origin}: {len(payload.data):,} bytes over the air")
    return words


def say_let_out(repository: channels.Repository, channel: str, number: int, step: Step) -> None:
    """Tell how to let a newly listed release out, which nobody is given before."""
    if not step.as_json and not step.dry_run and not repository.is_let_out(channel, number):
        say(
            f"Release {number} on {channel} is for nobody yet: `release rollout set {number} 500 "
            f"--channel {channel}` lets 5 % of terminals have it."
        )


def sign_prices(
    file: Path,
    keys: Path | None,
    repository: Path,
    passphrase: str,
    name: str,
    *,
    back: bool = False,
    step: Step,
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
    opened = oracle.open_repository(repository)

    def build() -> None:
        opened.set_catalogue(name, listed, back=back)

    step.stage(opened, build, later(keys, passphrase, [CATALOGUE_ROLE]), words)


def _date_anew(role: str, repository: Path, keys: Path | None, passphrase: str, step: Step) -> None:
    opened = oracle.open_repository(repository)

    step.stage(
        opened,
        lambda: opened.date_anew(role),
        later(keys, passphrase, [channels.key_role(role)]),
        f"{role} with the same content, dated anew.",
    )


def _export(role: str, repository: Path, export: Path, step: Step) -> None:
    opened = oracle.open_repository(repository)
    request = opened.to_sign(role)
    words = request.in_words(opened.root_bytes())
    if not step.dry_run:
        export.write_bytes(request.encode())
    if step.as_json:
        content = {"words": words, "sha256": {role: request.sha256}, "exported": str(export)}
        typer.echo(json.dumps({**content, "done": not step.dry_run}))
    else:
        say("To be signed: " + "\n".join(words))
        say(f"Carry {export} to the key: keys sign {export}")
        say(f"Tell its holder by another way what is signed: SHA-256 {request.sha256}")


def _sign_staged(
    role: str,
    repository: Path,
    keys: Path | None,
    passphrase: str,
    import_file: Path | None,
    key: Path | None,
    step: Step,
    expect: list[str] | None,
) -> None:
    opened = oracle.open_repository(repository)
    request = opened.to_sign(role)
    words = request.in_words(opened.root_bytes())
    compare(expect, {role: request.sha256})

    def change() -> None:
        if import_file is not None:
            of_role, keyid, signature = offline.read_signature(import_file.read_bytes())
            if of_role != role:
                raise channels.RepositoryError(f"that is a signature for {visible(of_role)}")
            opened.add_signature(role, keyid, signature, request.sha256)
            return
        signers = at_hand(keys, passphrase, [channels.key_role(role)])
        if key is not None:
            signers.append(key_files.open_signer(key, _secret_of(key, passphrase)))
        staged = opened.sign(role, signers, request.sha256)
        held = {signer.public_key.keyid for signer in signers}
        if held and not held & {*staged.signed_by, *staged.may_sign}:
            raise channels.RepositoryError(f"none of these keys signs for {role}")

    step.take(words, change, opened, sha256={role: request.sha256})


def _secret_of(key: Path, passphrase: str) -> str:
    return "" if key.suffix == ".uri" else Passphrases(passphrase)(key)


@app.command("withdraw")
def withdraw(
    role: Annotated[str, typer.Argument(help="whose staged change is taken back")],
    repository: RepositoryOption,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take back what waits for a role. What is in force stays; no key is needed."""
    opened = channels.Repository.open(repository)
    step = Step(dry_run, as_json, yes)
    unreadable = opened.unreadable().get(role)
    waiting = [unreadable] if unreadable else opened.in_words().get(role)
    if waiting is None:
        raise channels.RepositoryError(f"nothing is staged for {role}")
    words = ["nothing; this is taken back and comes into force no more:", *waiting]
    step.take(words, lambda: opened.withdraw(role), opened, "Take it back?")


@app.command("publish")
def publish_command(
    repository: RepositoryOption,
    keys: KeysAtHand = None,
    passphrase: PassphraseOption = "",
    export: Annotated[
        Path | None, typer.Option(help="folder for what snapshot and timestamp keys must sign")
    ] = None,
    roles: Annotated[
        list[str] | None,
        typer.Option("--role", help="only what waits for this role; repeat (timestamp: renew)"),
    ] = None,
    expect: ExpectOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put everything that has its signatures into force; the rest waits on."""
    opened = open_for_halt(repository)
    step = Step(dry_run, as_json, yes)
    now = datetime.now(UTC)
    if export is not None:
        signers = at_hand(keys, passphrase, _PUBLISHING_KEYS)
        _export_publication(opened, export, signers, step, now)
        return
    waiting = {*_PUBLISHING_KEYS, *(staged.role for staged in opened.staged())}
    for role in roles or ():
        if role not in waiting:
            raise channels.RepositoryError(f"nothing is staged for {visible(role)}")
    at_publishing = later(keys, passphrase, _PUBLISHING_KEYS)
    found = opened.publication(now, roles)
    sha256 = {role: digest for role, (digest, _) in found.items()}
    compare(expect, {role: sha256[role] for role in sha256 if role not in _PUBLISHING_KEYS})
    words = _publication_words(found)
    doubt = opened.doubt_of_clock(now)
    if doubt:
        words.append(f"ATTENTION: {doubt}")

    def change() -> int:
        version = opened.publish(at_publishing(), now, roles, sha256)
        if not as_json:
            say(f"Published: timestamp version {version}.")
            for channel in channels.CHANNELS:
                newest = [] if channel in opened.damaged else opened.releases(channel)[:1]
                for entry in newest:
                    say_let_out(opened, channel, entry.release, step)
        return version

    step.take(words, change, opened, sha256=sha256)


def _publication_words(found: dict[str, tuple[str, list[str]]]) -> list[str]:
    words = ["a new timestamp, and what it puts into force:"]
    for _, of_role in found.values():
        words += of_role
    return words


def _export_publication(
    opened: channels.Repository, export: Path, signers: list[Any], step: Step, now: datetime
) -> None:
    found = opened.publication(now)

    def change() -> list[str]:
        export.mkdir(parents=True, exist_ok=True)
        written = []
        for staged in opened.prepare(signers, now):
            if staged.role in _PUBLISHING_KEYS and staged.missing:
                file = export / f"{staged.role}.json"
                file.write_bytes(opened.to_sign(staged.role).encode())
                written.append(str(file))
        return written

    step.take(_publication_words(found), change, opened, "Write it?")


@app.command("show")
def show(
    repository: RepositoryOption,
    as_json: JsonOption = False,
) -> None:
    """Say what the channels offer, who signs for what, and until when."""
    content = oracle.open_repository(repository).show()
    if as_json:
        typer.echo(json.dumps(content, indent=1))
        return
    for role, about in content["roles"].items():
        until = images.day_of(about["expires"])
        say(
            f"{role:16} version {about['version']:<4} until {until}  "
            f"{about['threshold']} of {len(about['keys'])} keys"
        )
    for channel, entries in content["channels"].items():
        plan = channels.RolloutPlan.parse(content["rollouts"][channel])
        for entry in entries:
            number = entry["release"]
            version = visible(entry["version"])
            say(f"{channel}: release {number} ({version}), {plan.in_words(number)}")
    say(f"price lists: {', '.join(content['catalogues']) or 'none'}")
    for staged in content["staged"]:
        say(
            f"waits: {staged['role']} version {staged['version']}, {staged['missing']} missing, "
            f"SHA-256 {staged['sha256']}"
        )
    for text in content["unreadable"].values():
        say(f"waits, and is damaged: {text}")


@app.command("verify")
def verify(repository: RepositoryOption, as_json: JsonOption = False) -> None:
    """Check everything a terminal would check, and the log; exit code 1 when something is wrong."""
    opened = oracle.open_repository(repository)
    problems = opened.verify()
    try:
        opened.audit()
    except channels.RepositoryDamaged as error:
        problems.append(str(error))
    if as_json:
        typer.echo(json.dumps({"sound": not problems, "problems": problems}))
    else:
        for problem in problems:
            say(problem)
        if not problems:
            say("Sound: signatures, versions, lengths, hashes, files and the log agree.")
    if problems:
        raise typer.Exit(1)
