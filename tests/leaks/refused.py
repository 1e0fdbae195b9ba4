"""Understands every way in which a value can be wrong, with a marker at the fault: what a validator is
tempted to quote.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hub.parts import Parts
from tests.leaks import messages as m
from tests.leaks.canaries import CANARIES
from tests.leaks.messages import FHIR, JSON, XML

BAD, CODE, NUMBER = CANARIES["bad"], CANARIES["bad.kode"], CANARIES["bad.person.id"]

Post = tuple[str, str, str, bytes]
"""What is wrong, who posts it, media type, body."""


def posts(parts: Parts) -> Iterator[Post]:
    yield from _xml(parts)
    yield from _json(parts)
    yield from _fhir(parts)
    yield from _consents()


def _xml(parts: Parts) -> Iterator[Post]:
    fields = m.brik(parts)
    fields["melding"]["id"] = f"xml-{BAD}"
    good = m.as_xml(parts, fields).decode()

    def changed(old: str, new: str) -> bytes:
        assert old in good
        return good.replace(old, new, 1).encode()

    faults = {
        "unknown code": changed("<Behov>stort", f"<Behov>{BAD}"),
        "check digit": changed(CANARIES["person.id"], NUMBER),
        "not well formed": changed("</Rus>", f"{BAD}</Rux>"),
        "cut off": good.encode()[: good.index(f"{CANARIES['brik.rus.merknad']}") + 20],
        "unknown element": changed("<Rus>", f"<Rus><{BAD}>{CODE}</{BAD}>"),
        "unknown attribute": changed("<Rus>", f'<Rus {BAD}="{CODE}">'),
        "unknown namespace": changed("<Rus>", f'<Rus xmlns:x="urn:{BAD}"><x:{BAD}/>'),
        "attribute twice": changed("<Rus>", f'<Rus a="{BAD}" a="{BAD}">'),
        "text between": changed("<Rus>", f"<Rus>{BAD}"),
        "undeclared prefix": changed("<Rus>", f"<{BAD}:Rus>"),
        "undeclared entity": changed("<Rus>", f"<Rus>&{BAD};"),
        "doctype": changed("<Kartlegging", f'<!DOCTYPE x [<!ENTITY {BAD} "{CODE}">]><Kartlegging'),
        "outside entity": changed(
            "<Kartlegging", f'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/{BAD}"><Kartlegging'
        ),
        "sum": changed("<Sum>21", "<Sum>22"),
        "wrong date": changed("<PlanlagtDato>2027-03-01", f"<PlanlagtDato>{BAD}"),
        "wrong number": changed("<Prioritet>1", f"<Prioritet>{BAD}"),
        "too long": changed("<Rus>", f"<Enhet>{BAD * 50}</Enhet><Rus>"),
        "wrong root": f'<{BAD} xmlns="urn:{BAD}"/>'.encode(),
        "wrong encoding": b'<?xml version="1.0" encoding="' + BAD.encode() + b'"?><a/>',
        "bytes that are not text": good.encode().replace(b"<Rus>", b"<Rus>\xff\xfe" + BAD.encode()),
        "same id, other content": m.as_xml(parts, _other(m.brik(parts))),
    }
    for name, body in faults.items():
        yield f"XML, {name}", "prison", XML, body
    yield "XML, not theirs", "nav", XML, good.encode()
    yield "media type", "prison", f"application/{BAD}", good.encode()
    yield "media type parameter", "prison", f"application/xml; charset={BAD}", good.encode()
    yield "media type nonsense", "prison", f"{BAD} {CODE}", good.encode()


def _other(fields: m.Fields) -> m.Fields:
    return {**fields, "dato": "2026-11-09"}


def _json(parts: Parts) -> Iterator[Post]:
    good = m.referral("henvisning")
    good["melding"]["id"] = f"json-{BAD}"
    text = m.as_json(good).decode()
    faults: dict[str, Callable[[dict[str, Any]], object]] = {
        "unknown field": lambda f: f["rus"].update({BAD: CODE}),
        "unknown group": lambda f: f.update({BAD: {BAD: [CODE]}}),
        "unknown code": lambda f: f["rus"].update(behov=BAD),
        "wrong kind": lambda f: f["rus"].update(behov=[BAD]),
        "group for a value": lambda f: f["rus"].update(behov={BAD: CODE}),
        "value for a group": lambda f: f.update(rus=BAD),
        "wrong date": lambda f: f["loslatelse"].update(planlagt_dato=BAD),
        "wrong time": lambda f: f["melding"].update(sendt=BAD),
        "check digit": lambda f: f["person"].update(id=NUMBER),
        "id with blanks": lambda f: f["melding"].update(id=f"{BAD} {BAD}"),
        "id too long": lambda f: f["melding"].update(id=BAD * 20),
        "text too long": lambda f: f["rus"].update(merknad=BAD * 2000),
        "lines in a line": lambda f: f["henviser"].update(enhet=f"{BAD}\n{BAD}"),
        "unknown recipient": lambda f: f["melding"].update(mottaker="310000299"),
        "recipient nonsense": lambda f: f["melding"].update(mottaker=BAD),
        "answers nothing": lambda f: f["melding"].update(svar_pa=BAD),
        "unknown type": lambda f: f.update(type=BAD),
        "screening without sum": lambda f: f["rus"].update(audit={"instrument": BAD, "versjon": BAD}),
    }
    for name, spoil in faults.items():
        spoilt = json.loads(text)
        spoil(spoilt)
        yield f"JSON, {name}", "prison_health", JSON, m.as_json(spoilt)
    raw = {
        "not well formed": text.replace('"rus": {', f'"rus": {{ {BAD} ').encode(),
        "cut off": text[: text.index('"rus"') + 60].encode(),
        "key twice": text.replace('"rus": {', f'"{BAD}": 1, "{BAD}": 2, "rus": {{').encode(),
        "not a number": text.replace('"stort"', "NaN").encode(),
        "half a character": text.replace('"stort"', f'"{BAD}\\ud800"').encode(),
        "bytes that are not text": text.encode().replace(b"stort", BAD.encode() + b"\xff"),
        "too deep": b'{"' + BAD.encode() + b'":' + b"[" * 5000 + b"]" * 5000 + b"}",
        "byte order mark": b"\xef\xbb\xbf" + text.encode(),
        "UTF-16": text.encode("utf-16"),
        "not an object": f'["{BAD}"]'.encode(),
        "after the end": text.encode() + BAD.encode(),
        "empty": b"",
        "huge": b'{"type": "' + BAD.encode() * 900_000 + b'"}',
    }
    for name, body in raw.items():
        yield f"JSON, {name}", "prison_health", JSON, body
    yield "JSON, not theirs", "school", JSON, text.encode()
    yield "packed", "prison_health", "application/gzip", BAD.encode()
    answer = m.nav_answer(BAD)
    answer["melding"]["id"] = f"svar-{BAD}"
    yield "an answer to nothing", "nav", JSON, m.as_json(answer)


def _fhir(parts: Parts) -> Iterator[Post]:
    fields = m.epikrise()
    fields["melding"]["id"] = f"fhir-{BAD}"
    good = m.as_fhir(parts, fields).decode()
    faults: dict[str, Callable[[dict[str, Any]], object]] = {
        "unknown resource": lambda b: b["entry"][2]["resource"].update(resourceType=BAD),
        "unknown element": lambda b: b["entry"][2]["resource"].update({BAD: CODE}),
        "unknown extension": lambda b: b["entry"][2]["resource"].update(
            extension=[{"url": f"urn:{BAD}", "valueString": CODE}]
        ),
        "modifier": lambda b: b["entry"][2]["resource"].update(
            modifierExtension=[{"url": f"urn:{BAD}", "valueString": CODE}]
        ),
        "contained": lambda b: b["entry"][2]["resource"].update(
            contained=[{"resourceType": "Basic", "id": BAD}]
        ),
        "label": lambda b: b.update(meta={"security": [{"system": f"urn:{BAD}", "code": CODE}]}),
        "dangling reference": lambda b: b["entry"][0]["resource"].update(
            subject={"reference": f"Patient/{BAD}"}
        ),
        "wrong date": lambda b: b["entry"][0]["resource"].update(date=BAD),
        "wrong time": lambda b: b.update(timestamp=BAD),
        "wrong status": lambda b: b["entry"][0]["resource"].update(status=BAD),
        "wrong kind": lambda b: b["entry"][0]["resource"].update(section=BAD),
        "wrong code of document": lambda b: b["entry"][0]["resource"]["type"].update(
            coding=[{"system": f"urn:{BAD}", "code": CODE}]
        ),
        "a script in a narrative": lambda b: b["entry"][0]["resource"]["section"][-1]["text"].update(
            div=f'<div xmlns="http://www.w3.org/1999/xhtml"><script>{BAD}</script></div>'
        ),
        "narrative not well formed": lambda b: b["entry"][0]["resource"]["section"][-1]["text"].update(
            div=f"<div>{BAD}"
        ),
        "other kind of bundle": lambda b: b.update(type=BAD),
        "unreached": lambda b: b["entry"].append(
            {"fullUrl": f"urn:{BAD}", "resource": {"resourceType": "Condition", "code": {"text": CODE}}}
        ),
    }
    for name, spoil in faults.items():
        spoilt = json.loads(good)
        spoil(spoilt)
        yield f"FHIR, {name}", "prison_health", FHIR, m.as_json(spoilt)
    yield "FHIR, check digit", "prison_health", FHIR, good.replace(CANARIES["person.id"], NUMBER).encode()
    yield "FHIR, other resource", "prison_health", FHIR, m.as_json({"resourceType": BAD, "id": CODE})


def _consents() -> Iterator[Post]:
    faults: dict[str, Callable[[dict[str, Any]], object]] = {
        "unknown category": lambda f: f.update(kategorier=[BAD]),
        "unknown purpose": lambda f: f.update(formal=[BAD]),
        "unknown recipient": lambda f: f.update(mottakere=["kanari_ukjent"]),
        "unsigned": lambda f: f["samtykke"].update(signert=False, tekstversjon=BAD),
        "programme": lambda f: f["samtykke"].update(slag="program", tekstversjon=BAD),
        "series with blanks": lambda f: f["samtykke"].update(serie=f"{BAD} {CODE}"),
    }
    for name, spoil in faults.items():
        said = m.to_tsb(message_id=f"samtykke-{BAD}")
        spoil(said)
        yield f"consent, {name}", "prison_health", JSON, m.as_json(said)
    by_prison = m.to_tsb(message_id=f"samtykke-{BAD}")
    yield "consent, control role", "prison", JSON, m.as_json(by_prison)
    yield "withdrawal of nothing", "prison_health", JSON, m.as_json(m.withdrawn(BAD, f"trukket-{BAD}"))
    fhir = {"resourceType": "Consent", "status": BAD, "scope": {"text": CODE}, "provision": {"type": BAD}}
    yield "FHIR consent", "prison_health", FHIR, m.as_json(fhir)


def calls() -> Iterator[tuple[str, str, str, Mapping[str, str]]]:
    """Who asks, method, address, headers: with a marker wherever an answer could repeat it."""
    yield "prison", "GET", f"/v1/messages/{BAD}", {}
    yield "prison", "GET", f"/v1/messages/{BAD}%20{CODE}", {}
    yield "nav", "GET", f"/v1/inbox/{BAD}", {}
    yield "nav", "POST", f"/v1/inbox/{BAD}/acknowledgement", {}
    yield "nav", "GET", f"/v1/inbox?after={BAD}", {}
    yield "nav", "GET", f"/v1/inbox?after={BAD}%20{CODE}", {}
    yield "nav", "GET", f"/v1/inbox?limit={BAD}", {}
    yield "nav", "DELETE", f"/v1/inbox/{BAD}", {}
    yield "nav", "GET", f"/{BAD}", {}
    yield "", "GET", "/v1/inbox", {"Authorization": f"Bearer {BAD}"}
    yield "", "GET", "/v1/inbox", {"Authorization": f"{BAD} {CODE}"}
    yield "", "GET", f"/v1/inbox?{BAD}", {"Origin": f"http://{BAD}", "Referer": f"http://{BAD}/", BAD: CODE}
    yield "", "OPTIONS", "/v1/messages", {"Origin": f"http://{BAD}", "Access-Control-Request-Method": "POST"}
