"""Signed by the sender: attack 50. A signature covers the whole, so a part of a signed message cannot go. The
hub takes no signed document, and never passes a signature on beside what it changed.
"""

from __future__ import annotations

import base64
import json

from tests.leaks import messages as m
from tests.leaks.attacking import accepted, agree, bare_brik, got, places, post_summary, some_id, summary
from tests.leaks.lab import Lab
from tests.leaks.messages import FHIR, JSON, XML

MARK = "kanarisignatur"
_DSIG = (
    '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/><ds:SignatureValue>'
    f"{MARK}</ds:SignatureValue></ds:Signature>"
)


def test_a_signed_document_is_refused_whole(lab: Lab) -> None:
    """Attack 50: in the document, around it and under it."""
    agree(lab, "nav", "housing", "gp")
    xml = m.as_xml(lab.parts, bare_brik()).decode()
    bundle = json.loads(m.as_fhir(lab.parts, summary()))
    signature = {
        "type": [{"code": "1.2.840.10065.1.12.1.1"}],
        "when": m.SENT,
        "who": {"display": MARK},
        "data": "eA==",
    }
    provenance = {"resourceType": "Provenance", "signature": [signature]}
    jws = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"ES256"}', m.as_json(m.referral("henvisning-2")), MARK.encode()))  # one row per case # fmt: skip
    bodies = {
        "enveloped": ("prison", XML, xml.replace("</Kartlegging>", f"{_DSIG}</Kartlegging>").encode()),
        "first in it": ("prison", XML, xml.replace("<Melding>", f"{_DSIG}<Melding>", 1).encode()),
        "enveloping": ("prison", XML, _DSIG.replace("<ds:SignedInfo/>", xml[xml.index("<Kart") :]).encode()),
        "FHIR bundle": ("prison_health", FHIR, m.as_json({**bundle, "signature": signature})),
        "FHIR provenance": ("prison_health", FHIR, m.as_json({**bundle, "entry": [*bundle["entry"], {"fullUrl": "urn:uuid:0", "resource": provenance}]})),
        "JWS": ("prison_health", JSON, jws.encode()),
        "JOSE": ("prison_health", "application/jose", jws.encode()),
        "CMS": ("prison_health", "application/pkcs7-mime", b"0\x80\x06\t*\x86H\x86\xf7\r\x01\x07\x02"),
        "S/MIME": ("prison_health", "multipart/signed", b"--x\r\n"),
        "JSON signature": ("prison_health", JSON, m.as_json({**m.referral("henvisning-2"), "signatur": MARK})),
    }  # one row per case # fmt: skip
    for name, (key, media_type, body) in bodies.items():
        call = lab.post(key, media_type, body)
        assert 400 <= call.status < 500, name
    lab.settle()
    assert lab.recipients.sent == []
    assert places(lab, MARK) == set()


def test_a_signature_beside_the_document_stays_behind(lab: Lab) -> None:
    """Attack 50: in a header it covers nothing that leaves, so it does not leave either."""
    agree(lab, "gp")
    body = m.as_fhir(lab.parts, summary(diagnoses=[{"system": m.ICD, "kode": "M54.5"}]))
    headers = dict.fromkeys(
        ("X-JWS-Signature", "Signature", "Digest", "Content-MD5", "webhook-signature"), MARK
    )
    accepted(
        lab.call(
            "prison_health", "POST", "/v1/messages", content=body, headers={"Content-Type": FHIR, **headers}
        )
    )
    lab.settle()
    assert len(got(lab, "gp")) == 1
    assert places(lab, MARK) == set()


def test_what_is_reduced_is_a_new_document_with_a_new_id(lab: Lab) -> None:
    """Attack 50: nobody can take the reduced copy for the sender's own document."""
    fields = summary(diagnoses=[{"system": m.ICD, "kode": "F11.2"}])
    accepted(post_summary(lab, fields))
    lab.settle()
    [body] = got(lab, "gp")
    assert fields["melding"]["id"].encode() not in body
    assert b"ignature" not in body
    assert some_id().encode() not in body
