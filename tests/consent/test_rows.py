"""A pack is loaded whole and clear, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from consent.rows import POLICY, Effect, Status, load_pack
from hub.errors import HubError
from hub.message import Category, Purpose, Sector

ROW = """
  - id: R1
    version: 1
    valid: {from: 2026-01-01, to: null}
    known_from: 2026-01-01
    effect: CONSENT
    from: {sector: [prison]}
    to: {sector: [gp]}
    purpose: [treatment]
    categories: [housing, substance_use]
    fields: ["*"]
    requires: {signed: true, forms: [skriftlig]}
    wait_days: 30
    law: ["lov § 1"]
    status: approved
    approval: {by: [jurist], date: 2026-01-01, document: sak-1}
"""
HEAD = "pack: p\nsubstance_use: consent_only\nrows:"
ROW2 = ROW.replace("R1", "R2")


def load(folder: Path, text: str, name: str = "p") -> object:
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load_pack(folder / f"{name}.yaml")


def rules(folder: Path, text: str) -> set[str]:
    with pytest.raises(HubError) as caught:
        load(folder, text)
    assert caught.value.code == "policy.invalid"
    return {finding.rule for finding in caught.value.findings}


def test_a_clear_pack_is_loaded(tmp_path: Path) -> None:
    pack = load(tmp_path, HEAD + ROW)

    (row,) = pack.rows  # type: ignore[attr-defined]  # a Pack
    assert (row.ref, row.effect, row.wait_days, row.notify_withdrawal) == ("R1/1", Effect.CONSENT, 30, False)
    assert (row.requires.signed, row.requires.forms, row.law) == (True, {"skriftlig"}, ("lov § 1",))
    assert pack.unapproved == ()  # type: ignore[attr-defined]  # a Pack


BROKEN = [
    ("a typo in the effect", ROW.replace("CONSENT", "CONSNT"), "code"),
    ("a typo in a sector", ROW.replace("[gp]", "[pg]"), "code"),
    ("a typo in a purpose", ROW.replace("treatment", "treatmnt"), "code"),
    ("a typo in a category", ROW.replace("housing", "hosing"), "code"),
    ("a typo in the status", ROW.replace("approved", "aproved"), "code"),
    ("an unknown key", ROW + "    unless: never\n", "unknown-key"),
    ("an unknown demand", ROW.replace("signed:", "singed:"), "unknown-key"),
    ("an unknown key in a period", ROW.replace("to: null", "until: null"), "unknown-key"),
    ("no law", ROW.replace('    law: ["lov § 1"]\n', ""), "missing"),
    ("an empty law", ROW.replace('["lov § 1"]', "[]"), "texts"),
    ("no approval", ROW[: ROW.index("    approval")], "missing"),
    ("approved by nobody", ROW.replace("[jurist]", "[]"), "texts"),
    ("approved without a document", ROW.replace("document: sak-1", 'document: ""'), "text"),
    ("no fields", ROW.replace('["*"]', "[]"), "texts"),
    ("a wildcard for categories", ROW.replace("[housing, substance_use]", '["*"]'), "code"),
    ("a wildcard for recipients", ROW.replace("[gp]", '["*"]'), "code"),
    ("a category twice", ROW.replace("[housing, substance_use]", "[housing, housing]"), "repeat"),
    ("unknown named", ROW.replace("housing,", "unknown,"), "protected"),
    ("a graded address named", ROW.replace("housing,", "protected_address,"), "protected"),
    ("an end before the start", ROW.replace("to: null", "to: 2025-01-01"), "period"),
    ("no start", ROW.replace("{from: 2026-01-01, to: null}", "{from: null, to: null}"), "date"),
    ("a start that is text", ROW.replace("from: 2026-01-01", 'from: "2026-01-01"'), "date"),
    ("version zero", ROW.replace("version: 1", "version: 0"), "range"),
    ("days that are text", ROW.replace("wait_days: 30", 'wait_days: "30"'), "integer"),
    ("days that are true", ROW.replace("wait_days: 30", "wait_days: true"), "integer"),
    ("a flag that is text", ROW.replace("signed: true", 'signed: "true"'), "boolean"),
    ("NO without quotes", ROW.replace("id: R1", "id: NO"), "ambiguous"),
    ("yes without quotes", ROW.replace("signed: true", "signed: yes"), "ambiguous"),
    ("an octal", ROW.replace("wait_days: 30", "wait_days: 012"), "ambiguous"),
    ("minutes and seconds", ROW.replace("wait_days: 30", "wait_days: 1:30"), "ambiguous"),
    ("a moment for a day", ROW.replace("known_from: 2026-01-01", "known_from: 2026-01-01T10:00:00Z"),
     "ambiguous"),
    ("a key twice", ROW + "    version: 2\n", "duplicate-key"),
    ("an alias", ROW.replace("[gp]", "&a [gp]").replace("[treatment]", "*a"), "alias"),
    ("a tag", ROW.replace("id: R1", "id: !!python/name:os.system R1"), "ambiguous"),
    ("no YAML", ROW + "  - {", "yaml"),
    ("demands in a row that asks no consent", ROW.replace("CONSENT", "DUTY"), "misplaced"),
    ("substance use without consent",
     ROW.replace("CONSENT", "DUTY").replace("    requires: {signed: true, forms: [skriftlig]}\n", ""),
     "strict"),
    ("the same version twice", ROW + ROW, "duplicate"),
    ("two rows for one question", ROW + ROW2, "overlap"),
    ("two rows that share one category", ROW + ROW2.replace("housing, ", ""), "overlap"),
    ("two rows, one for a group of fields", ROW + ROW2.replace('["*"]', "[bolig]"), "overlap"),
    ("two versions for one day", ROW + ROW.replace("version: 1", "version: 2"), "overlap"),
    ("no rows", " []", "empty"),
    ("a row that is a word", "\n  - row", "shape"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "rows", "rule"), BROKEN, ids=[b[0] for b in BROKEN])
def test_a_pack_that_is_not_clear_is_refused(tmp_path: Path, case: str, rows: str, rule: str) -> None:
    assert rule in rules(tmp_path, HEAD + rows)


CLEAR = [
    ("other category", ROW + ROW2.replace("[housing, substance_use]", "[work]")),
    ("other recipient", ROW + ROW2.replace("[gp]", "[tsb]")),
    ("other fields", ROW.replace('["*"]', "[bolig]") + ROW2.replace('["*"]', "[boligbehov, arbeid]")),
    ("a later period", ROW.replace("to: null", "to: 2026-06-30")
     + ROW.replace("from: 2026-01-01", "from: 2026-07-01").replace("version: 1", "version: 2")),
    ("a correction known later", ROW
     + ROW.replace("known_from: 2026-01-01", "known_from: 2026-02-01").replace("version: 1", "version: 2")),
    ("a prohibition over it", ROW + ROW2.replace("CONSENT", "PROHIBIT").replace("[gp]", '["*"]').replace(
        "    requires: {signed: true, forms: [skriftlig]}\n", "")),
    ("a draft beside it", ROW + ROW2.replace("approved", "draft")),
]  # fmt: skip


@pytest.mark.parametrize(("case", "rows"), CLEAR, ids=[c[0] for c in CLEAR])
def test_rows_that_cannot_both_answer_stand_side_by_side(tmp_path: Path, case: str, rows: str) -> None:
    load(tmp_path, HEAD + rows)


def test_a_draft_is_checked_but_does_not_decide(tmp_path: Path) -> None:
    pack = load(tmp_path, HEAD + ROW + ROW2.replace("approved", "draft"))

    assert [r.id for r in pack.rows] == ["R1"]  # type: ignore[attr-defined]  # a Pack
    assert [r.id for r in pack.drafts] == ["R2"]  # type: ignore[attr-defined]  # a Pack


def test_every_finding_is_reported_at_once(tmp_path: Path) -> None:
    assert {"code", "unknown-key", "missing"} <= rules(
        tmp_path,
        HEAD + ROW.replace("[gp]", "[pg]").replace("wait_days", "wait_dogs").replace("    law", "    lov"),
    )


def test_ambiguous_yaml_is_reported_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(HubError) as caught:
        load(tmp_path, HEAD + ROW.replace("signed: true", "signed: yes"))

    assert [(f.line, f.column) for f in caught.value.findings] == [(14, 24)]


@pytest.mark.parametrize("body", [b"\xff\xfe", b"", b"- a\n"])
def test_a_file_that_is_no_pack_is_refused(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "p.yaml").write_bytes(body)

    with pytest.raises(HubError, match=r"policy\.invalid"):
        load_pack(tmp_path / "p.yaml")


def test_a_missing_pack_is_refused() -> None:
    with pytest.raises(HubError, match=r"policy\.invalid"):
        load_pack("lenient")


def test_an_extending_pack_replaces_rows_by_id(tmp_path: Path) -> None:
    load(tmp_path, HEAD + ROW + ROW2.replace("[gp]", "[tsb]"), "base")
    head = "pack: q\nextends: base\nwithout: [R2]\nsubstance_use: by_row\nrows:"
    duty = ROW.replace("CONSENT", "DUTY").replace("    requires: {signed: true, forms: [skriftlig]}\n", "")

    pack = load(tmp_path, head + duty)

    rows = pack.rows  # type: ignore[attr-defined]  # `load` is declared to return object
    assert [(r.id, r.effect) for r in rows] == [("R1", Effect.DUTY)]
    assert rules(tmp_path, head.replace("R2", "R9") + duty) == {"unknown-row"}


def test_the_digest_changes_with_the_pack_that_is_extended(tmp_path: Path) -> None:
    head = "pack: q\nextends: base\nwithout: [R2]\nsubstance_use: by_row\nrows:"
    load(tmp_path, HEAD + ROW2, "base")
    before = load(tmp_path, head + ROW).digest  # type: ignore[attr-defined]  # a Pack
    load(tmp_path, HEAD + ROW2.replace("wait_days: 30", "wait_days: 31"), "base")

    assert load(tmp_path, head + ROW).digest != before  # type: ignore[attr-defined]  # a Pack


@pytest.mark.parametrize("name", sorted(path.stem for path in POLICY.glob("*.yaml")))
def test_every_shipped_pack_is_clear_and_says_that_no_agency_approved_it(name: str) -> None:
    pack = load_pack(name)

    assert pack.name == name
    assert {row.status for row in pack.rows} == {Status.DEMO}
    assert set(pack.unapproved) == {row.ref for row in pack.rows}


def test_the_strict_pack_is_the_default() -> None:
    assert load_pack() == load_pack("strict")


def test_between_finds_exactly_the_rows_of_a_pair_and_purpose() -> None:
    pack = load_pack("strict")

    for sender in Sector:
        for recipient in Sector:
            for purpose in Purpose:
                expected = [
                    row
                    for row in pack.rows
                    if sender in row.senders and recipient in row.recipients and purpose in row.purposes
                ]
                assert list(pack.between(sender, recipient, purpose)) == expected


def test_no_shipped_row_but_a_prohibition_names_control_or_offence() -> None:
    named = {
        category
        for name in ("strict", "statutory")
        for row in load_pack(name).rows
        if row.effect is not Effect.PROHIBIT
        for category in row.categories
    }

    assert not named & {Category.CONTROL, Category.OFFENCE, Category.RISK}
