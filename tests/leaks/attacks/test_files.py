"""Files: attacks 6 to 8. A file's name is text like any other; a file is read whole or does not go."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
import zlib
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
    texts,
)
from tests.leaks.lab import Lab
from tests.leaks.messages import FHIR, JSON, XML

MARK = "kanarifil"
NAMES = (
    f"LAR-sjekkliste_{MARK}.pdf",
    f"rusanamnese {MARK}.docx",
    f"AUDIT_og_DUDIT_{MARK}.xlsx",
    f"urinprøve-amfetamin-{MARK}.jpg",
    f"søknad_TSB_{MARK}.pdf",
    f"C:\\skjema\\Subutex\\{MARK}.rtf",
)


def test_no_file_name_and_no_title_tells_anybody_outside_health_care(lab: Lab) -> None:
    """Attack 6: in every field, heading and title, and in the headers around the message."""
    agree(lab, "nav", "housing", "school", "health")
    for name in NAMES:
        fields = bare_brik()
        for spec in texts(lab.parts, "brik.kartlegging"):
            if (spec.most or 4000) >= len(name):
                put(fields, spec.path, name)
        accepted(post_brik(lab, fields))
        for where in (
            {"tittel": name, "tekst": "Se vedlegg."},
            {"tittel": "Vedlegg", "tekst": f"Se {name}."},
        ):
            accepted(post_summary(lab, summary(sections=[where])))
        accepted(post_summary(lab, summary(diagnoses=[{"system": m.ICD, "kode": "M54.5", "tekst": name}])))
        headers = {"Content-Type": f'application/xml; name="{MARK}.pdf"', "Content-Disposition": f'attachment; filename="{MARK}"', "Slug": MARK}  # one row per case # fmt: skip
        lab.call("prison", "POST", "/v1/messages", content=m.as_xml(lab.parts, bare_brik()), headers=headers)
        for title in _titled(name):
            lab.post("prison_health", FHIR, title)
    lab.settle()
    assert len(got(lab, "gp")) >= 3 * len(NAMES)
    assert places(lab, MARK, but=("payload/prison_health",)) == set()


def _titled(name: str) -> Iterator[bytes]:
    """A FHIR consent and a summary with the name where a standard has a place for one."""
    attachment = {"contentType": "application/pdf", "title": name, "url": f"http://127.0.0.1:9/{name}"}
    consent = {"resourceType": "Consent", "status": "active", "sourceAttachment": attachment}
    yield json.dumps(consent).encode()
    reference = {"resourceType": "DocumentReference", "status": "current", "description": name, "content": [{"attachment": attachment}]}  # one row per case # fmt: skip
    entry = {"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001", "resource": reference}
    yield json.dumps({"resourceType": "Bundle", "type": "document", "entry": [entry]}).encode()


SENTENCE = f"Pasienten får Suboxone hver dag {MARK}"


def _zip(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return made.getvalue()


def _pdf(content: bytes, info: bytes = b"") -> bytes:
    stream = zlib.compress(content)
    return b"%%PDF-1.7\n1 0 obj<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream endobj\ntrailer<</Info<</Title(%s)>>>>\n%%%%EOF" % (len(stream), stream, info)  # one row per case # fmt: skip


def _files() -> dict[str, tuple[str, bytes]]:
    said = SENTENCE.encode()
    return {
        "PDF, text": ("application/pdf", _pdf(b"BT (" + said + b") Tj ET")),
        "PDF, title": ("application/pdf", _pdf(b"", said)),
        "PDF, under a black box": ("application/pdf", _pdf(b"BT (" + said + b") Tj ET 0 0 0 rg 0 0 600 800 re f")),
        "PDF, in a hidden layer": ("application/pdf", _pdf(b"/OC /MC0 BDC BT (" + said + b") Tj ET EMC")),
        "PNG, comment": ("image/png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\x20tEXt" + said),
        "JPEG, comment": ("image/jpeg", b"\xff\xd8\xff\xfe\x00\x40" + said + b"\xff\xd9"),
        "TIFF, scanned": ("image/tiff", b"II*\x00" + bytes(range(256)) * 4),
        "DOCX": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", _zip(**{"word/document.xml": said})),
        "ODT": ("application/vnd.oasis.opendocument.text", _zip(**{"content.xml": said})),
        "RTF": ("application/rtf", rb"{\rtf1 " + said + b"}"),
        "RTF, escaped": ("text/rtf", rb"{\rtf1 " + b"".join(b"\\'%02x" % byte for byte in said) + b"}"),
        "ZIP": ("application/zip", _zip(a=said)),
        "ZIP in a ZIP": ("application/zip", _zip(a=_zip(b=said))),
        "DICOM": ("application/dicom", b"\x00" * 128 + b"DICM" + said),
        "CDA": ("application/hl7-v3+xml", b'<ClinicalDocument xmlns="urn:hl7-org:v3"><text>' + said + b"</text></ClinicalDocument>"),
        "signed container": ("application/vnd.etsi.asic-e+zip", _zip(mimetype=b"application/vnd.etsi.asic-e+zip", a=said)),
        "HTML": ("text/html", b"<html><!--" + said + b"--></html>"),
        "text": ("text/plain", said),
        "e-mail": ("message/rfc822", b"Subject: " + said + b"\r\n\r\n" + said),
        "unknown": ("application/octet-stream", said),
    }  # one row per case # fmt: skip


def _reference(kind: str, content: bytes) -> dict[str, Any]:
    data = {"contentType": kind, "data": base64.b64encode(content).decode()}
    return {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": data}]}


def _carried(lab: Lab, kind: str, content: bytes) -> Iterator[tuple[str, str, bytes]]:
    """A file by every way that we know of into a message of ours."""
    packed = base64.b64encode(content).decode()
    uri = f"data:{kind};base64,{packed}"
    yield "prison_health", kind, content
    bundle = json.loads(m.as_fhir(lab.parts, summary()))
    url = "urn:uuid:00000000-0000-4000-8000-000000000002"
    for resource in (
        _reference(kind, content),
        {"resourceType": "Binary", "contentType": kind, "data": packed},
    ):
        yield (
            "prison_health",
            FHIR,
            m.as_json({**bundle, "entry": [*bundle["entry"], {"fullUrl": url, "resource": resource}]}),
        )
    composition = bundle["entry"][0]["resource"]
    for more in ({"contained": [_reference(kind, content)]}, {"extension": [{"url": "urn:x", "valueAttachment": {"data": packed}}]}):  # one row per case # fmt: skip
        first = {**bundle["entry"][0], "resource": {**composition, **more}}
        yield "prison_health", FHIR, m.as_json({**bundle, "entry": [first, *bundle["entry"][1:]]})
    written = (packed, uri, f"Se vedlegg: {packed}", f'<img src="{uri}"/>', content.hex())
    sections = [{"tittel": f"Vedlegg {n}", "tekst": text} for n, text in enumerate(written)]
    yield "prison_health", FHIR, m.as_fhir(lab.parts, summary(sections=sections))
    fields = bare_brik()
    for area, text in zip(("bolig", "utdanning", "arbeid", "okonomi", "familie"), written, strict=True):
        put(fields, f"{area}.merknad", text[:3900])
        put(fields, f"{area}.tiltak", text[:190])
    yield "prison", XML, m.as_xml(lab.parts, fields)
    yield (
        "prison",
        JSON,
        m.as_json({"type": "brik.kartlegging", **bare_brik(), "vedlegg": [{"navn": "x", "innhold": packed}]}),
    )


def test_no_file_of_any_kind_passes_unread(lab: Lab) -> None:
    """Attack 7: by itself, in a FHIR resource, in a field, in a narrative; to the GP without a consent that
    names substance use, and to everybody outside health care with every consent there is."""
    agree(lab, "nav", "housing", "school")
    outcomes = set()
    for name, (kind, content) in _files().items():
        for key, media_type, body in _carried(lab, kind, content):
            call = lab.post(key, media_type, body)
            assert call.status == 202 or 400 <= call.status < 500, name
            outcomes.add(call.status)
    lab.settle()
    assert 202 in outcomes, "else nothing was attacked"
    assert places(lab, MARK) == set()
    payloads = b"".join(body for key in (*NOT_HEALTH, "gp") for body in got(lab, key))
    for _, content in _files().values():
        assert base64.b64encode(content)[:40] not in payloads
        assert content.hex()[:40].encode() not in payloads


_PACKED: tuple[Callable[[bytes], bytes], ...] = (
    lambda data: base64.b64encode(gzip.compress(data)),
    lambda data: base64.b64encode(zlib.compress(data)),
    lambda data: base64.b64encode(data),
    lambda data: base64.urlsafe_b64encode(data),
    lambda data: base64.b64encode(_zip(a=data)),
    lambda data: base64.b32encode(data),
    lambda data: base64.b85encode(data),
    lambda data: data.hex().encode(),
    lambda data: base64.encodebytes(data),
)


@pytest.mark.parametrize("depth", range(1, 7))
def test_no_depth_of_packing_brings_it_through(lab: Lab, depth: int) -> None:
    """Attack 8: packed once to six times, alone and among words; nobody gets it, packed or not."""
    agree(lab, "nav", "housing")
    for pack in _PACKED:
        data = SENTENCE.encode()
        for _ in range(depth):
            data = pack(data)
        text = data.decode()[:19_000]
        for said in (text, f"Pasienten har det bra. Notat: {text} Ny time er avtalt med legen."):
            call = post_summary(lab, summary(sections=[{"tittel": "Notat", "tekst": said[:19_900]}]))
            assert call.status in (202, 400, 413, 422)
        fields = bare_brik()
        put(fields, "bolig.merknad", text[:3900])
        body = m.as_xml(lab.parts, fields).decode()
        assert lab.post("prison", XML, body.encode()).status in (202, 422)
    lab.settle()
    assert places(lab, MARK) == set()
    assert {tuple(s["tittel"] for s in fields["seksjoner"]) for fields in read_by(lab, "gp")} == {("Forløp",)}
    assert all("merknad" not in fields for fields in read_by(lab, "housing"))
    assert some_id()
