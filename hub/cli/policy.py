"""Understands how the policy in force is shown: which rows decide, and which of them nobody approved."""

from __future__ import annotations

import os
from typing import Any

import click

from hub.cli.shown import say, say_json, table


@click.group(epilog="\b\nExample:\n  bro policy list")
def policy() -> None:
    """See the policy rows that decide."""


@policy.command(
    name="list",
    epilog="""\b
Examples:
  bro policy list
  bro policy list --json | jq '.rows[] | select(.approved | not) | .row'""",
)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def list_rows(as_json: bool) -> None:
    """Every row of the pack in force, with its law and who approved it.

    A row that no agency's lawyer has approved is marked; a draft is listed and decides nothing.
    """
    from consent.rows import load_pack
    from hub.settings import Settings

    pack = load_pack(Settings.from_env(os.environ).policy)
    rows = [_plain(row, decides=True) for row in pack.rows]
    rows += [_plain(row, decides=False) for row in pack.drafts]
    if as_json:
        say_json({"pack": pack.name, "digest": pack.digest, "rows": rows, "unapproved": pack.unapproved})
        return
    say(f"pack {pack.name}, {len(pack.rows)} rows that decide, digest {pack.digest[:16]}")
    table(
        ("row", "effect", "from", "to", "purpose", "categories", "approved"),
        [
            (
                row["row"],
                row["effect"] if row["decides"] else f"{row['effect']} (draft)",
                _several(row["from"]),
                _several(row["to"]),
                _several(row["purposes"]),
                _several(row["categories"]),
                "yes" if row["approved"] else "NO",
            )
            for row in rows
        ],
        empty="No row: nothing may go anywhere.",
    )
    if pack.unapproved:
        say(f"{len(pack.unapproved)} rows decide without an agency's approval.")


def _several(words: list[str]) -> str:
    return ", ".join(words) if len(words) <= 6 else f"{len(words)} of them"


def _plain(row: Any, *, decides: bool) -> dict[str, Any]:
    approval = row.approval
    return {
        "row": row.ref,
        "decides": decides,
        "effect": row.effect.value,
        "from": sorted(row.senders),
        "to": sorted(row.recipients),
        "purposes": sorted(row.purposes),
        "categories": sorted(row.categories),
        "fields": list(row.fields),
        "valid": {"from": row.valid_from, "to": row.valid_to},
        "known_from": row.known_from,
        "law": list(row.law),
        "status": row.status.value,
        "approved": row.status == "approved",
        "approval": approval
        and {"by": list(approval.by), "date": approval.date, "document": approval.document},
    }
