"""The key holders' command line: ceremony, rotation, signing on a machine of their own.

`tools.__main__` calls it. `python -m tools keys --help`.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from securesystemslib.signer import Signer, SSlibKey

from tools import release
from tools.release import KeysOption, PassphraseOption, RepositoryOption, YesOption
from updater_server import channels
from updater_server.channels import keys as key_files
from updater_server.channels import offline
from updater_server.channels.policy import ONLINE_ROLES, TOP_LEVEL_ROLES

app = typer.Typer(no_args_is_help=True, help="The keys of the channels, and who holds them.")


def _ask_passphrase(whose: str) -> str:
    return str(typer.prompt(f"Passphrase of {whose}", hide_input=True, confirmation_prompt=True))


@app.command("ceremony")
def ceremony(
    keys: KeysOption,
    repository: RepositoryOption,
    sheet: Annotated[Path, typer.Option(help="text to print, sign and keep")] = Path("sheet.txt"),
) -> None:
    """Make all keys, step by step: each root key has a holder and a passphrase of their own."""
    policy = channels.Policy()
    say = release.console.print
    lines = [f"Duka: keys of the channels, made on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", ""]
    public: dict[str, list[SSlibKey]] = {}
    signers: list[Signer] = []
    root = policy.roles["root"]
    say(f"Root: {root.key_count} keys, {root.threshold} must sign. One holder after the other:")
    for role, rule in policy.roles.items():
        shared = "" if role == "root" else _ask_passphrase(f"the keys of {role}")
        lines += [f"{role}: {rule.threshold} of {rule.key_count}, for {rule.expiry_days} days"]
        for n in range(1, rule.key_count + 1):
            holder = str(typer.prompt(f"Who holds {role} key {n}"))
            passphrase = shared or _ask_passphrase(holder)
            path = keys / f"{role}-{n}.pem"
            made = key_files.generate(path, passphrase)
            public.setdefault(role, []).append(made)
            signers.append(key_files.load(path, passphrase))
            say(f"  {path.name}: {made.keyid}, held by {holder}")
            lines += [f"  {path.name}  {made.keyid}  held by {holder}  signature: ____________"]
    made_repository = channels.Repository.create(repository, public, policy, signers)
    digest = made_repository.root_digest()
    lines += ["", "SHA-256 of 1.root.json, which every terminal is given at provisioning:", digest]
    online = ", ".join(ONLINE_ROLES)
    lines += ["", f"Keys that stay on the server: {online}. All others go with their holders."]
    sheet.write_text("\n".join(lines) + "\n")
    say(f"The sheet is in {sheet}: print it, let every holder sign it, keep it.")
    say(f"Now move every key but {online} to its holder's own disk.")


@app.command("rotate")
def rotate(
    role: Annotated[str, typer.Argument(help=", ".join(TOP_LEVEL_ROLES))],
    keys: KeysOption,
    repository: RepositoryOption,
    passphrase: PassphraseOption,
    yes: YesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what, and stop")] = False,
) -> None:
    """Give a top-level role new keys by a new root, signed by the old root's keys and the new's.

    The old key files are kept in `retired/`. Terminals follow at their next poll; what the old
    snapshot and timestamp keys signed is forgotten there.
    """
    if role not in TOP_LEVEL_ROLES:
        raise channels.PolicyError(f"{role} is none of {', '.join(TOP_LEVEL_ROLES)}")
    opened = channels.Repository.open(repository)
    rule = opened.policy.roles[role]
    release.console.print(
        f"You sign: a new root in which {role} has {rule.key_count} new key(s), {rule.threshold} "
        "needed; the old ones count for nothing any more."
    )
    if dry_run:
        release.console.print("Nothing was signed (dry run).")
        return
    if not yes:
        typer.confirm("Sign this?", abort=True)
    old = key_files.load_all(keys, passphrase)
    fresh = keys / "next"
    try:
        names = [f"{role}-{n + 1}.pem" for n in range(rule.key_count)]
        made = [key_files.generate(fresh / name, passphrase) for name in names]
        new = key_files.load_all(fresh, passphrase)
        version = opened.rotate_root({role: made}, [*new, *old])
    except Exception:  # keys that no root names are of no use to anybody
        shutil.rmtree(fresh)
        raise
    retired = keys / "retired" / f"root-{version - 1}"
    retired.mkdir(parents=True)
    for path in sorted(keys.glob(f"{role}-[0-9]*.*")):
        path.rename(retired / path.name)
    for path in sorted(fresh.iterdir()):
        path.rename(keys / path.name)
    fresh.rmdir()
    release.console.print(f"Published: root version {version}.")


@app.command("sign")
def sign(
    request: Annotated[Path, typer.Argument(help="file that `release sign --export` wrote")],
    key: Annotated[Path, typer.Option(help="key file, .pem or .uri")],
    out: Annotated[Path, typer.Option(help="where the signature goes")],
    passphrase: PassphraseOption,
    yes: YesOption = False,
) -> None:
    """Sign on a machine that has the key and no repository; carry the signature back."""
    data = request.read_bytes()
    for line in offline.in_words(*offline.read_request(data)):
        release.console.print(line)
    if not yes:
        typer.confirm("Sign this?", abort=True)
    out.write_bytes(offline.sign(data, key_files.open_signer(key, passphrase)))
    release.console.print(f"The signature is in {out}: take it to `release sign --import`.")
