"""Understands how message types and agreements are shown, and how agreements are tried on examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hub.cli.map_preview import preview
from hub.cli.shown import say, say_json, table
from hub.counted import counted
from hub.errors import Finding, HubError

if TYPE_CHECKING:
    from mappings.agreements import Agreement
    from mappings.engine import Covered, Failure, Types


@click.group(
    name="map",
    epilog="""\b
Examples:
  bro map agreements
  bro map preview FILE --to AGREEMENT
  bro map test --coverage""",
)
def map_() -> None:
    """See message types and agreements, and test them."""


map_.add_command(preview)


@map_.command(epilog="\b\nExamples:\n  bro map types\n  bro map types --json")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def types(as_json: bool) -> None:
    """Every message type: who sends it, and how much it can hold."""
    from mappings.types import load_types

    known = load_types()
    rows = [
        {
            "type": spec.name,
            "version": spec.version,
            "title": {"nb": spec.title.nb, "en": spec.title.en},
            "senders": sorted(spec.senders),
            "fields": len(spec.scalars),
        }
        for spec in known.values()
    ]
    if as_json:
        say_json(rows)
        return
    table(
        ("type", "version", "fields", "sent by", "title"),
        [
            (
                str(row["type"]),
                str(row["version"]),
                str(row["fields"]),
                ", ".join(sorted(spec.senders)) or "the hub",
                spec.title.en,
            )
            for row, spec in zip(rows, known.values(), strict=True)
        ],
        empty="No type.",
    )


@map_.command(epilog="\b\nExamples:\n  bro map agreements\n  bro map agreements --json")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def agreements(as_json: bool) -> None:
    """Every agreement: from whom to whom, for what purpose, by which policy row."""
    rows = [_agreement(agreement) for agreement in _loaded()[1]]
    if as_json:
        say_json(rows)
        return
    table(
        ("agreement", "from", "to", "purpose", "basis", "row", "carried", "dropped"),
        [
            (
                f"{row['agreement']}/{row['version']}",
                f"{', '.join(row['from']['sectors'])}: {row['from']['type']}",
                f"{row['to']['sector']}: {row['to']['type']}",
                row["purpose"],
                row["basis"],
                row["row"],
                str(row["carried"]),
                str(row["dropped"]),
            )
            for row in rows
        ],
        empty="No agreement: nothing goes anywhere.",
    )


@map_.command(
    epilog="""\b
Examples:
  bro map schema brik.kartlegging
  bro map schema epikrise > epikrise.schema.json"""
)
@click.argument("type_", metavar="TYPE")
def schema(type_: str) -> None:
    """The JSON Schema (2020-12) of one message type as plain JSON, with descriptions."""
    from mappings.types import load_types

    known = load_types()
    if type_ not in known:
        expected = "one of " + ", ".join(sorted(known))
        raise HubError("hub.no-such-id", [Finding("TYPE", "unknown", expected)])
    say_json(known[type_].json_schema())


@map_.command(
    name="test",
    epilog="""\b
Examples:
  bro map test
  bro map test --coverage
  bro map test --json""",
)
@click.option("--coverage", is_flag=True, help="Print each source field: where it goes, or why it stays.")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON; always with coverage.")
def test_agreements(coverage: bool, as_json: bool) -> int:
    """Run the examples of every agreement, and count its fields.

    Exit code 0 only when every example holds and every source field is carried or dropped with a
    reason.
    """
    from mappings.engine import coverage as covered_by
    from mappings.engine import run_examples

    known, loaded = _loaded()
    whole = True
    told = []
    for agreement in loaded:
        fields, failures = covered_by(agreement, known), run_examples(agreement, known)
        open_ = [field for field in fields if not field.carried_to and not field.dropped]
        whole = whole and not open_ and not failures
        told.append(_tested(agreement, fields, failures, open_))
        if not as_json:
            _say_tested(told[-1], failures)
            if coverage:
                _say_coverage(fields)
    if as_json:
        say_json({"whole": whole, "agreements": told})
    else:
        say(counted(len(told), "agreement") + ", " + ("all whole." if whole else "NOT ALL WHOLE."))
    return 0 if whole else 1


def _loaded() -> tuple[Types, tuple[Agreement, ...]]:
    from mappings.agreements import load_agreements
    from mappings.types import load_types

    known = load_types()
    return known, load_agreements(known)


def _agreement(agreement: Agreement) -> dict[str, Any]:
    expects = agreement.expects
    return {
        "agreement": agreement.id,
        "version": agreement.version,
        "title": {"nb": agreement.title.nb, "en": agreement.title.en},
        "from": {"sectors": sorted(agreement.source.sectors), "type": agreement.source.type},
        "to": {"sector": agreement.target.sector.value, "type": agreement.target.type},
        "route": agreement.route,
        "purpose": agreement.purpose.value,
        "basis": agreement.basis.value,
        "row": agreement.row,
        "expects": expects and {"type": expects.type, "within_days": expects.within_days},
        "wait_days": agreement.wait_days,
        "sender_sees": agreement.sender_sees,
        "carried": len(agreement.carries),
        "dropped": len(agreement.dropped),
    }


def _tested(
    agreement: Agreement,
    fields: tuple[Covered, ...],
    failures: tuple[Failure, ...],
    open_: list[Covered],
) -> dict[str, Any]:
    return {
        "agreement": agreement.id,
        "examples": len(agreement.examples),
        "failures": [
            {"example": failure.example, "expected": failure.expected, "got": failure.got}
            for failure in failures
        ],
        "coverage_percent": 100.0 * (len(fields) - len(open_)) / len(fields) if fields else 100.0,
        "fields": [
            {
                "path": field.path,
                "labels": sorted(field.labels),
                "carried_to": list(field.carried_to),
                "dropped": field.dropped,
            }
            for field in fields
        ],
    }


def _say_tested(told: dict[str, Any], failures: tuple[Failure, ...]) -> None:
    held = told["examples"] - len({failure.example for failure in failures})
    covered = f"{told['coverage_percent']:.0f} % covered"
    say(f"{told['agreement']}: {held} of {told['examples']} examples hold, {covered}")
    for failure in failures:
        say(f"  FAULT {failure.example}: expected {failure.expected}, got {failure.got}")


def _say_coverage(fields: tuple[Covered, ...]) -> None:
    for field in fields:
        if field.carried_to:
            say(f"  {field.path} -> {', '.join(field.carried_to)}")
        elif field.dropped:
            say(f"  {field.path} stays: {field.dropped}")
        else:
            say(f"  {field.path} IS NEITHER CARRIED NOR DROPPED")
