"""Understands that every file of a folder gets its answer, whatever it is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import adapters
from adapters.base import Adapter
from adapters.registry import ADAPTERS, Registry
from hub import pipeline
from hub.cli.main import main
from hub.kit import corpus
from hub.kit.checked import loaded
from hub.kit.corpus import Answer, Hub, answers
from hub.message import Record

EXAMPLES = Path(adapters.__file__).parent
BRIK = (EXAMPLES / "brik_xml/examples/kartlegging.xml").read_bytes()
EPIKRISE = (EXAMPLES / "fhir_epikrise/examples/epikrise.json").read_bytes()
SAMPLES = Path(__file__).parents[4] / "shared" / "standards" / "samples"
IN_LATIN_1 = BRIK.replace(b"'UTF-8'", b"'ISO-8859-1'").decode().encode("latin-1")
UTF_16 = '<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16")
KANARI = "KANARI-7c1f"
HUB = loaded()
KVITTERING = {
    "melding": {"id": "K-1", "sendt": "2026-10-21T09:30:00.1234567+02:00", "svar_pa": "M-1"},
    "gjelder": "M-1",
    "status": "mottatt",
}


def told(folder: Path, hub: Hub = HUB) -> dict[str, Answer]:
    return {answer.file: answer for answer in answers(folder, hub)}


def one(folder: Path, name: str, body: bytes, hub: Hub = HUB) -> Answer:
    (folder / name).write_bytes(body)
    return told(folder, hub)[name]


def test_a_sample_is_recognised_translated_and_written_again(tmp_path: Path) -> None:
    answer = one(tmp_path, "a.xml", BRIK)

    assert (answer.outcome, answer.adapter, answer.code) == ("accepted", "brik-xml", "")
    assert {way.agreement for way in answer.ways} == {
        agreement.id for agreement in HUB.agreements if agreement.source.type == "brik.kartlegging"
    }
    assert all(way.written and not way.code for way in answer.ways)
    assert answer.again is not None
    assert answer.again.valid
    assert answer.sound


def test_the_content_says_what_it_is_and_not_the_name(tmp_path: Path) -> None:
    assert one(tmp_path, "a.json", BRIK).adapter == "brik-xml"
    assert one(tmp_path, "no-name", b"\xef\xbb\xbf" + BRIK).outcome == "accepted"
    assert one(tmp_path, "b.xml", EPIKRISE).adapter == "fhir-epikrise"


def test_a_time_in_plain_json_may_say_more_than_microseconds(tmp_path: Path) -> None:
    body = json.dumps({"type": "kvittering", **KVITTERING}).encode()

    answer = one(tmp_path, "a.json", body)

    assert (answer.outcome, answer.adapter, answer.findings) == ("accepted", "json:kvittering", ())


def test_a_fault_is_told_by_code_place_and_rule(tmp_path: Path) -> None:
    broken = BRIK.replace(b"<Prioritet>1<", f"<Prioritet>{KANARI}<".encode())

    answer = one(tmp_path, "a.xml", broken)

    assert (answer.outcome, answer.adapter, answer.code) == ("rejected", "brik-xml", "parse.invalid")
    [finding] = answer.findings
    before = broken[: broken.index(KANARI.encode())].decode()
    assert finding.line == before.count("\n") + 1
    assert finding.at == "/Kartlegging/Bolig/Prioritet"
    assert KANARI not in repr(answer)
    assert answer.sound


def test_what_fits_the_format_and_not_the_type_is_rejected(tmp_path: Path) -> None:
    said = json.loads((EXAMPLES / "plain_json/examples/loslatelsesdato.json").read_text())
    said["person"]["id"] = "12345678901"

    answer = one(tmp_path, "a.json", json.dumps(said).encode())

    assert (answer.outcome, answer.code) == ("rejected", "parse.invalid")
    assert [(finding.at, finding.rule) for finding in answer.findings] == [("person.id", "checksum")]


@pytest.mark.parametrize(
    ("body", "outcome", "code"),
    [
        (b"<a/>", "unknown-format", "parse.format-unknown"),
        (b'{"a": 1}', "unknown-format", "parse.format-unknown"),
        (b"[1, 2]", "unknown-format", "parse.format-unknown"),
        (b"\xef\xbb\xbf[1]", "unknown-format", "parse.format-unknown"),
        (b'\xef\xbb\xbf{"a": 1}', "unknown-format", "parse.format-unknown"),
        (b"words", "unknown-format", "parse.format-unknown"),
        (b"", "unknown-format", "parse.format-unknown"),
        (bytes(range(256)) * 64, "unknown-format", "parse.format-unknown"),
        (b"%PDF-1.7\n\x00\xff", "unknown-format", "parse.format-unknown"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xf8</a>', "unknown-format", "parse.format-unknown"),
        (IN_LATIN_1, "accepted", ""),
        (IN_LATIN_1.replace(b"-1'", b"-15'"), "rejected", "parse.malformed"),
        (UTF_16, "unknown-format", "parse.format-unknown"),
        (b"<a>", "rejected", "parse.malformed"),
        (b'{"a":', "rejected", "parse.malformed"),
        (b"[1,", "rejected", "parse.malformed"),
        (b"[" * 100_000, "rejected", "parse.malformed"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "rejected", "parse.forbidden-construct"),
        (b"<a>" * 60 + b"</a>" * 60, "rejected", "parse.forbidden-construct"),
        (BRIK.replace(b'"UTF-8"', b'"ISO-8859-1"').decode().encode("latin-1"), "rejected", "parse.malformed"),
    ],
)  # one row per case # fmt: skip
def test_what_nobody_reads_is_answered_too(tmp_path: Path, body: bytes, outcome: str, code: str) -> None:
    answer = one(tmp_path, "a", body)

    assert (answer.outcome, answer.code) == (outcome, code if b"[" * 1000 not in body else answer.code)
    assert bool(answer.findings) is (outcome != "accepted")
    assert answer.sound


def test_links_pipes_and_huge_files_are_answered_and_not_opened(tmp_path: Path) -> None:
    outside = tmp_path / "outside.xml"
    outside.write_bytes(BRIK)
    folder = tmp_path / "samples"
    (folder / "deep").mkdir(parents=True)
    (folder / "link.xml").symlink_to(outside)
    (folder / "gone.xml").symlink_to(tmp_path / "nowhere")
    (folder / "deep" / "up").symlink_to(folder)
    os.mkfifo(folder / "pipe.xml")
    with (folder / "huge.xml").open("wb") as file:
        file.truncate(3 << 30)
    (folder / "deep" / "a.xml").write_bytes(BRIK)

    found = told(folder)

    assert {name: answer.outcome for name, answer in found.items()} == {
        "link.xml": "unreadable",
        "gone.xml": "unreadable",
        "pipe.xml": "unreadable",
        "huge.xml": "rejected",
        "deep/up": "unreadable",
        "deep/a.xml": "accepted",
    }
    assert found["huge.xml"].code == "receive.too-large"
    assert not found["link.xml"].sound


def hub_with(adapter: Adapter) -> Hub:
    others = [known for known in HUB.registry.adapters if known.name != adapter.name]
    return replace(HUB, registry=Registry((*others, adapter)), _families={})


BRIK_ADAPTER = next(adapter for adapter in ADAPTERS if adapter.name == "brik-xml")


def _crash(_: bytes) -> Record:
    raise ValueError(KANARI)


def test_an_adapter_that_breaks_is_told_without_what_it_said(tmp_path: Path) -> None:
    answer = one(tmp_path, "a.xml", BRIK, hub_with(replace(BRIK_ADAPTER, parse=_crash)))

    assert (answer.outcome, answer.code) == ("broken", "hub.internal")
    assert [finding.rule for finding in answer.findings] == ["ValueError"]
    assert KANARI not in repr(answer)
    assert not answer.sound


def _forgets(record: Record) -> bytes:
    return BRIK_ADAPTER.render(Record(record.type, {k: v for k, v in record.fields.items() if k != "bolig"}))


def test_an_adapter_that_writes_something_else_is_told_with_every_field(tmp_path: Path) -> None:
    answer = one(tmp_path, "a.xml", BRIK, hub_with(replace(BRIK_ADAPTER, render=_forgets)))

    assert answer.outcome == "accepted-not-written"
    assert answer.again is not None
    assert {finding.at for finding in answer.again.findings} >= {"bolig.behov", "bolig.onske"}
    assert not answer.sound


def test_a_format_of_the_recipient_that_writes_something_else_is_a_fault(tmp_path: Path) -> None:
    tsb = next(adapter for adapter in ADAPTERS if adapter.name == "fhir-tsb")
    whole = EXAMPLES / "fhir_tsb/examples/henvisning.json"
    other = tsb.render(tsb.parse(whole.read_bytes().replace(b"2026", b"2027")))

    answer = one(tmp_path, "a.xml", BRIK, hub_with(replace(tsb, render=lambda _: other)))

    assert answer.outcome == "accepted"
    assert not answer.sound


def test_what_is_written_is_held_against_the_xsds(tmp_path: Path) -> None:
    hub = loaded(EXAMPLES / "brik_xml")

    right = one(tmp_path, "a.xml", BRIK, hub)
    late = replace(
        hub_with(replace(BRIK_ADAPTER, parse=lambda _: RECORD, render=lambda _: b"<x/>")), schemas=hub.schemas
    )

    assert right.judged is not None
    assert right.judged.valid
    assert right.again is not None
    assert right.again.judged == right.judged
    assert one(tmp_path, "a.xml", BRIK, late).sound  # an XSD that does not know it says nothing

    bad = BRIK.replace(b"<Enhet>Furulund fengsel</Enhet>", b"")
    late = replace(
        hub_with(replace(BRIK_ADAPTER, parse=lambda _: RECORD, render=lambda _: bad)), schemas=hub.schemas
    )
    answer = one(tmp_path, "a.xml", BRIK, late)
    assert answer.outcome == "accepted-not-written"


RECORD = BRIK_ADAPTER.parse(BRIK)


def test_the_most_text_is_that_of_the_hub() -> None:
    assert corpus.MOST_TEXT == pipeline.MOST_TEXT


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["adapter", "corpus", *arguments])
    return code, capsys.readouterr().out


def test_the_command_tells_every_file_and_a_summary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.xml").write_bytes(BRIK)
    (tmp_path / "b.xml").write_bytes(BRIK.replace(b"<Prioritet>1<", b"<Prioritet>0<"))
    (tmp_path / "c.txt").write_text("words")

    code, out = run(capsys, str(tmp_path), "--schemas", str(EXAMPLES / "brik_xml"))

    assert code == 0
    assert "a.xml: brik-xml, accepted (input valid by schema)" in out
    assert "written again as brik-xml valid (output valid by schema)" in out
    assert "brik-tsb-henvisning: translated, fhir-tsb valid" in out
    assert "b.xml: brik-xml, rejected, parse.invalid (input invalid by schema)" in out
    assert "      /Kartlegging/Bolig/Prioritet 36:5: expected" in out
    assert "c.txt: unknown-format, parse.format-unknown" in out
    assert "3 files" in out
    assert "     1  valid by schema, accepted" in out


def test_a_fault_is_told_in_the_language_asked_for_and_in_both_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "k.xml").write_bytes(BRIK.replace(b"<Rolle>kontaktbetjent", b"<Rolle>vakt"))
    roles = "kontaktbetjent, miljoterapeut, sosialkonsulent, tilbakeforingskoordinator, friomsorg, annet"
    place = "/Kartlegging/Kartlegger/Rolle 19:5: "

    assert f"{place}expected one of {roles} [enumeration-valid]" in run(capsys, str(tmp_path))[1]
    assert (
        f"{place}ventet en av {roles} [enumeration-valid]"
        in run(capsys, str(tmp_path), "--language", "nb")[1]
    )
    [finding] = told_of(json.loads(run(capsys, str(tmp_path), "--json")[1]), "k.xml")["findings"]
    assert (finding["expected"], finding["expected_nb"]) == (f"one of {roles}", f"en av {roles}")


def test_what_a_recipients_format_cannot_say_is_counted_by_format_and_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A report to the doctor is no other report; whoever gets only those gets nothing."""
    for name in ("a.xml", "b.xml"):
        (tmp_path / name).write_bytes((EXAMPLES / "kith_plo/examples/lege.xml").read_bytes())
    (tmp_path / "c.xml").write_bytes(BRIK)
    others = [
        f"kith-plo-{name}-{version}" for name in ("innleggelse", "utskrivning") for version in (1.5, 1.6)
    ]
    expected = {f"translated, cannot be said in {name}: fixed": 2 for name in others}

    code, out = run(capsys, str(tmp_path))
    _, told = run(capsys, str(tmp_path), "--json")
    report = json.loads(told)

    assert code == 0
    assert [line for line in out.splitlines() if "cannot be said" in line] == [
        f"       2  {line}" for line in sorted(expected)
    ]
    assert report["counts"]["unsaid"] == expected
    found = told_of(report, "a.xml")
    assert {line for way in found["translated"] for line in _unsaid(way)} == {
        (name, "render.incomplete", ("fixed",)) for name in others
    }
    assert told_of(report, "c.xml")["translated"]


def told_of(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(file for file in report["files"] if file["file"] == name)


def _unsaid(way: dict[str, Any]) -> set[tuple[str, str, tuple[str, ...]]]:
    return {
        (one["adapter"], one["code"], tuple(finding["rule"] for finding in one["findings"]))
        for one in way["written"]
        if one["code"]
    }


def test_the_command_ends_with_1_when_a_file_got_no_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.xml").write_bytes(BRIK)
    assert run(capsys, str(tmp_path))[0] == 0

    (tmp_path / "b.xml").symlink_to(tmp_path / "a.xml")

    code, out = run(capsys, str(tmp_path), "--json")
    report = json.loads(out)
    assert code == 1
    assert report["sound"] is False
    assert report["counts"]["outcomes"] == {"accepted": 1, "unreadable": 1}
    assert [file["file"] for file in report["files"]] == ["a.xml", "b.xml"]
    assert report["files"][0]["written_again"]["valid"] is True


def test_a_folder_that_is_not_there_is_no_folder_in_which_all_is_well(tmp_path: Path) -> None:
    assert main(["adapter", "corpus", str(tmp_path / "nowhere")]) == 2


def test_the_real_samples_are_all_answered_and_nothing_invalid_is_written(
    absent_reference: Callable[[str, int], None],
) -> None:
    if not SAMPLES.is_dir():
        absent_reference("standards/samples", 1)
        return
    schemas = SAMPLES.parent / "xsd"
    if not schemas.is_dir():
        absent_reference("standards/xsd", 1)

    found = told(SAMPLES, loaded(schemas if schemas.is_dir() else None))

    assert len(found) == sum(len(names) for _, _, names in os.walk(SAMPLES))
    assert [answer.file for answer in found.values() if not answer.sound] == []
    assert {answer.adapter for answer in found.values() if answer.outcome == "accepted"} >= {"fhir-consent"}
