"""Understands how the audit log is checked from the command line, and how its newest checkpoint is
taken out of the house."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli.installed import installed
from hub.cli.shown import say, say_json
from hub.counted import counted

if TYPE_CHECKING:
    from hub.store.engine import Store
    from hub.vault import Vault


_NOT_COMPARED = {
    "no-checkpoint": (
        "NOTHING WAS COMPARED: the given file is no checkpoint. Give the file that `bro audit checkpoint`",
        "once printed, unchanged: a name, two lines, an empty line, and the line with the signature.",
    ),
    "signed-by-another-key": (
        "NOTHING WAS COMPARED: the given file looks like a checkpoint, but the key of this log did not sign",
        "it. It is of another installation, or was changed, or log-signing.pem here is not the key of then.",
        "If it is the one kept for this log, keep everything: somebody may have written the log anew.",
    ),
}
"""What is said of a given file, by `hub.audit.verify.Given`."""


@click.group(epilog="\b\nExamples:\n  bro audit verify\n  bro audit checkpoint > kept-elsewhere.txt")
def audit() -> None:
    """Check the audit log, and keep proof of it elsewhere."""


@audit.command(
    epilog="""\b
Examples:
  bro audit verify
  bro audit verify --remembered kept-elsewhere.txt
  bro audit verify --json"""
)
@click.option(
    "--remembered",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An older checkpoint kept elsewhere; the log must still begin with it.",
)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def verify(remembered: Path | None, as_json: bool) -> int:
    """Compute the whole log anew and compare. Exit code 0 only when nothing is wrong.

    Every leaf, every signed checkpoint, and that each hand-over has its permitting decision. A FILE that is
    no checkpoint of this log ends with 1 too: then nothing was compared with it.
    """
    from hub.audit.verify import verify as verify_log

    # A byte that is no text makes the note unlike any that was signed.
    kept = remembered.read_text(encoding="utf-8", errors="replace") if remembered else None
    store, vault = _opened()
    report = verify_log(store, vault, remembered=kept)
    if as_json:
        say_json(
            {
                "whole": report.whole,
                "leaves": report.leaves,
                "checkpoints": report.checkpoints,
                "hand_overs": report.hand_overs,
                "forgotten": report.forgotten,
                "root": report.root,
                "remembered": kept is not None,
                "given": report.given,
                "whole_by_itself": report.whole_by_itself,
                "faults": [{"what": what, "where": where} for what, where in report.faults],
            }
        )
    else:
        say(
            f"{counted(report.leaves, 'leaf', 'leaves')}, {counted(report.checkpoints, 'checkpoint')}, "
            f"{counted(report.hand_overs, 'hand-over')}",
            f"root {report.root}",
        )
        if report.forgotten:
            about = counted(report.forgotten, "leaf is", "leaves are")
            say(f"{about} about forgotten persons: in the tree, readable by nobody.")
        for what, where in report.faults:
            say(f"FAULT {what} ({where})")
        if about_given := _NOT_COMPARED.get(report.given):
            itself = "The log by itself is whole." if report.whole_by_itself else "THE LOG IS NOT WHOLE."
            say(itself, *about_given)
        else:
            say("The log is whole." if report.whole else "THE LOG IS NOT WHOLE.")
        if report.whole and kept is None:
            say("Without --remembered this cannot see that the end was cut off, nor a log that somebody with")
            say("the signing key wrote anew. Keep checkpoints elsewhere: bro audit checkpoint.")
    return 0 if report.whole else 1


@audit.command(
    epilog="""\b
Examples:
  bro audit checkpoint > kept-elsewhere.txt
  bro audit checkpoint --json"""
)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def checkpoint(as_json: bool) -> int:
    """Print the newest signed checkpoint, to be kept where no one who runs the hub can change it."""
    from sqlalchemy import select

    from hub.store.schema import audit_checkpoint

    store, _ = _opened()
    with store.reading() as view:
        newest = view.execute(
            select(audit_checkpoint).order_by(audit_checkpoint.c.size.desc()).limit(1)
        ).first()
    if newest is None:
        if as_json:
            say_json({"size": 0, "at": None, "note": None})
        else:
            click.echo("The log has no leaf yet, so there is no checkpoint.", err=True)
        return 1
    if as_json:
        say_json({"size": newest.size, "at": newest.at, "note": newest.note})
    else:
        click.echo(newest.note, nl=False)
    return 0


def _opened() -> tuple[Store, Vault]:
    """Store and keys with every fresh leaf taken into the tree. No agreement or policy is needed, so
    the log can be checked while those are being repaired."""
    from datetime import UTC, datetime

    from hub.audit.log import integrate
    from hub.store.engine import Store
    from hub.vault import open_vault

    settings = installed()
    vault = open_vault(settings.keys)
    store = Store(settings.store)
    store.migrate()
    while integrate(store, vault, datetime.now(UTC)):
        pass
    return store, vault
