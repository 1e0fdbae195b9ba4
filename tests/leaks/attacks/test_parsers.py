"""Reading from strangers: attacks 47 to 49. Nothing is fetched, nothing large passes unchecked, and what is
sent was written by us from what we read.
"""

from __future__ import annotations

import base64
import gzip
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey

from tests.hub.fakes import claims, sign
from tests.leaks import messages as m
from tests.leaks.attacking import (
    accepted,
    agree,
    bare_brik,
    got,
    post_brik,
    post_summary,
    put,
    read_by,
    some_id,
    summary,
)
from tests.leaks.lab import Lab
from tests.leaks.messages import FHIR, JSON, XML


class CanaryHost:
    """Counts whoever comes, and what they say first."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.heard: list[bytes] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            with caller:
                caller.settimeout(1)
                self.heard.append(caller.recv(200))

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[CanaryHost]:
    """A host that nobody has a reason to call; names are not even looked up."""
    host = CanaryHost()
    real = socket.getaddrinfo

    def looked_up(name: Any, *rest: Any, **named: Any) -> Any:
        if name not in ("127.0.0.1", "localhost", None, "::1"):
            host.heard.append(f"name {name}".encode())
        return real(name, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    yield host
    host.close()


def test_the_canary_host_hears_who_calls(host: CanaryHost) -> None:
    with socket.create_connection(("127.0.0.1", host.port)) as caller:
        caller.sendall(b"GET /x")
    for _ in range(100):
        if host.heard:
            break
        time.sleep(0.01)
    assert host.heard == [b"GET /x"]


def _xml_that_calls(url: str) -> Iterator[Callable[[str], str]]:
    root = "<Kartlegging"
    for prolog in (
        f'<!DOCTYPE k SYSTEM "{url}/x.dtd">',
        f'<!DOCTYPE k PUBLIC "-//X//X" "{url}/x.dtd">',
        f'<!DOCTYPE k [<!ENTITY x SYSTEM "{url}/e">]>',
        f'<!DOCTYPE k [<!ENTITY % p SYSTEM "{url}/p"> %p;]>',
        f'<?xml-stylesheet type="text/xsl" href="{url}/s.xsl"?>',
        f'<?xml-model href="{url}/m.rnc"?>',
    ):
        yield lambda x, p=prolog: x.replace(root, f"{p}{root}", 1).replace(
            "Avdeling B", "Avdeling &x;" if "ENTITY x" in p else "Avdeling B"
        )  # type: ignore[misc]  # mypy infers no lambda with defaults
    for attribute in (
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:brobygger:brik:1 {url}/s.xsd"',
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="{url}/s.xsd"',
        f'xml:base="{url}/"',
    ):
        yield lambda x, a=attribute: x.replace(root, f"{root} {a}", 1)  # type: ignore[misc]  # mypy infers no lambda with defaults
    for element in (
        f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{url}/i.xml"/>',
        f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{url}/i.txt" parse="text"/>',
        f'<xsl:copy-of xmlns:xsl="http://www.w3.org/1999/XSL/Transform" select="document(\'{url}/d\')"/>',
        f'<Vedlegg href="{url}/v.pdf"/>',
    ):
        yield lambda x, e=element: x.replace("<Bolig>", f"<Bolig>{e}", 1)  # type: ignore[misc]  # mypy infers no lambda with defaults


def _fhir_that_calls(url: str) -> Iterator[Callable[[dict[str, Any]], object]]:
    div = 'xmlns="http://www.w3.org/1999/xhtml"'
    for inside in (f'<img src="{url}/i.png"/>', f'<a href="{url}">x</a>', f'<link href="{url}/c.css"/>', f'<p style="background:url({url}/b)">x</p>', f'<object data="{url}/o"/>'):  # one row per case # fmt: skip
        yield lambda b, i=inside: b["entry"][0]["resource"]["section"][-1]["text"].update(
            div=f"<div {div}>Stabil astma. {i}</div>"
        )  # type: ignore[misc]  # mypy infers no lambda with defaults
    for where in (0, 1, 2):
        for name, what in {
            "implicitRules": f"{url}/rules",
            "meta": {"profile": [f"{url}/StructureDefinition/x"]},
            "extension": [{"url": f"{url}/ext", "valueAttachment": {"contentType": "application/pdf", "url": f"{url}/a.pdf"}}],
            "contained": [{"resourceType": "Binary", "id": "b", "contentType": "application/pdf", "securityContext": {"reference": f"{url}/B"}}],
            "photo": [{"url": f"{url}/photo.png"}],
        }.items():  # one row per case # fmt: skip
            yield lambda b, w=where, n=name, v=what: b["entry"][w]["resource"].update({n: v})  # type: ignore[misc]  # mypy infers no lambda with defaults
    yield lambda b: b["entry"][0]["resource"].update(subject={"reference": f"{url}/Patient/1"})
    yield lambda b: b.update(link=[{"relation": "next", "url": f"{url}/next"}])
    yield lambda b: b["entry"].append(
        {"fullUrl": f"{url}/Condition/1", "request": {"method": "GET", "url": f"{url}/Condition/1"}}
    )
    yield lambda b: b["entry"].append({"resource": {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": {"url": f"{url}/doc"}}]}})  # one row per case # fmt: skip
    yield lambda b: b["entry"][0]["resource"]["type"]["coding"][0].update(system=f"{url}/CodeSystem/x")


def _headers_that_call(url: str) -> Iterator[dict[str, Any]]:
    key = ECKey.generate_key("P-256").as_dict(private=False)
    yield from (
        {"jku": f"{url}/jwks"},
        {"x5u": f"{url}/cert"},
        {"jwk": key},
        {"jku": f"{url}/jwks", "kid": f"{url}/k"},
        {"kid": f"{url}/k"},
        {"kid": "../../dev/null"},
        {"x5c": ["AAAA"]},
    )


def test_no_document_and_no_token_makes_the_hub_call_anybody(lab: Lab, host: CanaryHost) -> None:
    """Attack 47."""
    agree(lab, "nav", "gp", "housing")
    tried = 0
    for spoil in _xml_that_calls(host.url):
        lab.post("prison", XML, spoil(m.as_xml(lab.parts, bare_brik()).decode()).encode())
        tried += 1
    for change in _fhir_that_calls(host.url):
        bundle = json.loads(m.as_fhir(lab.parts, summary()))
        change(bundle)
        lab.post("prison_health", FHIR, m.as_json(bundle))
        tried += 1
    consent = m.to_tsb(message_id=some_id())
    for name in ("url", "kilde", "attachment"):
        lab.post("prison_health", JSON, m.as_json({**consent, name: f"{host.url}/form.pdf"}))
    forger = ECKey.generate_key("P-256", {"kid": "lab"})
    agency = lab.parts.directory["310000035"].agency
    for header in _headers_that_call(host.url):
        token = sign(forger, claims(agency), **header)
        call = lab.call("", "GET", "/v1/inbox", headers={"Authorization": f"Bearer {token}"})
        assert call.status == 401
        tried += 1
    token = sign(
        forger, claims(agency, iss=f"{host.url}/", consumer={"authority": host.url, "ID": "0192:310000035"})
    )
    assert lab.call("", "GET", "/v1/inbox", headers={"Authorization": f"Bearer {token}"}).status == 401
    lab.settle()
    assert tried > 40
    assert host.heard == []


_PATIENCE = 10.0  # seconds of one CPU for the worst of them; what is not linear takes minutes


def _bombs() -> Iterator[tuple[str, str, str, bytes]]:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    yield "prison", XML, "billion laughs", f'<!DOCTYPE k [<!ENTITY l0 "ha">{entities}]><k>&l9;</k>'.encode()
    yield (
        "prison",
        XML,
        "quadratic blow-up",
        f'<!DOCTYPE k [<!ENTITY a "{"a" * 50_000}">]><k>{"&a;" * 10_000}</k>'.encode(),
    )
    yield "prison", XML, "deep elements", b"<a>" * 100_000 + b"</a>" * 100_000
    yield "prison", XML, "many attributes", b"<k " + b" ".join(b'a%d="x"' % n for n in range(60_000)) + b"/>"
    yield (
        "prison",
        XML,
        "many namespaces",
        b"<k " + b" ".join(b'xmlns:a%d="urn:%d"' % (n, n) for n in range(30_000)) + b"/>",
    )
    yield "prison_health", JSON, "deep lists", b'{"a":' + b"[" * 200_000
    yield "prison_health", JSON, "deep objects", b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    yield "prison_health", JSON, "a long number", b'{"a":' + b"9" * 900_000 + b"}"
    yield "prison_health", JSON, "many keys", b"{" + b",".join(b'"k%d":1' % n for n in range(90_000)) + b"}"
    yield (
        "prison_health",
        JSON,
        "one key many times",
        b"{" + b",".join(b'"k":1' for _ in range(90_000)) + b"}",
    )
    yield "prison_health", JSON, "gzip", gzip.compress(b"0" * 50_000_000)
    yield "prison_health", JSON, "zlib", zlib.compress(b"0" * 50_000_000)
    yield "prison_health", FHIR, "deep narrative", b'{"resourceType":"Bundle","type":"document","entry":[{"resource":{"resourceType":"Composition","text":{"div":"' + b"<div>" * 100_000 + b'"}}}]}'  # one row per case # fmt: skip


def test_no_bomb_gets_past_or_holds_up_the_door(lab: Lab) -> None:
    """Attack 48: each is refused, soon, and none of it is stored."""
    for key, media_type, name, body in _bombs():
        began = time.process_time()
        call = lab.post(key, media_type, body)
        assert 400 <= call.status < 500, name
        assert time.process_time() - began < _PATIENCE, name
    compressed = lab.call("prison_health", "POST", "/v1/messages", content=gzip.compress(b"{}"), headers={"Content-Type": JSON, "Content-Encoding": "gzip"})  # one row per case # fmt: skip
    assert compressed.status == 400
    lab.settle()
    assert lab.recipients.sent == []


def _hard_texts() -> Iterator[tuple[str, str]]:
    long = 19_000
    yield "letters apart", "r " * (long // 2)
    yield "letters apart with dots", "a.-_ " * (long // 5)
    yield "almost a word", "rusmisbru" * (long // 9)
    yield "almost spaced", ("r u s m i s b r u " * (long // 18)) + "!"
    yield "entities", "&amp;" * (long // 5)
    yield "nested entities", "&" + "amp;" * (long // 4)
    yield "percent", "%25" * (long // 3)
    yield "open tags", "<" * long
    yield "tags", "<b>" * (long // 3)
    yield "line ends", "a-\n" * (long // 3)
    yield "combining", "a" + "\u0336" * (long - 1)
    yield "one word", "a" * long
    yield "hits", "heroin " * (long // 7)
    yield "base64", base64.b64encode(b"x" * (long * 3 // 4)).decode()
    yield "ligatures that grow", "\ufdfa" * (long // 20)


def test_no_text_is_too_hard_to_read_and_passes_unread(lab: Lab) -> None:
    """Attack 48: the time is bounded, and what could not be understood does not reach the GP."""
    for name, text in _hard_texts():
        secret = f"{text} Pasienten får Suboxone."
        began = time.process_time()
        call = post_summary(lab, summary(sections=[{"tittel": "Vurdering", "tekst": secret}]))
        assert call.status == 202 or 400 <= call.status < 500, name
        assert time.process_time() - began < _PATIENCE, name
    lab.settle()
    assert {tuple(s["tittel"] for s in fields["seksjoner"]) for fields in read_by(lab, "gp")} == {("Forløp",)}


def test_much_text_in_one_message_is_refused_and_not_read_in_part(lab: Lab) -> None:
    """Attack 48: at the end of a long message stands what matters."""
    sections = [
        {"tittel": f"Del {n}", "tekst": "Pasienten har det bra og har time. " * 550} for n in range(40)
    ]
    sections.append({"tittel": "Rus", "tekst": "Pasienten får Suboxone."})
    call = post_summary(lab, summary(sections=sections))
    assert call.status == 413
    lab.settle()
    assert got(lab, "gp") == []


def _two_meanings(lab: Lab) -> Iterator[tuple[str, str, str, bytes]]:
    """Bodies in which two readers could see two different things."""
    referral = m.referral("henvisning-2")
    referral["melding"]["id"] = some_id()
    text = m.as_json(referral).decode()
    for name, body in {
        "key twice": text.replace('"behov": "stort"', '"behov": "noe", "behov": "stort"').encode(),
        "key twice, spelt otherwise": text.replace('"behov": "stort"', '"beh\\u006fv": "noe", "behov": "stort"').encode(),
        "group twice": (text[:-1] + ', "rus": {"behov": "noe"}}').encode(),
        "another case": (text[:-1] + ', "Rus": {"behov": "noe"}}').encode(),
        "byte order mark": b"\xef\xbb\xbf" + text.encode(),
        "UTF-16": text.encode("utf-16"),
        "UTF-32": text.encode("utf-32"),
        "UTF-7": text.replace("{", "+AHs-", 1).encode(),
        "latin-1": text.replace("stort", "størt").encode("latin-1"),
        "overlong": text.encode().replace(b"stort", b"st\xc0\xafrt"),
        "two documents": (text + text).encode(),
        "a document and a word": (text + "x").encode(),
        "a comment": (text[:-1] + "/* x */}").encode(),
        "single quotes": text.replace('"', "'").encode(),
        "a NUL": text.encode().replace(b"stort", b"sto\x00rt"),
        "half a surrogate": text.replace('"stort"', '"\\ud800"').encode(),
        "prototype": (text[:-1] + ', "__proto__": {"rus": 1}}').encode(),
        "number as text": text.replace('"stort"', "1e400").encode(),
        "multipart": b"--b\r\nContent-Type: application/json\r\n\r\n" + text.encode() + b"\r\n--b--",
    }.items():  # one row per case # fmt: skip
        yield name, "prison_health", JSON, body
    xml = m.as_xml(lab.parts, bare_brik()).decode()
    for name, body in {
        "two roots": (xml + xml[xml.index("<Kartlegging") :]).encode(),
        "element twice": xml.replace("</Bolig>", "</Bolig><Bolig><Behov>noe</Behov></Bolig>").encode(),
        "UTF-16 said": xml.replace("UTF-8", "UTF-16").encode(),
        "UTF-16": xml.replace("UTF-8", "UTF-16").encode("utf-16"),
        "UTF-7 said": xml.replace("UTF-8", "UTF-7").encode(),
        "no namespace": xml.replace(' xmlns="urn:brobygger:brik:1"', "").encode(),
    }.items():
        yield name, "prison", XML, body
    yield from _letters_of_two_encodings(lab)
    bundle = json.loads(m.as_fhir(lab.parts, summary()))
    twice = {**bundle, "entry": [*bundle["entry"], bundle["entry"][0]]}
    yield "fullUrl twice", "prison_health", FHIR, m.as_json(twice)
    two = {
        **bundle,
        "entry": [
            *bundle["entry"],
            {**bundle["entry"][1], "fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000000"},
        ],
    }
    yield "two patients", "prison_health", FHIR, m.as_json(two)


def _letters_of_two_encodings(lab: Lab) -> Iterator[tuple[str, str, str, bytes]]:
    """Bytes that are one text to who believes the document, and another to who believes the bytes, the mark
    before them or the header."""
    fields = bare_brik()
    put(fields, "kommuner.bydel", "Nordøya «øst» – her")
    said = {
        name: m.as_xml(lab.parts, fields).decode().replace("UTF-8", name, 1)
        for name in ("UTF-8", "us-ascii", "ISO-8859-1", "windows-1252", "ISO-8859-5", "UTF-7", "IBM037")
    }
    without_dash = said["ISO-8859-1"].replace("–", "-")
    bodies = {f"{name} that is UTF-8": text.encode() for name, text in said.items() if name != "UTF-8"}
    bodies |= {
        "UTF-8 that is windows-1252": said["UTF-8"].encode("cp1252"),
        "ISO-8859-1 that is windows-1252": said["ISO-8859-1"].encode("cp1252"),
        "ISO-8859-1 with control characters": without_dash.replace("øya", "øy\x85a").encode("latin-1"),
        "ISO-8859-1 behind a mark": b"\xef\xbb\xbf" + without_dash.encode("latin-1"),
        "ISO-8859-1 said by an instruction": without_dash.replace("<?xml version='1.0'", "<?xml-model").encode("latin-1"),
        "ISO-8859-1 inside a version": without_dash.replace("'1.0' encoding='ISO-8859-1'", "\"1.0' encoding='ISO-8859-1\"").encode("latin-1"),
    }  # one row per case # fmt: skip
    for name, body in bodies.items():
        yield name, "prison", XML, body
    latin, utf_8 = without_dash.encode("latin-1"), said["UTF-8"].encode()
    yield "another charset than the document", "prison", f"{XML}; charset=utf-8", latin
    yield "another document than the charset", "prison", f"{XML}; charset=iso-8859-1", utf_8
    yield "a charset that nobody reads", "prison", f"{XML}; charset=iso-8859-5", utf_8


def test_a_body_with_two_meanings_has_none(lab: Lab) -> None:
    """Attack 49."""
    agree(lab, "nav", "tsb", "gp", "housing")
    refused = 0
    for name, key, media_type, body in _two_meanings(lab):
        call = lab.post(key, media_type, body)
        assert 400 <= call.status < 500, name
        refused += 1
    lab.settle()
    assert refused > 25
    assert lab.recipients.sent == []


@pytest.mark.parametrize("how", ["XML", "XML in ISO-8859-1", "XML in windows-1252", "FHIR"])
def test_what_is_sent_is_written_by_us_and_never_the_bytes_that_came(lab: Lab, how: str) -> None:
    """Attack 49: the same content written strangely arrives as we write it: what the recipient's program
    reads is what was decided on, byte for byte."""
    agree(lab, "housing", "gp")
    if how != "FHIR":
        fields, (_, _, encoding) = bare_brik(), how.partition(" in ")
        put(fields, "kommuner.bydel", "Nordøyen")
        text = m.as_xml(lab.parts, fields).decode()
        odd = text.replace("><", ">\n\t  <").replace("Nordøyen", "&#78;ord<![CDATA[øyen]]>")
        charset = f"; charset={encoding}" if encoding else ""
        there = odd.replace("UTF-8", encoding or "UTF-8", 1).encode(encoding or "UTF-8")
        accepted(lab.post("prison", XML + charset, there))
        key, adapter, media = "housing", "bolig.foresporsel", JSON
    else:
        odd = json.dumps(
            json.loads(m.as_fhir(lab.parts, summary())), indent=7, sort_keys=True, ensure_ascii=True
        )
        accepted(lab.post("prison_health", FHIR, odd.encode()))
        key, adapter, media = "gp", "epikrise", FHIR
    lab.settle()
    [body] = got(lab, key)
    assert body not in odd.encode()
    record = lab.parts.registry.recognise(media, body).parse(body)
    assert record.type == adapter
    assert lab.parts.registry.recognise(media, body).render(record) == body


def test_plain_mappings_still_arrive(lab: Lab) -> None:
    """Attacks 47 to 49: or all of them would hold because nothing is read at all."""
    agree(lab, "nav")
    accepted(post_brik(lab, bare_brik()))
    lab.settle()
    assert len(got(lab, "nav")) == 1
