"""Understands how the decision is asked from the command line: on neutral vectors, and about a person."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click

from hub.cli.shown import say, say_json, table


@click.group(
    epilog="""\b
Examples:
  bro consent check-vectors vectors.json
  bro consent explain --person-file person.txt --recipient gp --purpose treatment"""
)
def consent() -> None:
    """Ask the decision: what may go, what not, and why."""


@consent.command(
    name="check-vectors",
    epilog="""\b
Examples:
  bro consent check-vectors vectors.json
  bro consent check-vectors vectors.json --pack strict --json
Exit code: 0 all as expected, 1 not, 2 the file cannot be read.""",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--pack", type=click.Choice(["statutory", "strict"]), default="statutory", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def check_vectors(file: Path, pack: str, as_json: bool) -> int:
    """Answer every vector of FILE with the real decision on the real rows, and compare.

    The answers in the file are those of the statutory pack; for the strict pack they are turned where
    substance use would go without a consent. A vector with a word or key that is not understood is
    answered no and counts as a difference.
    """
    from consent.rows import load_pack
    from consent.texts import load_texts
    from consent.vectors import check, load_words, read_vectors

    results = check(read_vectors(file), load_pack(pack), load_texts(), load_words(), strict=pack == "strict")
    rows = [_compared(result) for result in results]
    counts = Counter(
        "not understood" if row["not_understood"] else "holds" if row["holds"] else "differs" for row in rows
    )
    learned = {row["expected"]["reason"]: row["got"]["code"] for row in rows if row["learned"]}
    if as_json:
        say_json({"pack": pack, "vectors": rows, "counts": dict(counts), "learned": learned})
    else:
        table(
            ("vector", "expected", "got", "code", ""),
            [
                (
                    row["id"],
                    f"{row['expected']['decision']} {row['expected']['reason'] or ''}",
                    f"{row['got']['decision']} {row['got']['reason']}",
                    row["got"]["code"],
                    ""
                    if row["holds"]
                    else "DIFFERS: " + ", ".join((*row["not_understood"], *row["differs"])),
                )
                for row in rows
            ],
            empty="No vector.",
        )
        for word, code in learned.items():
            say(f"{word} is a word of this file, taken for {code}")
        say(
            f"pack {pack}: {counts['holds']} of {len(rows)} as expected, {counts['differs']} different, "
            f"{counts['not understood']} not understood"
        )
    return 0 if counts["holds"] == len(rows) else 1


def _compared(result: Any) -> dict[str, Any]:
    got = result.got
    return {
        "id": result.vector.id,
        "title": result.vector.title,
        "expected": {"decision": result.expected, "reason": result.vector.expected.get("reason")},
        "got": {
            "decision": got.decision,
            "reason": result.word,
            "code": got.reason,
            "rows": list(got.rows),
            "consents": list(got.consents),
            "alarm": got.alarm,
            "held": got.held,
        },
        "holds": result.holds,
        "differs": list(result.differs),
        "not_understood": list(got.faults),
        "learned": result.learned,
    }
