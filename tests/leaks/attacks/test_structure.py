"""What stands beside the content: attacks 9 to 15, 19, 34 and 35. What the hub sends is written anew
from the values of the declared fields, so nothing that rode along in the input can ride on.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.leaks import messages as m
from tests.leaks.attacking import (
    NOT_HEALTH,
    accepted,
    agree,
    bare_brik,
    got,
    places,
    post_brik,
    post_summary,
    put,
    read_by,
    some_id,
    summary,
)
from tests.leaks.lab import Lab
from tests.leaks.messages import FHIR, JSON, XML

MARK = "kanaristruktur"

XML_NODES: dict[str, Callable[[str], str]] = {
    "comment": lambda x: x.replace("<Bolig>", f"<Bolig><!-- {MARK} -->", 1),
    "comment in a value": lambda x: x.replace("<Behov>stort", f"<Behov><!--{MARK}-->stort", 1),
    "comment before the root": lambda x: f"<!-- {MARK} -->{x}" if x[0] != "<" or x[1] != "?" else x.replace("?>", f"?><!-- {MARK} -->", 1),
    "comment after the root": lambda x: f"{x}<!-- {MARK} -->",
    "instruction": lambda x: x.replace("<Bolig>", f"<Bolig><?{MARK} {MARK}?>", 1),
    "stylesheet": lambda x: x.replace("<Kartlegging", f'<?xml-stylesheet href="{MARK}.xsl"?><Kartlegging', 1),
    "CDATA between": lambda x: x.replace("<Bolig>", f"<Bolig><![CDATA[{MARK}]]>", 1),
    "unused namespace": lambda x: x.replace("<Bolig>", f'<Bolig xmlns:u="urn:{MARK}">', 1),
    "element of another namespace": lambda x: x.replace("<Bolig>", f'<Bolig><u:x xmlns:u="urn:{MARK}">{MARK}</u:x>', 1),
    "attribute": lambda x: x.replace("<Bolig>", f'<Bolig note="{MARK}">', 1),
    "attribute of xml": lambda x: x.replace("<Bolig>", f'<Bolig xml:id="{MARK}">', 1),
    "language": lambda x: x.replace("<Bolig>", f'<Bolig xml:lang="{MARK}">', 1),
    "nil with content": lambda x: x.replace("<Bolig>", f'<Bolig xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"><Merknad>{MARK}</Merknad>', 1),
    "xsi:type": lambda x: x.replace("<Bolig>", f'<Bolig xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="{MARK}">', 1),
    "schema location": lambda x: x.replace("<Kartlegging", f'<Kartlegging xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x {MARK}"', 1),
    "inner DTD": lambda x: x.replace("<Kartlegging", f'<!DOCTYPE k [<!ENTITY e "{MARK}">]><Kartlegging', 1),
    "default attribute": lambda x: x.replace("<Kartlegging", f'<!DOCTYPE k [<!ATTLIST Bolig note CDATA "{MARK}">]><Kartlegging', 1),
    "text after the root": lambda x: f"{x}{MARK}",
    "second root": lambda x: f"{x}<Kartlegging>{MARK}</Kartlegging>",
    "element twice": lambda x: x.replace("</Bolig>", f"</Bolig><Bolig><Merknad>{MARK}</Merknad></Bolig>", 1),
    "inclusion": lambda x: x.replace("<Bolig>", f'<Bolig><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{MARK}"/>', 1),
}  # one row per case # fmt: skip


def test_nothing_of_an_xml_document_but_its_declared_values_goes_on(lab: Lab) -> None:
    """Attack 9."""
    agree(lab, "nav", "housing", "school", "health")
    taken = []
    for name, spoil in XML_NODES.items():
        good = m.as_xml(lab.parts, bare_brik()).decode()
        bad = spoil(good)
        assert MARK in bad, name
        call = lab.post("prison", XML, bad.encode())
        assert call.status == 202 or 400 <= call.status < 500, (name, call.status)
        taken += [name] * (call.status == 202)
    lab.settle()
    assert places(lab, MARK) == set()
    assert "comment" in taken, "what is harmless to skip is skipped, else nothing was attacked"
    assert len(got(lab, "nav")) == len(taken)


def test_cdata_is_read_like_any_text(lab: Lab) -> None:
    """Attack 9: the same words in another spelling are labelled the same."""
    agree(lab, "housing")
    fields = bare_brik()
    put(fields, "kommuner.bydel", "HERSTAR")
    text = m.as_xml(lab.parts, fields).decode()
    for hidden in ("<![CDATA[Rus]]>avhengig", "Rus<!-- -->avhengig", "&#82;us<![CDATA[avhengig]]>"):
        body = text.replace("HERSTAR", hidden).replace(fields["melding"]["id"], some_id("brik"))
        accepted(lab.post("prison", XML, body.encode()))
    lab.settle()
    assert len(read_by(lab, "housing")) == 3
    assert all("bydel" not in arrived["kommuner"] for arrived in read_by(lab, "housing"))


INJECTED: dict[str, Any] = {
    "extension": [{"url": f"urn:{MARK}", "valueString": f"Suboxone {MARK}"}],
    "modifierExtension": [{"url": f"urn:{MARK}", "valueString": f"Suboxone {MARK}"}],
    "id": f"f11-{MARK}",
    "display": f"Suboxone {MARK}",
    "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">Suboxone {MARK}</div>'},
    "note": [{"text": f"Suboxone {MARK}"}],
    "meta": {
        "tag": [{"code": f"rus-{MARK}"}],
        "profile": [f"http://example.org/rus/{MARK}"],
        "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "ETH", "display": MARK}],
    },
    "contained": [{"resourceType": "Basic", "id": f"f11-{MARK}"}],
    "implicitRules": f"http://example.org/{MARK}",
    "language": f"x-{MARK}",
    "fhir_comments": [f"Suboxone {MARK}"],
    "identifier": [{"type": {"text": f"LAR {MARK}"}, "value": MARK}],
    "link": [{"relation": MARK, "url": f"http://example.org/{MARK}"}],
    "signature": {"data": MARK},
    "reference": f"Condition/f11-2-{MARK}",
}  # one row per case # fmt: skip


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from _objects(child)
    elif isinstance(node, list):
        for child in node:
            yield from _objects(child)


def _spoilt(good: Any) -> Iterator[tuple[str, Any]]:
    """Every object with every foreign part, and every value with a shadow beside it."""
    for number, here in enumerate(_objects(good)):
        names = {name: what for name, what in INJECTED.items() if name not in here}
        shadows = {
            f"_{name}": {"extension": INJECTED["extension"]} for name, v in here.items() if isinstance(v, str)
        }
        for name, what in {**names, **shadows}.items():
            whole = copy.deepcopy(good)
            list(_objects(whole))[number][name] = what
            yield f"{number} {name}", whole


def test_nothing_of_a_fhir_document_but_its_declared_values_goes_on(lab: Lab) -> None:
    """Attacks 10, 11 and 15: every foreign part in every object of a discharge summary."""
    fields = summary(diagnoses=[{"system": m.ICD, "kode": "M54.5", "tekst": "Korsryggsmerter"}])
    good = m.as_fhir(lab.parts, fields).decode()
    mine = fields["melding"]["id"]
    taken = tried = 0
    for name, bad in _spoilt(json.loads(good)):
        tried += 1
        body = json.dumps(bad).replace(mine, some_id("epikrise"))
        call = lab.post("prison_health", FHIR, body.encode())
        assert call.status == 202 or 400 <= call.status < 500, (name, call.status)
        taken += call.status == 202
    lab.settle()
    assert tried > 300
    assert taken > 20, "what is harmless to skip is skipped, else nothing was attacked"
    assert places(lab, MARK) == set()


def test_a_narrative_is_written_from_what_is_left(lab: Lab) -> None:
    """Attack 10."""
    told = {"tittel": "Behandling", "tekst": f"Pasienten får Suboxone, {MARK}, hver dag."}
    accepted(post_summary(lab, summary(sections=[told])))
    lab.settle()
    [body] = got(lab, "gp")
    assert b"Lungefunksjonen" in body
    assert places(lab, MARK) == set()


RUS = {
    "diagnoses": [{"system": m.ICD, "kode": "F11.2", "tekst": "Opioidavhengighet"}],
    "medicines": [{"system": m.ATC, "kode": "N07BC51", "navn": "Suboxone"}],
    "sections": [{"kode": "18776-5", "tittel": "Rusbehandling", "tekst": "Pasienten ønsker å fortsette i LAR."}],
}  # one row per case # fmt: skip


def test_ids_speak_of_nothing_and_no_reference_leads_nowhere(lab: Lab) -> None:
    """Attack 12."""
    good = m.as_fhir(lab.parts, summary(**RUS))
    speaking = re.sub(rb"urn:uuid:[0-9a-f-]+", lambda found: b"urn:uuid:" + found.group()[9:], good)
    accepted(lab.post("prison_health", FHIR, speaking))
    lab.settle()
    [body] = got(lab, "gp")
    bundle = json.loads(body)
    known = {entry["fullUrl"] for entry in bundle["entry"]}
    references = {o["reference"] for o in _objects(bundle) if "reference" in o}
    ids = set(re.findall(rb"urn:uuid:[0-9a-f-]+", good)) & set(re.findall(rb"urn:uuid:[0-9a-f-]+", body))
    assert references
    assert references <= known
    assert ids == set(), "ids of the sender would tell two copies apart"
    assert len(known) == len(bundle["entry"])


MARKS_OF_REDACTION = re.compile(
    rb"redact|mask|sladd|utelatt|skjult|fjernet|data-?absent|null-?flavor|withheld|hidden|total|REDACTED|"
    rb"v3-ActCode|confidential|security",
    re.IGNORECASE,
)


def test_what_is_taken_out_leaves_the_bytes_of_what_never_held_it(lab: Lab) -> None:
    """Attacks 13, 14 and 15: two summaries, one with substance use in every part. The recipient's copies
    differ in what belongs to the envelope, and in nothing else."""
    bodies = []
    for parts in ({}, RUS):
        fields = summary(**parts)
        accepted(post_summary(lab, fields))
        lab.settle()
        body = got(lab, "gp")[-1]
        ids = dict.fromkeys(re.findall(rb"[0-9a-f]{8}-[0-9a-f-]{27}|[a-z2-7]{26}", body))
        for number, name in enumerate(ids):
            body = body.replace(name, b"id%d" % number)
        bodies.append(re.sub(rb"20\d\d-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d)", b"time", body))
    assert bodies[0] == bodies[1]
    assert MARKS_OF_REDACTION.findall(bodies[1]) == []


SPEAKING = re.compile(
    r"rus(?!t)|tsb|\blar\b|audit(?!-)|dudit|avrus|subst|addict|drug|narko|opioid|solbakken", re.I
)


def test_the_names_on_the_wire_are_neutral(lab: Lab) -> None:
    """Attack 19: everything an agency outside health care, or nobody, sees of a mapping with substance use
    in it: headers, ids, types, agreements, names, profile."""
    agree(lab, "nav", "housing", "school", "health", "tsb", "gp")
    fields = bare_brik()
    fields["rus"] = {"behov": "stort", "merknad": "Ber om avrusning."}
    message = accepted(lab.post("prison", XML, m.as_xml(lab.parts, fields)))
    lab.settle()
    lab.call("prison", "GET", f"/v1/messages/{message}")
    lab.call("", "GET", "/metrics")
    seen = [
        (call.key, f"{call.headers} {call.body.decode()}")
        for call in lab.calls
        if call.key in (*NOT_HEALTH, "")
    ]
    seen += [
        (s.key, f"{s.media_type} {s.adapter} {s.body.decode()}")
        for s in lab.recipients.sent
        if s.key in NOT_HEALTH
    ]
    assert {key for key, _ in seen} == {"prison", "nav", "housing", "school", ""}
    assert [(key, found.group(), text) for key, text in seen if (found := SPEAKING.search(text))] == []


def test_an_older_version_is_nowhere_to_be_had(lab: Lab) -> None:
    """Attack 34: a date that was overtaken before anybody fetched it, by every address one could try."""
    agree(lab, "nav")
    accepted(post_brik(lab, bare_brik()))
    lab.settle()
    old, new = m.release_date(1, some_id("dato")), m.release_date(2, some_id("dato"))
    old["loslatelse"]["planlagt_dato"] = "2027-09-17"
    ids = [accepted(lab.post("prison", JSON, m.as_json(old)))]
    lab.work_off()
    entries = [entry["id"] for entry in lab.call("nav", "GET", "/v1/inbox").said["entries"]]
    ids.append(accepted(lab.post("prison", JSON, m.as_json(new))))
    lab.settle()
    for name in (*ids, *entries):
        for who in ("prison", "nav", "gp", "tsb"):
            for path in (
                *(
                    f"/v1/messages/{name}{end}"
                    for end in ("", "/_history", "/_history/1", "?version=1", "/1")
                ),
                *(f"/v1/inbox/{name}{end}" for end in ("", "/_history/1", "?_format=json", "?versionId=1")),
            ):
                lab.call(who, "GET", path)
    pushed = "payload/prison_health"  # before anybody knew better
    assert places(lab, "2027-09-17", but=(pushed,)) == set()
    assert b"2027-04-15" in b"".join(got(lab, "nav"))


@pytest.mark.parametrize("change", ["given", "narrower", "refused", "withdrawn"])
def test_no_change_of_a_consent_is_an_event_for_anybody(lab: Lab, change: str) -> None:
    """Attack 35: nothing was handed over under it, so nobody is sent anything and no answer differs."""
    if change != "given":
        agree(lab, "tsb", "nav")
        lab.settle()
    before = (
        len(lab.recipients.sent),
        {key: lab.call(key, "GET", "/v1/inbox").body for key in NOT_HEALTH if key != "housing"},
    )
    match change:
        case "given":
            agree(lab, "tsb", "nav")
        case "narrower":
            said = m.to_tsb(version=2, message_id=some_id())
            accepted(lab.post("prison_health", JSON, m.as_json({**said, "kategorier": ["identity"]})))
        case "refused":
            said = m.to_tsb(version=2, permits=False, message_id=some_id())
            accepted(lab.post("prison_health", JSON, m.as_json(said)))
        case "withdrawn":
            said = m.withdrawn(m.to_tsb()["samtykke"]["serie"], some_id())
            accepted(lab.post("prison_health", JSON, m.as_json(said)))
    lab.settle()
    after = (
        len(lab.recipients.sent),
        {key: lab.call(key, "GET", "/v1/inbox").body for key in NOT_HEALTH if key != "housing"},
    )
    assert before == after
