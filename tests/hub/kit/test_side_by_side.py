"""Understands that what is shown beside a message is what the hub would do with it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from consent.labels import load_codes
from consent.policy_files import load_pack
from consent.texts import load_texts
from hub import preview
from hub.cli.main import main
from hub.errors import HubError
from hub.kit.checked import loaded
from hub.kit.homes import OURS
from hub.kit.side_by_side import SideBySide, side_by_side
from hub.kit.values import sample
from hub.message import Record, Sector, Verdict
from tests.hub.bench import BODIES, FHIR, START, XML, Bench

HUB = loaded()
BRIK = OURS / "brik_xml/examples/kartlegging.xml"
EPIKRISE = OURS / "fhir_epikrise/examples/epikrise.json"
KANARI = "Buprenorfin"


def shown(record: Record, agreement: str, sender: Sector) -> SideBySide:
    meant = next(one for one in HUB.agreements if one.id == agreement)
    return side_by_side(
        record,
        meant,
        HUB.types,
        sender=sender,
        pack=load_pack(),
        codes=load_codes(),
        texts=load_texts(),
        at=START,
    )


@pytest.mark.parametrize(
    ("key", "body", "media"),
    [("prison", "brik.xml", XML), ("prison_health", "epikrise.fhir.json", FHIR)],
)
def test_it_is_what_the_hub_decides_about_somebody_who_said_nothing(
    bench: Bench, key: str, body: str, media: str
) -> None:
    sender, sent = bench.agency(key), (BODIES / body).read_bytes()
    record = HUB.registry.recognise(media, sent).parse(sent)
    bench.register_gp()

    real = preview.of_message(bench.parts, sender, media, sent, by="test", decide=True)

    assert real
    for one in real:
        assert one.outgoing is not None
        beside = shown(record, one.route.agreement.id, sender.sector)
        stays = {
            item.path: item.reason
            for item in one.outgoing.decision.items
            if item.verdict is not Verdict.PERMIT and not item.path.startswith("envelope.")
        }
        withheld = {field.path: field.withheld for field in beside.fields if field.withheld}
        assert beside.envelope or withheld == stays
        assert stays.keys() <= withheld.keys()
        assert isinstance(beside.alone, HubError) == (one.outgoing.rendered is None)


@pytest.mark.parametrize("agreement", [one.id for one in HUB.agreements])
def test_every_value_is_carried_withheld_dropped_or_written_anew(agreement: str) -> None:
    meant = next(one for one in HUB.agreements if one.id == agreement)
    record = sample(HUB.types[meant.source.type])

    beside = shown(record, agreement, sorted(meant.source.sectors)[0])

    for field in beside.fields:
        assert field.outcome in ("carried", "withheld", "dropped", "anew")
        assert (field.outcome == "anew") == field.path.startswith("melding.")
        assert (field.outcome == "dropped") == bool(field.dropped)
    assert {field.path for field in beside.fields} == {
        leaf.path for leaf in HUB.types[record.type].leaves(record)
    }


def test_nothing_about_substance_use_goes_without_a_consent() -> None:
    record = HUB.registry.by_name("fhir-epikrise").parse(EPIKRISE.read_bytes())

    beside = shown(record, "epikrise-fastlege", Sector.PRISON_HEALTH)

    told = [field for field in beside.fields if "substance_use" in field.labels]
    assert len(told) > 5
    assert {field.outcome for field in told} == {"withheld"}
    assert isinstance(beside.alone, Record)
    assert KANARI not in repr(beside.alone.fields)
    assert KANARI in repr(beside.whole.fields if isinstance(beside.whole, Record) else None)


def test_a_graded_address_withholds_everything() -> None:
    record = HUB.registry.by_name("brik-xml").parse(BRIK.read_bytes())
    graded = Record(record.type, {**record.fields, "person_adressegradering": "strengt_fortrolig"})
    assert HUB.types[record.type].check(graded.fields) == ()

    beside = shown(graded, "brik-helse-kontakt", Sector.PRISON)

    assert {field.withheld for field in beside.fields if field.to} == {"decide.protected-address"}


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["map", "preview", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_command_shows_paths_and_only_when_asked_values(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, str(EPIKRISE), "--to", "epikrise-fastlege")

    assert code == 0
    assert "WITHHELD decide.no-consent; with a consent -> legemidler.navn" in out
    assert "20 carried, 10 withheld, 0 dropped" in out
    assert KANARI not in out
    assert KANARI in run(capsys, str(EPIKRISE), "--to", "epikrise-fastlege", "--values")[1]
    plain = run(capsys, str(EPIKRISE), "--to", "epikrise-fastlege", "--json")[1]
    assert KANARI not in plain
    assert json.loads(plain)["without_consent"]["code"] is None


@pytest.mark.parametrize(
    ("agreement", "sample", "means"),
    [
        (
            "loslatelsesdato-tsb",
            "plain_json/examples/loslatelsesdato.json",
            "route earlier: every agency of",
        ),
        (
            "brik-nav-sak",
            "brik_xml/examples/kartlegging.xml",
            "route kommune:kommuner.opphold: ",
        ),
    ],
)
def test_the_command_says_how_the_recipients_are_found(
    agreement: str, sample: str, means: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["map", "preview", str(OURS / sample), "--to", agreement])
    assert capsys.readouterr().out.splitlines()[1].startswith(means)

    main(["map", "preview", str(OURS / sample), "--to", agreement, "--json"])
    route = json.loads(capsys.readouterr().out)["route"]
    assert f"route {route['word']}: {route['means']}".startswith(means)
    page = (OURS.parent / "docs" / "reference" / f"agreement-{agreement}.md").read_text()
    assert f"| Recipient found by | `{route['word']}`: {route['means']} |" in page


def test_the_command_says_that_it_looks_at_no_store(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, str(EPIKRISE), "--to", "epikrise-fastlege")
    plain = json.loads(run(capsys, str(EPIKRISE), "--to", "epikrise-fastlege", "--json")[1])
    assert main(["map", "preview", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())

    assert "Not looked at: what was answered before, so neither moves between states" in out
    assert plain["not_looked_at"][0] == "moves between states"
    assert "No store is looked at" in told


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--to", "nothing"), "one of brik-bolig-foresporsel"),
        (("--to", "epikrise-fastlege"), "one of brik-bolig-foresporsel"),
        (("--to", "brik-nav-sak", "--from", "gp"), "one of prison, probation"),
    ],
)
def test_what_does_not_fit_is_told_with_what_does(
    arguments: tuple[str, ...], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, str(BRIK), *arguments)

    assert code == 2
    assert "adapter.unknown" in err
    assert expected in err
    assert "next: `bro map agreements` shows which agreement takes which type, and from whom." in err


def test_a_sample_with_faults_is_told_with_all_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "a.xml"
    broken.write_bytes(BRIK.read_bytes().replace(b"<Prioritet>1<", b"<Prioritet>0<"))

    code, _, err = run(capsys, str(broken), "--to", "brik-nav-sak")

    assert code == 2
    assert "/Kartlegging/Bolig/Prioritet 36:5: expected" in err


def test_watching_shows_it_again_when_the_file_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sample_file = tmp_path / "a.xml"
    sample_file.write_bytes(BRIK.read_bytes())
    turns = iter(["change", "nothing", "end"])

    def sleep(_: float) -> None:
        match next(turns):
            case "change":
                sample_file.write_bytes(BRIK.read_bytes().replace(b"<Prioritet>1<", b"<Prioritet>0<"))
            case "end":
                raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", sleep)

    code, out, err = run(capsys, str(sample_file), "--to", "brik-nav-sak", "--watch")

    assert code == 2  # as it stands at the end
    assert out.count("Watching") == 2
    assert "parse.invalid" in err


def test_a_record_that_cannot_be_translated_is_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = HUB.registry.by_name("brik-xml").parse(BRIK.read_bytes())
    least = Record(
        record.type, {name: record.fields[name] for name in ("melding", "person", "enhet", "tilbud")}
    )
    file = tmp_path / "a.xml"
    file.write_bytes(HUB.registry.by_name("brik-xml").render(least))

    code, out, _ = run(capsys, str(file), "--to", "brik-tsb-henvisning")

    assert code == 1
    assert "When all may go:    nothing (decide.essential-missing)" in out


def test_what_a_format_of_the_recipient_leaves_behind_is_told_with_the_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sample = str(OURS / "kith_epikrise/examples/alt-1.2-2.xml")

    code, out, _ = run(capsys, sample, "--to", "epikrise-fastlege")

    assert code == 0
    assert "As kith-epikrise-1.2:  without mottaker.behandler_type: a professional in a unit" in out
    assert "As kith-epikrise-1.1:  without meldingsstatus: 1.1 has no Status of the message" in out
    assert "As fhir-epikrise:  nothing (render.incomplete), handling final" in out
    assert "As json:epikrise" not in out
    told = json.loads(run(capsys, sample, "--to", "epikrise-fastlege", "--json")[1])["formats"]
    assert {one["format"]: one["code"] for one in told} == {
        "json:epikrise": None,
        "kith-epikrise-1.1": None,
        "kith-epikrise-1.2": None,
        "fhir-epikrise": "render.incomplete",
        "fhir-epikrise-xml": "render.incomplete",
    }
    by_name = {one["format"]: one["findings"] for one in told}
    assert [(f["at"], f["expected"], f["expected_nb"]) for f in by_name["fhir-epikrise"]] == [
        (
            at,
            "a final summary, not taken back",
            "en endelig epikrise som ikke er trukket tilbake",
        )
        for at in ("handling", "status")
    ]
