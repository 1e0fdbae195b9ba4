"""Understands that the checking commands say the truth, and that their exit code says it too."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from consent.policy_files import load_pack
from hub.audit.log import read_note
from hub.cli import faults, lint
from hub.cli import map as map_command
from hub.counted import counted
from hub.directory import Party
from hub.errors import Finding, HubError
from hub.message import Sector
from mappings.agreements import Agreement, load_agreements
from mappings.types import load_types
from tests.hub.cli.conftest import Said
from tests.hub.cli.installation import NAV, Installation

Bro = Callable[..., Said]


def test_verify_takes_fresh_leaves_in_and_finds_the_log_whole(bro: Bro, installed: Installation) -> None:
    installed.parked()

    said = bro("audit", "verify", "--json")

    report = json.loads(said.out)
    assert said.code == 0
    assert report["whole"] is True
    assert report["leaves"] > 5
    assert report["faults"] == []


def test_verify_ends_with_1_when_a_leaf_was_changed(bro: Bro, installed: Installation) -> None:
    installed.parked()
    assert bro("audit", "verify").code == 0
    with installed.parts.store.writing() as tx:
        tx.exec_driver_sql("UPDATE audit_leaf SET public = public || ' ' WHERE position = 1")

    said = bro("audit", "verify")

    assert said.code == 1
    assert "THE LOG IS NOT WHOLE." in said.out


def test_a_remembered_checkpoint_catches_a_log_that_was_cut(
    bro: Bro, installed: Installation, tmp_path: Path
) -> None:
    installed.parked()
    bro("audit", "verify")
    kept = tmp_path / "kept.txt"
    kept.write_text(bro("audit", "checkpoint").out, encoding="utf-8")
    assert bro("audit", "verify", "--remembered", str(kept)).code == 0
    with installed.parts.store.writing() as tx:
        for table in ("audit_leaf", "audit_checkpoint"):
            tx.exec_driver_sql(f"DELETE FROM {table}")

    assert bro("audit", "verify", "--remembered", str(kept)).code == 1


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"brobygger.audit\n1\n", b"x" * 10_000])
def test_a_file_that_is_no_checkpoint_ends_with_1_and_says_nothing_bad_of_the_log(
    bro: Bro, installed: Installation, tmp_path: Path, content: bytes
) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_bytes(content)

    said = bro("audit", "verify", "--remembered", str(kept))
    assert said.code == 1
    assert "The log by itself is whole." in said.out
    assert "NOT WHOLE" not in said.out
    assert "the given file is no checkpoint" in said.out

    told = json.loads(bro("audit", "verify", "--remembered", str(kept), "--json").out)
    assert (told["whole"], told["given"], told["whole_by_itself"]) == (False, "no-checkpoint", True)


def test_a_given_file_hides_no_fault_of_the_log(bro: Bro, installed: Installation, tmp_path: Path) -> None:
    installed.parked()
    bro("audit", "verify")
    kept = tmp_path / "kept.txt"
    kept.write_text("nothing of ours", encoding="utf-8")
    with installed.parts.store.writing() as tx:
        tx.exec_driver_sql("UPDATE audit_leaf SET public = public || ' ' WHERE position = 1")

    said = bro("audit", "verify", "--remembered", str(kept))

    assert said.code == 1
    assert "THE LOG IS NOT WHOLE." in said.out
    assert "the given file is no checkpoint" in said.out


def test_the_checkpoint_printed_is_the_newest_and_signed(bro: Bro, installed: Installation) -> None:
    installed.consent()

    note = bro("audit", "checkpoint").out

    claim = read_note(note, installed.parts.vault.log_key.public_key())
    assert claim is not None
    assert json.loads(bro("audit", "checkpoint", "--json").out)["size"] == claim[0] == 1


def test_an_empty_log_has_no_checkpoint(bro: Bro) -> None:
    assert bro("audit", "checkpoint").code == 1
    assert json.loads(bro("audit", "checkpoint", "--json").out)["size"] == 0


@pytest.mark.parametrize("command", [["audit", "verify"], ["messages", "list"], ["audit", "checkpoint"]])
def test_a_store_that_is_not_there_is_not_reported_as_empty(
    bro: Bro, installed: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str]
) -> None:
    monkeypatch.setenv("BRO_STORE", f"sqlite:///{tmp_path}/elsewhere.sqlite")

    said = bro(*command)

    assert said.code == 2
    assert "BRO_STORE" in said.err
    assert not (tmp_path / "elsewhere.sqlite").exists()


def test_every_type_and_agreement_is_listed(bro: Bro) -> None:
    types = load_types()

    assert {row["type"] for row in json.loads(bro("map", "types", "--json").out)} == set(types)
    listed = {row["agreement"] for row in json.loads(bro("map", "agreements", "--json").out)}
    assert listed == {agreement.id for agreement in load_agreements(types)}
    for name in types:
        assert name in bro("map", "types").out


@pytest.mark.parametrize("name", load_types())
def test_the_schema_of_every_type_is_a_schema(bro: Bro, name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(bro("map", "schema", name).out))


def test_an_unknown_type_is_refused_with_the_known_ones(bro: Bro) -> None:
    said = bro("map", "schema", "nothing")

    assert said.code == 2
    assert "brik.kartlegging" in said.err


def test_map_test_runs_every_example_and_covers_every_field(bro: Bro) -> None:
    said = bro("map", "test", "--json")

    told = json.loads(said.out)
    assert said.code == 0
    assert told["whole"] is True
    assert {agreement["coverage_percent"] for agreement in told["agreements"]} == {100.0}
    assert all(field["carried_to"] or field["dropped"] for a in told["agreements"] for field in a["fields"])


def test_coverage_says_of_each_field_where_it_goes_or_why_it_stays(bro: Bro) -> None:
    said = bro("map", "test", "--coverage").out

    assert "  arbeid.behov -> arbeid.behov" in said
    assert "  rus.behov stays: " in said
    assert "NEITHER" not in said


@pytest.mark.parametrize("broken", ["example", "coverage"])
def test_map_test_ends_with_1_when_an_agreement_is_not_whole(
    bro: Bro, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    types = load_types()
    first, *rest = load_agreements(types)
    if broken == "example":
        changed = replace(first, examples=(replace(first.examples[0], gives={}), *first.examples[1:]))
    else:
        changed = replace(first, dropped={})
    monkeypatch.setattr(map_command, "_loaded", lambda: (types, (changed, *rest)))

    said = bro("map", "test", "--coverage")

    assert said.code == 1
    assert "NOT ALL WHOLE" in said.out


def test_the_policy_list_shows_rows_that_nobody_approved(bro: Bro) -> None:
    pack = load_pack("strict")

    told = json.loads(bro("policy", "list", "--json").out)

    assert [row["row"] for row in told["rows"] if row["decides"]] == [row.ref for row in pack.rows]
    assert told["unapproved"] == list(pack.unapproved)
    assert {row["row"] for row in told["rows"] if row["decides"] and not row["approved"]} == set(
        pack.unapproved
    )
    assert f"{len(pack.unapproved)} rows decide without" in bro("policy", "list").out


def env(installed: Installation) -> dict[str, str]:
    return dict(installed.env)


def test_a_sound_installation_has_no_fault_of_its_own(installed: Installation) -> None:
    found = [part for part, _ in lint.check(env(installed))]

    assert set(found) <= {"rows", "docs"}  # those two are about the repository and have tests of their own


def test_lint_says_every_fault_of_every_part_at_once(bro: Bro, installed: Installation) -> None:
    (installed.settings.keys / "master.key").chmod(0o644)
    text = installed.settings.directory.read_text(encoding="utf-8")
    installed.settings.directory.write_text(
        text.replace("sector: prison", "sector: nowhere"), encoding="utf-8"
    )

    said = bro("lint", "--json")

    told = json.loads(said.out)
    assert said.code == 1
    assert told["whole"] is False
    assert {"keys", "directory"} <= {fault["part"] for fault in told["faults"]}
    assert "master.key" in bro("lint").out


def test_wrong_settings_do_not_hide_a_wrong_directory(installed: Installation, tmp_path: Path) -> None:
    wrong = {**env(installed), "BRO_LISTEN": "x", "BRO_DIRECTORY": str(tmp_path / "nowhere.yaml")}

    assert {"settings", "directory"} <= {part for part, _ in lint.check(wrong)}


def directory(installed: Installation, formats: Mapping[str, str]) -> Mapping[str, Party]:
    party = installed.parts.directory[NAV]
    return {NAV: replace(party, agency=replace(party.agency, formats=formats))}


@pytest.mark.parametrize(
    ("formats", "faults"),
    [
        ({}, 0),
        ({"nav.sak": "json:nav.sak"}, 0),
        ({"nav.sak": "nothing"}, 1),
        ({"nav.sak": "fhir-epikrise", "nothing": "json:nav.sak"}, 2),
    ],
)
def test_lint_finds_adapters_that_do_not_exist_or_read_something_else(
    installed: Installation, formats: Mapping[str, str], faults: int
) -> None:
    found = list(lint.formats(directory(installed, formats), installed.parts.registry))

    assert len(found) == faults


def test_lint_finds_agreements_whose_row_does_not_exist_or_reaches_elsewhere() -> None:
    pack = load_pack("strict")
    nav = next(a for a in load_agreements(load_types()) if a.id == "brik-nav-sak")

    def rules(**changes: object) -> list[str]:
        changed: Agreement = replace(nav, **changes)  # type: ignore[arg-type]  # one field at a time
        return [finding.rule for finding in lint.rows((changed,), pack)]

    assert rules() == []
    assert rules(row="X99") == ["row-unknown"]
    assert rules(row="L23") == ["row-elsewhere"]
    wider = nav.source._replace(sectors=frozenset({*nav.source.sectors, Sector.VOLUNTARY}))
    assert rules(source=wider) == ["row-missing"]


def test_lint_notes_that_nobody_can_send_without_an_issuer_and_calls_it_no_fault() -> None:
    whole = {
        "BRO_ISSUER": "https://issuer.example/",
        "BRO_AUDIENCE": "brobygger",
        "BRO_ISSUER_JWKS_URL": "https://issuer.example/jwks",
    }
    (note,) = lint.notes({})
    assert "nobody can send" in note
    assert list(lint.notes(whole)) == []
    assert list(lint.notes({"BRO_ISSUER": "https://issuer.example/"})) == []  # a fault then, told as one
    assert not any("issuer" in finding.expected for _, finding in lint.check({}))


def test_lint_prints_the_note_and_counts_its_faults_in_the_singular(
    bro: Bro, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BRO_ISSUER", "BRO_AUDIENCE", "BRO_ISSUER_JWKS_URL", "BRO_ISSUER_JWKS_FILE"):
        monkeypatch.delenv(name, raising=False)
    whole = bro("lint")
    assert whole.code == 0
    assert "note: no issuer is set, so no token counts and nobody can send (BRO_ISSUER in docs" in whole.out
    assert whole.out.endswith("Everything is right.\n")
    assert json.loads(bro("lint", "--json").out)["notes"][0].startswith("no issuer is set")

    monkeypatch.setenv("BRO_DIRECTORY", "nowhere.yaml")
    wrong = bro("lint")
    assert wrong.code == 1
    assert "directory: 1 fault\n" in wrong.out
    assert wrong.out.endswith("\n1 fault.\n")


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 leaves"), (1, "1 leaf"), (2, "2 leaves")], ids=["none", "one", "more"]
)
def test_one_is_said_in_the_singular(number: int, told: str) -> None:
    assert counted(number, "leaf", "leaves") == told
    assert counted(number, "fault") == f"{number} fault" + ("" if number == 1 else "s")


HINTS = {
    ("--to",): "`bro map agreements` shows which agreement takes which type, and from whom.",
    ("--from",): "`bro map agreements` shows which agreement takes which type, and from whom.",
    ("--schemas",): "Name the folder with the XSD files, or leave --schemas out.",
    ("--agency",): "Name an agency of the file that BRO_DIRECTORY names; `bro lint` looks at that file.",
    ("--if-withdrawn",): "`bro consent list --person-file FILE` shows the series of a person.",
    ("DIR",): "Name a folder that holds files.",
    ("--made",): "Put the argument right; `--help` of the same command says what it takes.",
    ("--to", "adapters/x"): "Correct what is listed; README.md says what an adapter is.",
    (): "Correct what is listed; README.md says what an adapter is.",
}


@pytest.mark.parametrize(("places", "told"), HINTS.items(), ids=[" ".join(at) or "none" for at in HINTS])
def test_a_wrong_option_is_told_with_what_to_do_about_that_option(
    places: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    faults.show(HubError("adapter.invalid", [Finding(at, "rule", "something else") for at in places]))

    assert capsys.readouterr().err.splitlines()[-1] == f"next: {told}"


@pytest.mark.parametrize(
    ("typed", "next_"),
    [
        (("messages", "list", "--all"), "next: `bro messages list --help` says what it takes."),
        (("request", "list"), "next: `bro request list --help` says what it takes."),
        (("nothing",), "next: `bro --help` says what it takes."),
    ],
)
def test_what_does_not_exist_is_told_with_where_to_look(bro: Bro, typed: tuple[str, ...], next_: str) -> None:
    said = bro(*typed)

    assert said.code == 2
    assert said.err.splitlines()[-1] == next_
