"""Understands that an epikrise in FHIR is read whole or refused, and nothing hidden comes through."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import adapters
from adapters.fhir_epikrise.adapter import ADAPTERS
from adapters.fhir_tsb.adapter import ADAPTERS as TSB
from hub.errors import HubError
from hub.message import Record, walk

ADAPTER = ADAPTERS[0]
EXAMPLE = (Path(adapters.__file__).parent / "fhir_epikrise/examples/epikrise.json").read_bytes()
TSB_EXAMPLE = (Path(adapters.__file__).parent / "fhir_tsb/examples/henvisning.json").read_bytes()
MARKER = "KANARI-7c1f"
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


def document() -> Any:
    return json.loads(EXAMPLE)


def resource(bundle: Any, kind: str) -> Any:
    return next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind)


def parse(bundle: Any) -> Record:
    return ADAPTER.parse(json.dumps(bundle).encode())


HIDDEN: dict[str, Callable[[Any], object]] = {
    "Patient.address": lambda b: resource(b, "Patient").update(address=[{"text": MARKER}]),
    "Patient.telecom": lambda b: resource(b, "Patient").update(telecom=[{"value": MARKER}]),
    "Patient.text": lambda b: resource(b, "Patient").update(
        text={"status": "generated", "div": f"<div {XHTML}>{MARKER}</div>"}
    ),
    "Condition.id": lambda b: resource(b, "Condition").update(id=MARKER),
    "Condition.category": lambda b: resource(b, "Condition").update(category=[{"text": MARKER}]),
    "meta.tag": lambda b: resource(b, "Condition").update(meta={"tag": [{"code": MARKER}]}),
    "meta.source": lambda b: b.update(meta={"source": f"urn:{MARKER}"}),
    "Composition.title": lambda b: resource(b, "Composition").update(title=MARKER),
    "Organization.identifier": lambda b: resource(b, "Organization").update(identifier=[{"value": MARKER}]),
    "a generated narrative": lambda b: resource(b, "Composition")["section"][0]["text"].update(
        div=f"<div {XHTML}>{MARKER}</div>"
    ),
    "a comment in a narrative": lambda b: narrative(b, f"<p>synlig<!-- {MARKER} --></p>"),
    "an attribute in a narrative": lambda b: narrative(b, f'<p title="{MARKER}">synlig</p>'),
    "a link in a narrative": lambda b: narrative(
        b, f'<p><a href="https://example.org/{MARKER}">synlig</a></p>'
    ),
    "a reference's display": lambda b: resource(b, "Composition")["subject"].update(display=MARKER),
}


def narrative(bundle: Any, inside: str) -> None:
    resource(bundle, "Composition")["section"][2]["text"]["div"] = f"<div {XHTML}>{inside}</div>"


@pytest.mark.parametrize("hide", HIDDEN.values(), ids=HIDDEN.keys())
def test_what_is_left_behind_is_neither_in_the_record_nor_in_what_is_written(
    hide: Callable[[Any], object],
) -> None:
    bundle = document()
    hide(bundle)
    assert MARKER in json.dumps(bundle)

    record = parse(bundle)

    assert all(MARKER not in str(value) for _, value in walk(record.fields))
    assert MARKER.encode() not in ADAPTER.render(record)


REFUSED: dict[str, tuple[Callable[[Any], object], str]] = {
    "a diagnosis that was ruled out": (
        lambda b: resource(b, "Condition").update(verificationStatus={"coding": [{"code": "refuted"}]}),
        "verificationStatus",
    ),
    "a diagnosis that is over, where no text says so": (
        lambda b: (
            resource(b, "Condition").update(clinicalStatus={"coding": [{"code": "resolved"}]}),
            resource(b, "Composition")["section"][0].pop("text"),
        ),
        "clinicalStatus",
    ),
    "a second coding, where no text says which": (
        lambda b: (
            resource(b, "Condition")["code"]["coding"].append({"system": "urn:x", "code": "y"}),
            resource(b, "Composition")["section"][0].pop("text"),
        ),
        "code.coding",
    ),
    "words beside a status that say more than it": (
        lambda b: resource(b, "Condition").update(
            clinicalStatus={"coding": [{"code": "active"}], "text": "bedre"}
        ),
        "clinicalStatus.text",
    ),
    "a diagnosis without a code": (lambda b: resource(b, "Condition").update(code={"text": "x"}), "code"),
    "a medicine that was stopped": (
        lambda b: resource(b, "MedicationStatement").update(status="stopped"),
        "status",
    ),
    "a security label": (
        lambda b: resource(b, "Condition").update(
            meta={"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "ETH"}]}
        ),
        "security",
    ),
    "an ordinary code of another system": (
        lambda b: resource(b, "Condition").update(meta={"security": [{"system": "urn:x", "code": "N"}]}),
        "security",
    ),
    "a modifier extension": (
        lambda b: resource(b, "Condition").update(modifierExtension=[{"url": "urn:x", "valueBoolean": True}]),
        "modifierExtension",
    ),
    "an extension": (
        lambda b: resource(b, "Condition").update(extension=[{"url": "urn:x", "valueBoolean": True}]),
        "extension",
    ),
    "a contained resource": (
        lambda b: resource(b, "Condition").update(contained=[{"resourceType": "Patient"}]),
        "contained",
    ),
    "a note nobody reads": (lambda b: resource(b, "Condition").update(note=[{"text": "x"}]), "note"),
    "a narrative with more than the data": (
        lambda b: resource(b, "Patient").update(
            text={"status": "additional", "div": f"<div {XHTML}>x</div>"}
        ),
        "text.status",
    ),
    "an image in a narrative": (lambda b: narrative(b, '<img src="https://example.org/x.png"/>'), "text.div"),
    "a script in a narrative": (lambda b: narrative(b, "<script>x</script>"), "text.div"),
    "a DTD in a narrative": (
        lambda b: resource(b, "Composition")["section"][2]["text"].update(
            div=f'<!DOCTYPE div [<!ENTITY e "x">]><div {XHTML}>&e;</div>'
        ),
        "text.div",
    ),
    "an empty narrative": (lambda b: narrative(b, "<p> </p>"), "text.div"),
    "an entry that nothing refers to": (
        lambda b: b["entry"].append({"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Patient"}}),
        "resource",
    ),
    "a resource of another kind": (
        lambda b: b["entry"].append({"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Appointment"}}),
        "resourceType",
    ),
    "a reference to nowhere": (
        lambda b: resource(b, "Composition")["subject"].update(reference="urn:uuid:nowhere"),
        "subject.reference",
    ),
    "a reference outside the Bundle": (
        lambda b: resource(b, "Composition")["subject"].update(reference="https://example.org/Patient/1"),
        "subject.reference",
    ),
    "two entries with one address": (
        lambda b: b["entry"][2].update(fullUrl=b["entry"][1]["fullUrl"]),
        "fullUrl",
    ),
    "a Composition that is not final": (
        lambda b: resource(b, "Composition").update(status="entered-in-error"),
        "status",
    ),
    "a second person": (
        lambda b: resource(b, "Patient")["identifier"].append(
            {"system": "urn:oid:2.16.578.1.12.4.1.4.2", "value": "1"}
        ),
        "identifier",
    ),
    "JSON in a string where an object belongs": (
        lambda b: resource(b, "Condition").update(code='{"coding":[{"system":"a","code":"b"}]}'),
        "code",
    ),
}


@pytest.mark.parametrize(("break_it", "where"), REFUSED.values(), ids=REFUSED.keys())
def test_what_would_be_lost_or_turned_round_is_refused_with_its_path(
    break_it: Callable[[Any], object], where: str
) -> None:
    bundle = document()
    break_it(bundle)

    with pytest.raises(HubError) as refused:
        parse(bundle)

    assert refused.value.code == "parse.invalid"
    assert any(where in finding.at for finding in refused.value.findings)


def test_every_fault_is_told_at_once() -> None:
    bundle = document()
    resource(bundle, "Patient")["birthDate"] = "2026-99-99"
    resource(bundle, "Condition")["note"] = [{"text": "x"}]
    resource(bundle, "MedicationStatement")["status"] = "stopped"

    with pytest.raises(HubError) as refused:
        parse(bundle)

    assert {finding.at.rsplit(".", 1)[-1] for finding in refused.value.findings} >= {
        "birthDate",
        "note",
        "status",
    }


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ("<p>en</p><p>to</p>", "en\nto"),
        ("<p>en<br/>to</p>", "en\nto"),
        ("<p>en</p><p></p><p>to</p>", "en\n\nto"),
        ("\n  <p>en\n     <b>fet</b> skrift</p>\n  <ul>\n<li>a</li><li>b</li></ul>", "en fet skrift\na\nb"),
        ("<table><tbody><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></tbody></table>", "a | b\nc"),
        ("bar tekst", "bar tekst"),
        ("&lt;script&gt; &amp; &#230;", "<script> & æ"),
    ],
)
def test_a_narrative_is_read_as_its_lines(inside: str, text: str) -> None:
    bundle = document()
    narrative(bundle, inside)

    assert parse(bundle).fields["seksjoner"][0]["tekst"] == text


def test_ids_are_issued_anew_and_follow_from_the_message_alone() -> None:
    first = parse(document())
    other = Record(first.type, {**first.fields, "melding": {**first.fields["melding"], "id": "another"}})

    urls = [{e["fullUrl"] for e in json.loads(ADAPTER.render(r))["entry"]} for r in (first, first, other)]

    assert urls[0] == urls[1]
    assert not urls[0] & urls[2]


def test_a_section_that_is_withheld_leaves_no_trace() -> None:
    full = parse(document())
    reduced = Record(
        full.type,
        {
            **full.fields,
            "diagnoser": full.fields["diagnoser"][:1],
            "legemidler": full.fields["legemidler"][:1],
            "seksjoner": [full.fields["seksjoner"][0], full.fields["seksjoner"][2]],
        },
    )

    body = ADAPTER.render(reduced).decode()

    assert not any(
        word in body for word in ("F11", "N07", "opioid", "Buprenorfin", "Rusmidler", "LAR", "29762-2")
    )
    assert ADAPTER.parse(body.encode()) == reduced


def test_the_same_person_may_be_named_by_type_and_id() -> None:
    bundle = document()
    resource(bundle, "Patient")["id"] = "p1"
    for entry in bundle["entry"]:
        if "subject" in entry["resource"]:
            entry["resource"]["subject"] = {"reference": "Patient/p1"}

    assert parse(bundle) == parse(document())


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-06-30T23:30:00Z", "2026-07-01"),
        ("2026-07-01T00:30:00+05:00", "2026-06-30"),
        ("2026-06-30T23:30:00+02:00", "2026-06-30"),
        ("2026-06-30T21:30:00.1234567Z", "2026-06-30"),
    ],
)
def test_the_day_of_a_moment_is_the_one_in_norway(written: str, day: str) -> None:
    bundle = document()
    resource(bundle, "Composition")["date"] = written

    assert parse(bundle).get("dato") == day


HARMLESS: dict[str, Callable[[Any], object]] = {
    "a link of the Bundle": lambda b: b.update(link=[{"relation": "self", "url": "https://example.org/"}]),
    "that the person lives": lambda b: resource(b, "Patient").update(deceasedBoolean=False),
    "the id of an element": lambda b: resource(b, "Condition")["code"].update(id="c1"),
    "a time that is finer than microseconds": lambda b: b.update(
        timestamp="2026-11-02T14:05:00.0000007+01:00"
    ),
    "a category that is no more than a report": lambda b: resource(b, "Composition").update(
        category=[{"coding": [{"system": "http://loinc.org", "code": "LP173421-1", "display": "Report"}]}]
    ),
    "the number of the person beside the reference": lambda b: resource(b, "Composition")["subject"].update(
        identifier=resource(b, "Patient")["identifier"][0]
    ),
    "a number that has not ended": lambda b: resource(b, "Patient")["identifier"][0].update(
        period={"start": "2000-01-01", "end": "9999"}
    ),
    "a former name": lambda b: resource(b, "Patient")["name"].append({"text": "x", "use": "old"}),
    "a status in Norwegian": lambda b: resource(b, "Condition").update(
        clinicalStatus={"coding": [{"code": "active", "display": "Active"}], "text": "Aktiv"}
    ),
    "why a section with a text is empty": lambda b: resource(b, "Composition")["section"][2].update(
        emptyReason={"text": "nilknown"}
    ),
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS.keys())
def test_what_says_nothing_is_let_through(change: Callable[[Any], object]) -> None:
    bundle = document()
    change(bundle)

    read = {**parse(bundle).fields, "melding": parse(document()).fields["melding"]}

    assert read == parse(document()).fields


def test_words_beside_a_display_in_another_language_are_carried() -> None:
    bundle = document()
    condition, section = resource(bundle, "Condition"), resource(bundle, "Composition")["section"][2]
    condition["code"]["coding"][0]["display"], condition["code"]["text"] = "Asthma", "Astma"
    section["code"]["coding"][0]["display"], section["code"]["text"] = "Narrative", "Undersøkelser"
    section["title"] = "Funn"
    record = parse(bundle)

    assert record.get("diagnoser")[0]["tekst"] == "Asthma / Astma"
    assert record.get("seksjoner")[0]["tittel"] == "Funn (Undersøkelser)"


def test_a_number_that_is_over_on_the_day_of_the_message_is_refused() -> None:
    for made, kind in ((document(), ADAPTER), (json.loads(TSB_EXAMPLE), TSB[0])):
        resource(made, "Patient")["identifier"][0]["period"] = {"end": made["timestamp"][:4] + "-01-01"}

        with pytest.raises(HubError) as refused:
            kind.parse(json.dumps(made).encode())

        assert [finding.rule for finding in refused.value.findings] == ["ended"]


def test_that_the_person_died_is_refused() -> None:
    bundle = document()
    resource(bundle, "Patient")["deceasedBoolean"] = True

    with pytest.raises(HubError):
        parse(bundle)
