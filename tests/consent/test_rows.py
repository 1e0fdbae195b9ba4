"""A policy is loaded whole and clear, or not at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from consent.policy_files import POLICY, load_pack
from consent.rows import Effect, Form, Pack
from consent.strict_yaml import read_yaml
from hub.errors import HubError
from hub.message import HEALTH_SECTORS, Category, Purpose, Sector

CATEGORIES = ", ".join(sorted(set(Category) - {Category.UNKNOWN, Category.PROTECTED_ADDRESS}))
ROW = """
  - id: L91
    version: 1
    title: {nb: "Fra fengsel til fastlege", en: "From prison to GP"}
    valid: {from: 2026-01-01, to: null}
    known_from: 2026-01-01
    effect: CONSENT
    from: {sector: [prison]}
    to: {sector: [gp], relation: registered_gp}
    purpose: [treatment]
    categories: [housing, substance_use]
    fields: ["*"]
    requires: {signed: true, forms: [skriftlig]}
    obligations: [only_for_purpose]
    wait_days: 30
    law: ["lov-1999-07-02-64 § 22"]
    secrecy_release: consent
    gdpr: {art6: "1e", art9: "2h", art10: null}
    legal: CLEAR
    status: approved
    approval: {by: [jurist], role: jurist, date: 2026-01-01, document: sak-1, of: "0"}
    cases:
      - {from: prison, to: gp, purpose: treatment, category: housing, expect: deny}
"""
OVERRIDE = (
    '    override: {allowed: true, ground: "lov-1999-07-02-64 § 29", roles: [health_personnel], '
    "notify_person: true}\n"
)
REQUIRES = "    requires: {signed: true, forms: [skriftlig]}\n"
EVERYTHING = f"""
  - id: X91
    version: 1
    title: {{nb: "Alt", en: "Everything"}}
    valid: {{from: 2026-01-01, to: null}}
    known_from: 2026-01-01
    effect: PROHIBIT
    from: {{sector: ["*"]}}
    to: {{sector: ["*"]}}
    purpose: [statistics]
    categories: [{CATEGORIES}]
    fields: ["*"]
    law: ["lov-1967-02-10 § 13"]
    secrecy_release: none
    gdpr: null
    legal: "OFF"
    status: demo
    approval: {{by: [makers], role: makers, date: 2026-01-01, document: sak-1, of: "0"}}
    cases:
      - {{from: prison, to: gp, purpose: statistics, category: housing, expect: deny}}
"""
ROW2 = ROW.replace("L91", "L92")


STRICT = ("    effect:", "    only: strict\n    effect:")
STATUTORY = ("    effect:", "    only: statutory\n    effect:")


def changed(row: str, *pairs: tuple[str, str]) -> str:
    """The row with every first text replaced by the second one, which must be there."""
    for old, new in pairs:
        assert old in row
        row = row.replace(old, new)
    return row


DUTY = changed(ROW, (REQUIRES, ""), ("CONSENT", "DUTY"))


def write(folder: Path, rows: str, *, holds: str | None = None, sealed: bool = True) -> None:
    """One policy file with those rows and the prohibition that covers the rest, each row answered for as
    it stands."""
    whole = rows + EVERYTHING
    if holds is None:
        refs = re.findall(r"- id: (\S+)\s+version: (\S+)", whole)
        holds = ", ".join(f"{row}/{version}" for row, version in refs)
    text = f"holds: [{holds}]\nrows:{whole}"
    path = folder / "p.yaml"
    for _ in range(whole.count("  - id:") if sealed else 0):
        path.write_text(text, encoding="utf-8")
        finding = next((f for f in findings(folder) if f[1] == "changed"), None)
        if finding is None:
            break
        row, version = finding[0].split(" ")[1].split(".")[0].split("/")
        block = rf'(- id: {row}\s+version: {version}\n(?:(?!  - id:).*\n)*?.*of: )"[0-9a-f]*"'
        text = re.sub(block, rf'\1"{finding[2][:16]}"', text)
    path.write_text(text, encoding="utf-8")


def findings(folder: Path) -> list[tuple[str, str, str]]:
    try:
        load_pack("strict", folder)
    except HubError as refused:
        found = refused.findings if refused.code == "policy.invalid" else ()
        return [(f.at, f.rule, f.expected) for f in found]
    return []


def rules(folder: Path, rows: str, **how: object) -> set[str]:
    write(folder, rows, **how)  # type: ignore[arg-type]  # each test names real options
    return {rule for _, rule, _ in findings(folder)}


def load(folder: Path, rows: str) -> Pack:
    write(folder, rows)
    return load_pack("strict", folder)


def test_a_clear_policy_is_loaded(tmp_path: Path) -> None:
    pack = load(tmp_path, ROW)

    row, _ = pack.rows
    assert (row.ref, row.effect, row.wait_days, row.notify_withdrawal) == ("L91/1", Effect.CONSENT, 30, False)
    assert row.requires.signed
    assert row.requires.forms == {"skriftlig"}
    assert (row.law, row.flow, row.relation) == (("lov-1999-07-02-64 § 22",), "L91", "registered_gp")
    assert pack.unapproved == ("X91/1",)


BROKEN = [
    ("a typo in the effect", [("CONSENT", "CONSNT")], "code"),
    ("a typo in a sector", [("[gp]", "[pg]")], "code"),
    ("a relation in a row that forbids", [("CONSENT", "PROHIBIT"), (REQUIRES, "")], "misplaced"),
    ("a case of a relation that nobody demands",
     [(", relation: registered_gp", ""), ("expect: deny}", "relation: false, expect: deny}")], "misplaced"),
    ("a typo in a relation", [("registered_gp", "registred_gp")], "code"),
    ("a typo in a purpose", [("[treatment]", "[treatmnt]")], "code"),
    ("a typo in a category", [("[housing,", "[hosing,")], "code"),
    ("a typo in the status", [("approved", "aproved")], "code"),
    ("a typo in the legal status", [("CLEAR", "CLEER")], "code"),
    ("a typo in an obligation", [("[only_for_purpose]", "[only_for_purposes]")], "code"),
    ("a typo in a form", [("[skriftlig]", "[skriftleg]")], "code"),
    ("a typo in what lifts secrecy", [("secrecy_release: consent", "secrecy_release: concent")], "code"),
    ("a typo in a case", [("expect: deny", "expect: denied")], "code"),
    ("a typo in which pack", [("    effect:", "    only: statutry\n    effect:")], "code"),
    ("an unknown key", [("    effect:", "    unless: never\n    effect:")], "unknown-key"),
    ("an unknown demand", [("signed:", "singed:")], "unknown-key"),
    ("an unknown key in a period", [("to: null", "until: null")], "unknown-key"),
    ("an unknown key in a case", [("expect: deny", "expects: deny")], "unknown-key"),
    ("no title", [('    title: {nb: "Fra fengsel til fastlege", en: "From prison to GP"}\n', "")], "missing"),
    ("no law", [('    law: ["lov-1999-07-02-64 § 22"]\n', "")], "missing"),
    ("an empty law", [('["lov-1999-07-02-64 § 22"]', "[]")], "texts"),
    ("a law without paragraph", [("lov-1999-07-02-64 § 22", "lov-1999-07-02-64")], "law"),
    ("a law that is no law", [("lov-1999-07-02-64 § 22", "helsepersonelloven § 22")], "law"),
    ("decides without approval", [("approval: {by: [jurist], role: jurist, date: 2026-01-01, document: "
                                   "sak-1, of: \"0\"}", "approval: null")], "unapproved"),
    ("approved by nobody", [("[jurist]", "[]")], "texts"),
    ("approved without a document", [("document: sak-1", 'document: ""')], "text"),
    ("no fields", [('fields: ["*"]', "fields: []")], "texts"),
    ("no case", [(ROW[ROW.index("    cases:"):], "    cases: []\n")], "cases"),
    ("a wildcard for categories", [("[housing, substance_use]", '["*"]')], "code"),
    ("a wildcard for senders", [("[prison]", '["*"]')], "code"),
    ("a wildcard for recipients", [("[gp]", '["*"]')], "code"),
    ("a wildcard for purposes", [("[treatment]", '["*"]')], "code"),
    ("a category twice", [("[housing, substance_use]", "[housing, housing]")], "repeat"),
    ("unknown named", [("[housing,", "[unknown,")], "protected"),
    ("a graded address named", [("[housing,", "[protected_address,")], "protected"),
    ("an end before the start", [("to: null", "to: 2025-01-01")], "period"),
    ("no start", [("{from: 2026-01-01, to: null}", "{from: null, to: null}")], "date"),
    ("a start that is text", [("from: 2026-01-01", 'from: "2026-01-01"')], "date"),
    ("a day that is no day", [("{from: 2026-01-01,", "{from: 2026-02-30,")], "ambiguous"),
    ("version zero", [("version: 1", "version: 0")], "range"),
    ("an id that is no id", [("id: L91", "id: L91-b")], "id"),
    ("days that are text", [("wait_days: 30", 'wait_days: "30"')], "integer"),
    ("days that are true", [("wait_days: 30", "wait_days: true")], "integer"),
    ("a flag that is text", [("signed: true", 'signed: "true"')], "boolean"),
    ("NO without quotes", [("id: L91", "id: NO")], "ambiguous"),
    ("OFF without quotes", [("legal: CLEAR", "legal: OFF")], "ambiguous"),
    ("yes without quotes", [("signed: true", "signed: yes")], "ambiguous"),
    ("an octal", [("wait_days: 30", "wait_days: 012")], "ambiguous"),
    ("minutes and seconds", [("wait_days: 30", "wait_days: 1:30")], "ambiguous"),
    ("a moment for a day", [("known_from: 2026-01-01", "known_from: 2026-01-01T10:00:00Z")], "ambiguous"),
    ("a key twice", [("    effect:", "    version: 2\n    effect:")], "duplicate-key"),
    ("an alias", [("[gp]", "&a [gp]"), ("[treatment]", "*a")], "alias"),
    ("a tag", [("id: L91", "id: !!python/name:os.system L91")], "ambiguous"),
    ("no YAML", [("    cases:", "    cases: {")], "yaml"),
    ("demands in a row that asks no consent", [("CONSENT", "DUTY")], "misplaced"),
    ("a request without the demand for one", [(REQUIRES, ""), ("CONSENT", "DUTY_ON_REQUEST")], "misplaced"),
    ("a demand for a request that nobody makes", [("signed: true", "request_on_file: true")], "misplaced"),
    ("an override of a consent", [("    obligations:", OVERRIDE + "    obligations:")], "misplaced"),
    ("OFF that permits", [("legal: CLEAR", 'legal: "OFF"')], "off"),
    ("health data without a basis", [('art9: "2h"', "art9: null")], "gdpr"),
    ("offences without a basis", [("[housing, substance_use]", "[offence]")], "gdpr"),
    ("consent as the basis of a public task", [('art6: "1e"', 'art6: "1a"')], "gdpr"),
    ("no basis", [('{art6: "1e", art9: "2h", art10: null}', "null")], "gdpr"),
    ("a strict form without the statute's", [STRICT], "one-form"),
    ("a statutory form without the strict one", [STATUTORY], "one-form"),
    ("substance use to punish", [("[treatment]", "[sentence_execution]")], "into-control"),
    ("substance use to the court", [("[treatment]", "[court_control]"), ("[gp]", "[court]")], "into-control"),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("case", "pairs", "rule"), BROKEN, ids=[b[0] for b in BROKEN])
def test_a_row_that_is_not_clear_is_refused(
    tmp_path: Path, case: str, pairs: list[tuple[str, str]], rule: str
) -> None:
    assert rule in rules(tmp_path, changed(ROW, *pairs))


TOGETHER = [
    ("substance use without consent", DUTY, "strict"),
    ("the same version twice", ROW + ROW, "duplicate"),
    ("two rows for one question", ROW + ROW2, "overlap"),
    ("two rows that share one category", ROW + changed(ROW2, ("housing, sub", "sub")), "overlap"),
    ("two rows, one for a group of fields",
     ROW + changed(ROW2, ('fields: ["*"]', "fields: [bolig]")), "overlap"),
    ("a draft that would overlap", ROW + changed(ROW2, ("status: approved", "status: draft")), "overlap"),
    ("a statutory form that would overlap another flow",
     changed(ROW, STRICT, ("[gp]", "[tsb]"))
     + changed(ROW, ("L91", "L91a"), STATUTORY)
     + ROW2, "overlap"),
    ("two versions for one day", ROW + changed(ROW, ("version: 1", "version: 2")), "overlap"),
    ("days between two versions",
     changed(ROW, ("to: null", "to: 2026-06-29"))
     + changed(ROW, ("from: 2026-01-01", "from: 2026-07-01"), ("version: 1", "version: 2")), "gap"),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("case", "rows", "rule"), TOGETHER, ids=[t[0] for t in TOGETHER])
def test_rows_that_do_not_go_together_are_refused(tmp_path: Path, case: str, rows: str, rule: str) -> None:
    assert rule in rules(tmp_path, rows)


CLEAR = [
    ("other category", ROW + changed(ROW2, ("[housing, substance_use]", "[work]"))),
    ("other recipient", ROW + changed(ROW2, ("[gp]", "[tsb]"))),
    ("other fields", changed(ROW, ('fields: ["*"]', "fields: [bolig]"))
     + changed(ROW2, ('fields: ["*"]', "fields: [boligbehov, arbeid]"))),
    ("a later period", changed(ROW, ("to: null", "to: 2026-06-30"))
     + changed(ROW, ("from: 2026-01-01", "from: 2026-07-01"), ("version: 1", "version: 2"))),
    ("a later period, known from the start", changed(ROW, ("to: null", "to: 2026-06-30"))
     + changed(ROW, ("{from: 2026-01-01", "{from: 2026-07-01"), ("version: 1", "version: 2"))),
    ("a correction known later",
     ROW + changed(ROW, ("known_from: 2026-01-01", "known_from: 2026-02-01"), ("version: 1", "version: 2"))),
    ("a prohibition over it",
     ROW + changed(ROW2, ("CONSENT", "PROHIBIT"), (REQUIRES, ""), ("[gp], relation: registered_gp", "[gp]"))),
    ("its two forms", changed(ROW, STRICT)
     + changed(DUTY, ("L91", "L91a"), STATUTORY)),
    ("from TSB to the programme's coordinator, signed",
     changed(ROW, ("[treatment]", "[sentence_execution]"), ("[prison]", "[tsb]"),
             ("[gp], relation: registered_gp", "[probation]"))),
]  # one row per case # fmt: skip


@pytest.mark.parametrize(("case", "rows"), CLEAR, ids=[c[0] for c in CLEAR])
def test_rows_that_cannot_both_answer_stand_side_by_side(tmp_path: Path, case: str, rows: str) -> None:
    load(tmp_path, rows)


def test_what_reaches_nobody_by_a_prohibition_or_a_consent_is_named(tmp_path: Path) -> None:
    write(tmp_path, ROW)
    path = tmp_path / "p.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("risk, somatic_health", "somatic_health"))

    # The digest of the row is wrong now, too; what is uncovered is only looked for in a sealed file.
    assert {rule for _, rule, _ in findings(tmp_path)} == {"changed"}
    found = re.search(r"[0-9a-f]{16}(?=, once)", findings(tmp_path)[0][2])
    assert found is not None
    text = path.read_text(encoding="utf-8")
    at = text.rindex('of: "')
    path.write_text(text[:at] + re.sub('of: "[0-9a-f]*"', f'of: "{found[0]}"', text[at:]), encoding="utf-8")

    uncovered = {place for place, rule, _ in findings(tmp_path) if rule == "uncovered"}
    assert uncovered == {f"risk to {sector}" for sector in set(Sector) - HEALTH_SECTORS}


def test_a_row_changed_after_somebody_answered_for_it_is_refused(tmp_path: Path) -> None:
    write(tmp_path, ROW)
    path = tmp_path / "p.yaml"
    before = path.read_text(encoding="utf-8")
    for old, new in (
        ("[housing, substance_use]", "[housing]"),
        ("wait_days: 30", "wait_days: 31"),
        ("{from: 2026-01-01, to: null}\n    known_from", "{from: 2025-01-01, to: null}\n    known_from"),
        ("status: approved", "status: demo"),
        ("From prison to GP", "From prison"),
    ):
        path.write_text(before.replace(old, new, 1), encoding="utf-8")
        assert {rule for _, rule, _ in findings(tmp_path)} == {"changed"}, old


def test_a_row_that_disappears_or_appears_is_missed(tmp_path: Path) -> None:
    assert rules(tmp_path, ROW, holds="L91/1") == {"holds"}
    assert rules(tmp_path, ROW, holds="L91/1, L92/1, X91/1") == {"holds"}
    assert rules(tmp_path, ROW, holds="X91/1, L91/1") == {"holds"}


def test_every_finding_of_every_file_is_reported_at_once_with_its_place(tmp_path: Path) -> None:
    write(tmp_path, changed(ROW, ("[gp]", "[pg]"), ("wait_days", "wait_dogs"), ("    law", "    lov")))
    (tmp_path / "q.yaml").write_text("holds: []\nrows: []\n", encoding="utf-8")
    (tmp_path / "r.yaml").write_text("rows: [yes]\n", encoding="utf-8")

    found = findings(tmp_path)

    places = {place for place, _, _ in found}
    assert {
        "p.yaml L91/1.to.sector[0]",
        "p.yaml L91/1.wait_dogs",
        "p.yaml L91/1.law",
        "q.yaml rows",
    } <= places
    assert ("r.yaml rows[0]", "ambiguous") in {(place, rule) for place, rule, _ in found}


def test_ambiguous_yaml_is_reported_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, changed(ROW, ("signed: true", "signed: yes")), sealed=False)

    with pytest.raises(HubError) as caught:
        load_pack("strict", tmp_path)

    assert [(f.line, f.column) for f in caught.value.findings] == [(14, 24)]


@pytest.mark.parametrize("body", [b"\xff\xfe", b"", b"- a\n", b"holds: [L91/1]\nrows: [row]\n"])
def test_a_file_that_is_no_policy_is_refused(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "p.yaml").write_bytes(body)

    with pytest.raises(HubError, match=r"policy\.invalid"):
        load_pack("strict", tmp_path)


def test_a_folder_without_policy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HubError, match=r"policy\.invalid"):
        load_pack("strict", tmp_path)
    assert ("/", "file") in {(at, rule) for at, rule, _ in findings(tmp_path)}


def test_another_pack_than_the_two_is_refused() -> None:
    with pytest.raises(HubError, match=r"policy\.invalid"):
        load_pack("lenient")


def test_a_draft_is_checked_but_does_not_decide(tmp_path: Path) -> None:
    pack = load(tmp_path, ROW + changed(ROW2, ("status: approved", "status: draft"), ("[gp]", "[tsb]")))

    assert [row.id for row in pack.rows] == ["L91", "X91"]
    assert [row.id for row in pack.drafts] == ["L92"]


def test_the_digest_of_a_pack_changes_with_any_of_its_files(tmp_path: Path) -> None:
    before = load(tmp_path, ROW).digest
    (tmp_path / "p.yaml").write_text(
        (tmp_path / "p.yaml").read_text(encoding="utf-8") + "\n", encoding="utf-8"
    )

    assert load_pack("strict", tmp_path).digest != before
    assert load_pack("statutory", tmp_path).digest != load_pack("strict", tmp_path).digest


def test_the_strict_pack_is_the_default() -> None:
    assert load_pack() == load_pack("strict")


@pytest.mark.parametrize("form", Form)
def test_between_finds_exactly_the_rows_of_a_pair_and_purpose(form: Form) -> None:
    pack = load_pack(form)

    for sender in Sector:
        for recipient in Sector:
            for purpose in Purpose:
                expected = [
                    row
                    for row in pack.rows
                    if sender in row.senders and recipient in row.recipients and purpose in row.purposes
                ]
                assert list(pack.between(sender, recipient, purpose)) == expected


def test_the_shipped_files_are_read_the_same_by_a_plain_reader() -> None:
    """Nothing in them means one thing to us and another to somebody else's YAML."""
    import yaml

    for path in sorted(POLICY.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        assert read_yaml(text, "policy.invalid") == yaml.safe_load(text)
