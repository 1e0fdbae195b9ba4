"""Understands that a package over Fiks says what it says once, and that no hostile package gets further."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import stat
import struct
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters import json_places
from adapters.fiks import headers, package
from adapters.fiks import receipts as receipts_of
from adapters.fiks.package import MEDIA_TYPE, MOST_BYTES, MOST_FILES, read_package, write_package
from adapters.fiks_foresporsel.adapter import ADAPTER as FORESPORSEL
from adapters.fiks_kvittering.adapter import ADAPTER as KVITTERING
from adapters.fiks_kvittering.adapter import KINDS
from adapters.fiks_svar.adapter import ADAPTER as SVAR
from adapters.registry import adapters_for
from hub.errors import Finding, HubError
from hub.message import Record
from mappings.types import load_types
from tests.adapters import records

TYPES = load_types()
REGISTRY = adapters_for(TYPES)
MELDING = {"id": "svar-1", "sendt": "2030-02-04T09:30:00+01:00", "svar_pa": "fsp-1"}
ANSWER = {"melding": MELDING, "person": {"id": "15859010250"}, "status": "ansvar_bestridt"}


def answer(**more: Any) -> Record:
    return Record("bolig.svar", {**ANSWER, **more})


def refusal(body: bytes) -> tuple[str, list[tuple[str, str]]]:
    with pytest.raises(HubError) as refused:
        SVAR.parse(body)
    return refused.value.code, [(finding.at, finding.rule) for finding in refused.value.findings]


# ------------------------------------------------------------------------------------------ package


def manifest(files: dict[str, bytes], *more: tuple[str, bytes], **changed: str) -> bytes:
    """Written apart from the code under test."""
    rows = "".join(
        f'<a:DataObjectReference URI="{name}"><d:DigestMethod Algorithm="{changed.get("algorithm", "http://www.w3.org/2001/04/xmlenc#sha256")}"/>'
        f"<d:DigestValue>{base64.b64encode(hashlib.sha256(content).digest()).decode()}</d:DigestValue></a:DataObjectReference>"
        for name, content in (*files.items(), *more)
    )
    own = changed.get("space", "http://uri.etsi.org/02918/v1.2.1#")
    space = f'xmlns:a="{own}" xmlns:d="http://www.w3.org/2000/09/xmldsig#"'
    return f"<a:ASiCManifest {space}>{rows}</a:ASiCManifest>".encode()


def zipped(
    entries: Sequence[tuple[str | zipfile.ZipInfo, bytes]], *, first: bool = True, **more: Any
) -> bytes:
    """Any zip at all."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        if first:
            made.writestr("mimetype", more.get("mimetype", MEDIA_TYPE), more.get("how", zipfile.ZIP_STORED))
        for name, content in entries:
            made.writestr(name, content)
    return out.getvalue()


FILES = {"fiks.json": b"{}", "innhold.json": b"{}"}
GOOD = [("META-INF/asicmanifest.xml", manifest(FILES)), *FILES.items()]


def commented(comment: bytes) -> bytes:
    out = io.BytesIO(zipped(GOOD))
    with zipfile.ZipFile(out, "a") as made:
        made.comment = comment
    return out.getvalue()


def plain(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_STORED
    return info


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def named(name: str, content: bytes = b"x") -> bytes:
    """One more file, declared as it should be."""
    files = {**FILES, name: content}
    return zipped([("META-INF/asicmanifest.xml", manifest(files)), *files.items()])


def encrypted() -> bytes:
    body = bytearray(zipped(GOOD))
    at = body.rfind(b"PK\x01\x02")
    body[at + 8] |= 1
    return bytes(body)


def damaged() -> bytes:
    body = bytearray(zipped(GOOD))
    body[body.find(b"innhold.json") + len("innhold.json")] ^= 0xFF
    return bytes(body)


def lying_about_size() -> bytes:
    """Says that it unfolds to three bytes, and unfolds to far more."""
    bomb = b"0" * (MOST_BYTES + 1000)
    body = bytearray(named("stor.bin", bomb))
    real = struct.pack("<L", len(bomb))
    return bytes(body.replace(real, struct.pack("<L", 3)))


HOSTILE: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "noise": (lambda: b"PK\x03\x04" + b"\x00" * 40, "parse.malformed", "package"),
    "nothing": (lambda: b"", "parse.malformed", "package"),
    "half of it": (lambda: zipped(GOOD)[:-40], "parse.malformed", "package"),
    "a byte changed": (damaged, "parse.malformed", "package"),
    "no mimetype": (lambda: zipped(GOOD, first=False), "parse.malformed", "mimetype"),
    "another mimetype": (lambda: zipped(GOOD, mimetype="application/zip"), "parse.malformed", "mimetype"),
    "another mimetype, compressed": (
        lambda: zipped(GOOD, mimetype="application/zip", how=zipfile.ZIP_DEFLATED),
        "parse.malformed",
        "mimetype",
    ),
    "a manifest of another standard": (
        lambda: zipped([("META-INF/asicmanifest.xml", manifest(FILES, space="urn:x")), *FILES.items()]),
        "parse.invalid",
        "undeclared",
    ),
    "another file in META-INF": (
        lambda: zipped([*GOOD, ("META-INF/manifest.json", b"{}")]), "parse.invalid", "undeclared",
    ),
    "a list of media types elsewhere": (
        lambda: zipped([*GOOD, ("manifest.xml", b"<x/>")]), "parse.invalid", "undeclared",
    ),
    "two manifests": (
        lambda: zipped([*GOOD, ("META-INF/ASiCManifest.xml", manifest(FILES))]),
        "parse.forbidden-construct",
        "duplicate",
    ),
    "the comment of the standard, and more": (
        lambda: commented(f"mimetype={MEDIA_TYPE}x".encode()), "parse.forbidden-construct", "comment",
    ),
    "something behind the comment": (
        lambda: commented(f"mimetype={MEDIA_TYPE}".encode()) + b"x", "parse.forbidden-construct", "comment",
    ),
    "mimetype last": (
        lambda: zipped([*GOOD, ("mimetype", MEDIA_TYPE.encode())], first=False),
        "parse.malformed",
        "mimetype",
    ),
    "another file first": (
        lambda: zipped([(plain("a.json"), b"{}"), ("mimetype", MEDIA_TYPE.encode()), *GOOD], first=False),
        "parse.malformed",
        "mimetype",
    ),
    "a package behind a package": (lambda: zipped(GOOD) + zipped(GOOD), "parse.malformed", "mimetype"),
    "something behind": (lambda: zipped(GOOD) + b"x", "parse.forbidden-construct", "comment"),
    "something in front": (lambda: b"#!/bin/sh\n" + zipped(GOOD), "parse.malformed", "mimetype"),
    "no manifest": (lambda: zipped(list(FILES.items())), "parse.invalid", "manifest"),
    "a manifest with an entity": (
        lambda: zipped([("META-INF/asicmanifest.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'), *FILES.items()]),
        "parse.forbidden-construct",
        "doctype",
    ),
    "a file that is not declared": (lambda: zipped([*GOOD, ("mer.json", b"{}")]), "parse.invalid", "undeclared"),
    "a file that is declared and not there": (
        lambda: zipped([("META-INF/asicmanifest.xml", manifest({**FILES, "mer.json": b""})), *FILES.items()]),
        "parse.invalid",
        "reference",
    ),
    "a file that is declared twice": (
        lambda: zipped([("META-INF/asicmanifest.xml", manifest(FILES, ("fiks.json", b"{}"))), *FILES.items()]),
        "parse.invalid",
        "reference",
    ),
    "another checksum": (
        lambda: zipped([GOOD[0], ("fiks.json", b"{ }"), ("innhold.json", b"{}")]),
        "parse.invalid",
        "checksum",
    ),
    "a weak checksum": (
        lambda: zipped(
            [("META-INF/asicmanifest.xml", manifest(FILES, algorithm="http://www.w3.org/2000/09/xmldsig#sha1")), *FILES.items()]
        ),
        "parse.invalid",
        "algorithm",
    ),
    "a path upwards": (lambda: named("../innhold.json"), "parse.forbidden-construct", "name"),
    "a path upwards inside": (lambda: named("a/../../b.json"), "parse.forbidden-construct", "name"),
    "a path from the root": (lambda: named("/etc/passwd"), "parse.forbidden-construct", "name"),
    "a drive": (lambda: named("C:/x.json"), "parse.forbidden-construct", "name"),
    "backslashes": (lambda: named("..\\x.json"), "parse.forbidden-construct", "name"),
    "a dot": (lambda: named("./fiks.json"), "parse.forbidden-construct", "name"),
    "a folder": (lambda: named("mappe/", b""), "parse.forbidden-construct", "name"),
    "letters from elsewhere": (lambda: named("fıks.json"), "parse.forbidden-construct", "name"),
    "the same in other letters": (lambda: named("FIKS.json"), "parse.forbidden-construct", "duplicate"),
    "a link": (lambda: zipped([*GOOD, (link("lenke.json"), b"/etc/passwd")]), "parse.forbidden-construct", "kind"),
    "encrypted": (encrypted, "parse.forbidden-construct", "encrypted"),
    "too many files": (
        lambda: zipped([*GOOD, *[(f"f{n}.json", b"") for n in range(MOST_FILES)]]),
        "parse.forbidden-construct",
        "files",
    ),
    "a bomb": (lambda: named("stor.bin", b"0" * (MOST_BYTES + 1)), "parse.forbidden-construct", "size"),
    "a bomb in parts": (
        lambda: zipped([*GOOD, *[(f"f{n}.bin", b"0" * (MOST_BYTES // 3)) for n in range(4)]]),
        "parse.forbidden-construct",
        "size",
    ),
    "a bomb that lies about its size": (lying_about_size, "parse.malformed", "package"),
}  # one row per case # fmt: skip


@cache
def _made(name: str) -> bytes:
    return HOSTILE[name][0]()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_package_is_refused_by_name(name: str) -> None:
    _, code, rule = HOSTILE[name]

    with pytest.raises(HubError) as refused:
        read_package(_made(name))

    assert (refused.value.code, rule in {f.rule for f in refused.value.findings}) == (code, True)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_the_same_name_twice_is_refused() -> None:
    with pytest.raises(HubError) as refused:
        read_package(zipped([*GOOD, ("innhold.json", b'{"a":1}')]))

    assert [(f.at, f.rule) for f in refused.value.findings] == [("file 5", "duplicate")]


def test_a_comment_behind_the_files_is_refused() -> None:
    with pytest.raises(HubError) as refused:
        read_package(commented(b"KANARI"))

    assert refused.value.findings[0].rule == "comment"
    assert "KANARI" not in repr(refused.value.findings)


@pytest.mark.parametrize("name", ["META-INF/manifest.xml", "META-INF/signature-1.p7s"])
def test_what_the_manifest_names_has_its_checksum_though_it_is_passed_over(name: str) -> None:
    declared = manifest(FILES, (name, b"as declared"))
    whole = [("META-INF/asicmanifest.xml", declared), *FILES.items(), (name, b"as declared")]

    assert read_package(zipped(whole)) == FILES
    with pytest.raises(HubError) as refused:
        read_package(zipped([*whole[:-1], (name, b"another")]))
    assert [one.rule for one in refused.value.findings] == ["checksum"]


def test_a_signature_in_meta_inf_is_passed_over() -> None:
    assert read_package(zipped([*GOOD, ("META-INF/signature-manifest.p7s", b"...")])) == FILES


class _Forwards(io.BytesIO):
    """Written once from front to end, so that sizes stand behind the files."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError


def forwards() -> bytes:
    out = _Forwards()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("mimetype", MEDIA_TYPE, zipfile.ZIP_STORED)
        for name, content in GOOD:
            made.writestr(name, content)
    return out.getvalue()


SIGNED = ("META-INF/signature-6b1f0c52.p7s", b"...")
OTHERWISE: dict[str, Callable[[], bytes]] = {
    "mimetype compressed": lambda: zipped(GOOD, how=zipfile.ZIP_DEFLATED),
    "the comment of the standard": lambda: commented(f"mimetype={MEDIA_TYPE}".encode()),
    "the list of media types": lambda: zipped([*GOOD, SIGNED, ("META-INF/manifest.xml", b"no XML")]),
    "the manifest in other letters": lambda: zipped([("META-INF/ASiCManifest.xml", GOOD[0][1]), *GOOD[1:]]),
    "the manifest last": lambda: zipped([*GOOD[1:], SIGNED, GOOD[0]]),
    "sizes behind the files": forwards,
    **{
        f"the namespace {space}": lambda space=space: zipped(  # type: ignore[misc]  # a lambda of no argument
            [("META-INF/asicmanifest.xml", manifest(FILES, space=space)), *FILES.items()]
        )
        for space in ("http://uri.etsi.org/2918/v1.2.1#", "http://uri.etsi.org/02918/v1.1.1#")
    },
}


@pytest.mark.parametrize("made", OTHERWISE.values(), ids=OTHERWISE.keys())
def test_what_the_libraries_of_fiks_write_is_read(made: Callable[[], bytes]) -> None:
    assert read_package(made()) == FILES


@pytest.mark.parametrize("space", ["http://uri.etsi.org/2918/v1.2.1#", "http://uri.etsi.org/02918/v1.1.1#"])
def test_in_whatever_namespace_the_checksums_count(space: str) -> None:
    with pytest.raises(HubError) as refused:
        read_package(
            zipped(
                [
                    ("META-INF/asicmanifest.xml", manifest(FILES, space=space)),
                    ("fiks.json", b"{ }"),
                    ("innhold.json", b"{}"),
                ]
            )
        )

    assert [finding.rule for finding in refused.value.findings] == ["checksum"]


_NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,8}(\.(json|xml|pdf|bin))?(/[a-z]{1,4}\.json)?", fullmatch=True)


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        _NAMES.filter(lambda name: name != "mimetype"), st.binary(max_size=200), min_size=1, max_size=6
    )
)
def test_what_is_packed_is_unpacked(files: dict[str, bytes]) -> None:
    body = write_package(files)

    assert read_package(body) == files
    assert body == write_package(files)
    assert body[30:38] == b"mimetype"
    assert body[38:69] == MEDIA_TYPE.encode()


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_package_broken_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(SVAR.render(answer()))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, 40))

    assert _outcome(bytes(body[: len(body) - cut])) in (
        *("read", "parse.malformed", "parse.invalid", "parse.forbidden-construct"),
    )


def _outcome(body: bytes) -> str:
    try:
        SVAR.parse(body)
    except HubError as refused:
        return refused.code if refused.findings else "without a finding"
    return "read"


@pytest.mark.parametrize("names", [[], ["../x"], ["a" * 3 + "/"], [f"f{n}" for n in range(MOST_FILES)]])
def test_what_nobody_would_take_is_not_written(names: list[str]) -> None:
    with pytest.raises(HubError) as refused:
        write_package(dict.fromkeys(names, b""))

    assert refused.value.code == "render.incomplete"


# ------------------------------------------------------------------------------------------ headers

HEADERS = {
    "MeldingId": "00000000-0000-0000-0000-000000000000",
    "KlientMeldingId": "svar-1",
    "KlientKorrelasjonsId": "fsp-1",
    "MeldingType": "no.brobygger.bolig.v1.svar",
    "AvsenderKontoId": "00000000-0000-0000-0000-000000000000",
    "MottakerKontoId": "00000000-0000-0000-0000-000000000000",
    "SvarPaMelding": "fsp-1",
    "Resendt": False,
    "Headere": {"sendt": "2030-02-04T09:30:00+01:00"},
}
LATER = {"sendt": "2030-02-04T09:30:00+01:00", "gyldigTil": "2030-02-11T09:30:00+01:00"}


def packed(given: Any, payload: Any = None) -> bytes:
    files = {"fiks.json": json.dumps(given).encode()}
    if payload is not None:
        files["innhold.json"] = json.dumps(payload).encode()
    return write_package(files)


@pytest.mark.parametrize(
    ("changed", "at", "rule"),
    [
        ({"MeldingType": "no.brobygger.bolig.v1.foresporsel"}, "MeldingType", "code"),
        ({"KlientMeldingId": "en id"}, "KlientMeldingId", "pattern"),
        ({"KlientKorrelasjonsId": None}, "KlientKorrelasjonsId", "type"),
        ({"AvsenderKontoId": "6F2A2A54"}, "AvsenderKontoId", "pattern"),
        ({"Headere": {}}, "Headere.sendt", "missing"),
        ({"Headere": {"sendt": "2030-02-04T09:30:00"}}, "Headere.sendt", "pattern"),
        ({"Headere": {"sendt": "2030-02-34T09:30:00Z"}}, "Headere.sendt", "moment"),
        ({"Headere": {**LATER, "avsender": "310000043"}}, "Headere.avsender", "pattern"),
        ({"Ttl": "7 days"}, "Ttl", "pattern"),
        ({"Ttl": "7.24:00:00"}, "Ttl", "pattern"),
        ({"Ttl": "00:00:00"}, "Ttl", "range"),
        ({"Ttl": "6.00:00:00", "Headere": LATER}, "Ttl", "ttl"),
        ({"Ttl": "7.00:00:01", "Headere": LATER}, "Ttl", "ttl"),
        ({"Headere": LATER}, "Ttl", "missing"),
        ({"Resendt": "nei"}, "Resendt", "type"),
    ],
)
def test_a_fault_in_the_headers_is_told_by_file_and_path(changed: dict[str, Any], at: str, rule: str) -> None:
    code, found = refusal(packed({**HEADERS, **changed}, {"status": "mottatt"}))

    assert (code, found) == ("parse.invalid", [(f"fiks.json: {at}", rule)])


@pytest.mark.parametrize(
    ("payload", "at"),
    [({"melding": {}}, "melding"), ({"type": "bolig.svar"}, "type"), ({"gyldig_til": "x"}, "gyldig_til")],
)
def test_what_the_headers_say_is_not_said_again(payload: dict[str, Any], at: str) -> None:
    assert refusal(packed(HEADERS, payload)) == ("parse.invalid", [(f"innhold.json: {at}", "reserved")])


def test_another_file_beside_the_payload_is_refused() -> None:
    body = write_package({"fiks.json": json.dumps(HEADERS).encode(), "vedlegg.pdf": b"%PDF"})

    assert refusal(body) == ("parse.invalid", [("package", "files")])
    assert refusal(write_package({"innhold.json": b"{}"})) == ("parse.invalid", [("package", "files")])


def test_a_fault_of_the_type_is_told_by_its_place_in_the_payload() -> None:
    body = write_package({"fiks.json": json.dumps(HEADERS).encode(), "innhold.json": b'{\n "status":"x"}'})
    assert SVAR.locate is not None

    found = SVAR.locate(body, TYPES["bolig.svar"].check(SVAR.parse(body).fields))

    assert ("innhold.json: status", "code", 2, 11) in {(f.at, f.rule, f.line, f.column) for f in found}


def test_each_file_is_gone_through_once_however_many_faults_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = {"status": "x"} | {f"x{number}": "" for number in range(50)}
    body = packed(HEADERS, payload)
    faults = [Finding(at, "r", "e") for at in ("melding.id", *payload, "melding.sendt")]
    read: list[str] = []

    def counted(text: str) -> dict[str, tuple[int, int]]:
        read.append(text)
        return {}

    monkeypatch.setattr(json_places, "places", counted)
    assert SVAR.locate is not None

    found = SVAR.locate(body, iter(faults))

    ends = ("fiks.json: KlientMeldingId", "fiks.json: Headere.sendt")
    assert [one.at for one in found] == [ends[0], *(f"innhold.json: {at}" for at in payload), ends[1]]
    assert len(read) == 2


@pytest.mark.parametrize(
    ("ttl", "span"),
    [
        ("00:00:01", timedelta(seconds=1)),
        ("2.00:00:00", timedelta(days=2)),
        ("365.23:59:59", timedelta(days=365, hours=23, minutes=59, seconds=59)),
    ],
)
def test_a_ttl_is_days_and_the_time_of_a_day(ttl: str, span: timedelta) -> None:
    assert headers.read_ttl(ttl) == span
    assert headers.read_ttl(headers.write_ttl(span)) == span


@pytest.mark.parametrize(
    ("ttl", "after", "gone"),
    [
        ("1.00:00:00", timedelta(hours=23, minutes=59), False),
        ("1.00:00:00", timedelta(days=1), True),
        (None, timedelta(days=6, hours=23), False),
        (None, timedelta(days=7), True),
    ],
)
def test_a_message_expires_when_its_time_is_over_or_after_a_week(
    ttl: str | None, after: timedelta, gone: bool
) -> None:
    given = {**HEADERS, **({"Ttl": ttl} if ttl else {})}
    sent = datetime(2030, 2, 4, 8, 30, tzinfo=UTC)

    assert headers.expired(given, sent + after) is gone


def test_the_parties_of_the_headers_are_those_of_the_record() -> None:
    own = {"sendt": MELDING["sendt"], "mottaker": "0192:310000043", "avsender": "0192:310000078"}
    record = SVAR.parse(packed({**HEADERS, "Headere": own}, {"status": "mottatt"}))

    assert (record.get("melding.mottaker"), record.get("melding.avsender")) == ("310000043", "310000078")


def test_a_ttl_alone_says_until_when_a_message_is_good() -> None:
    record = SVAR.parse(packed({**HEADERS, "Ttl": "2.00:00:00"}, {"status": "mottatt"}))

    assert record.get("gyldig_til") == "2030-02-06T09:30:00+01:00"


def test_times_as_dotnet_writes_them_are_read() -> None:
    sent, until = "2030-02-04T09:30:00.1234567+01:00", "2030-02-06T09:30:00.9876543+01:00"
    headere: Any = HEADERS["Headere"]
    own = {**headere, "sendt": sent, "gyldigTil": until}
    record = SVAR.parse(
        packed({**HEADERS, "Headere": own, "Ttl": "2.00:00:00.8641976"}, {"status": "mottatt"})
    )

    assert record.get("melding.sendt") == "2030-02-04T09:30:00.123456+01:00"
    assert record.get("gyldig_til") == "2030-02-06T09:30:00.987654+01:00"
    assert not TYPES["bolig.svar"].check_values(record.fields)
    assert SVAR.parse(SVAR.render(record)) == record


def test_an_account_is_the_same_at_both_ends_and_tells_no_number() -> None:
    assert headers.account("310000043") == headers.account("310000043") != headers.account("310000019")
    assert "310000043" not in headers.account("310000043")
    assert headers.account(None) == headers.NOBODY


# ------------------------------------------------------------------------------------------ messages

_melding = records.some(
    {"id": records.ids, "sendt": records.moments},
    svar_pa=records.ids,
    mottaker=st.sampled_from(["310000043", "310000019"]),
    avsender=st.sampled_from(["310000043", "310000019"]),
)
_person = records.some({"id": records.numbers}, navn=records.lines)


def _good(fields: dict[str, Any], days: int | None) -> dict[str, Any]:
    if days is None:
        return fields
    sent = datetime.fromisoformat(fields["melding"]["sendt"])
    return {**fields, "gyldig_til": (sent + timedelta(days=days)).isoformat()}


_days = st.none() | st.integers(1, 400)
requests = st.builds(
    _good,
    records.some(
        {"melding": _melding, "person": _person, "boligbehov": st.sampled_from(["noe", "stort"])},
        onske=st.booleans(),
        prioritet=st.integers(1, 9),
        siste_dato=records.days,
        merknad=records.texts,
    ),
    _days,
).map(lambda fields: Record("bolig.foresporsel", fields))
answers = st.builds(
    _good,
    records.some(
        {"melding": _melding, "person": _person, "status": st.sampled_from(["mottatt", "venteliste"])},
        venteliste_dato=records.days,
        kontakt=records.some({"navn": records.lines}),
    ),
    _days,
).map(lambda fields: Record("bolig.svar", fields))


def _receipt(melding: dict[str, Any], status: str, code: str | None, person: dict[str, Any] | None) -> Record:
    fields: dict[str, Any] = {"melding": melding, "gjelder": melding["svar_pa"], "status": status}
    return Record(
        "kvittering", fields | ({"kode": code} if code else {}) | ({"person": person} if person else {})
    )


receipts = st.builds(
    _receipt,
    _melding.filter(lambda melding: "svar_pa" in melding),
    st.sampled_from(["mottatt", "avvist", "startet", "avsluttet"]),
    st.none() | st.sampled_from(["ugyldigforespoersel", "serverfeil", "E21", "no.ks.fiks.tidsavbrudd"]),
    st.none() | _person,
)
any_record = st.one_of(requests, answers, receipts)


@settings(deadline=None, max_examples=150)
@given(any_record)
def test_what_is_written_over_fiks_is_read_back_as_the_same_record(record: Record) -> None:
    (adapter,) = (a for a in (FORESPORSEL, SVAR, KVITTERING) if a.type == record.type)

    body = adapter.render(record)

    assert adapter.parse(body) == record
    assert REGISTRY.recognise(MEDIA_TYPE, body) is adapter


@pytest.mark.parametrize(("kind", "says"), KINDS.items())
def test_a_receipt_of_fiks_says_its_status_and_why(kind: str, says: tuple[str, str | None]) -> None:
    record = KVITTERING.parse(packed({**HEADERS, "MeldingType": kind}))
    again = json.loads(read_package(KVITTERING.render(record))["fiks.json"])

    assert (record.get("status"), record.get("kode"), record.get("gjelder")) == (*says, "fsp-1")
    assert TYPES["kvittering"].check(record.fields) == ()
    assert again["MeldingType"] == kind


@pytest.mark.parametrize(
    "more",
    [
        {"gyldig_til": "2030-02-04T09:30:00+01:00"},
        {"gyldig_til": "2030-02-01T09:30:00+01:00"},
        {"gyldig_til": "i morgen"},
        {"gyldig_til": "2030-02-09T09:30:00"},
        {"melding": {"id": "svar-1"}},
        {"melding": {**MELDING, "ukjent": "x"}},
        {"melding": {**MELDING, "mottaker": "hvem som helst"}},
    ],
)
def test_what_the_headers_cannot_say_is_not_written(more: dict[str, Any]) -> None:
    with pytest.raises(HubError) as refused:
        SVAR.render(answer(**more))

    assert refused.value.code == "render.incomplete"


def test_a_request_is_not_written_as_an_answer() -> None:
    with pytest.raises(HubError) as refused:
        FORESPORSEL.render(answer())

    assert refused.value.code == "render.incomplete"


def test_the_limits_are_what_the_readme_says() -> None:
    assert (package.MOST_FILES, package.MOST_BYTES) == (20, 10 * 1024 * 1024)


# ------------------------------------------------------------------------------------------ receipts

AT = datetime(2030, 2, 4, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (None, "no.brobygger.bolig.v1.mottatt"),
        ("parse.invalid", "no.brobygger.bolig.v1.feilmelding.ugyldigforespoersel"),
        ("parse.forbidden-construct", "no.brobygger.bolig.v1.feilmelding.ugyldigforespoersel"),
        ("consent.not-evaluable", "no.brobygger.bolig.v1.feilmelding.ugyldigforespoersel"),
        ("route.move-not-allowed", "no.brobygger.bolig.v1.feilmelding.ugyldigforespoersel"),
        ("route.reference-unknown", "no.brobygger.bolig.v1.feilmelding.ikkefunnet"),
        ("receive.not-found", "no.brobygger.bolig.v1.feilmelding.ikkefunnet"),
        ("receive.busy", "no.brobygger.bolig.v1.feilmelding.serverfeil"),
        ("decide.no-row", "no.brobygger.bolig.v1.feilmelding.serverfeil"),
        ("hub.internal", "no.brobygger.bolig.v1.feilmelding.serverfeil"),
        ("receive.expired", "no.ks.fiks.kvittering.tidsavbrudd"),
    ],
)
def test_a_receipt_says_whose_the_fault_is(code: str | None, kind: str) -> None:
    refused = HubError(code) if code else None

    made = receipts_of.receipt(SVAR.render(answer()), refused, number="kv-1", at=AT)

    assert made is not None
    files = read_package(made)
    told = json.loads(files["fiks.json"])
    assert (told["MeldingType"], told["SvarPaMelding"], told["KlientKorrelasjonsId"]) == (
        kind,
        "svar-1",
        "fsp-1",
    )
    assert ("innhold.json" in files) is (code not in (None, "receive.expired"))
    assert TYPES["kvittering"].check(KVITTERING.parse(made).fields) == ()


@pytest.mark.parametrize("called", [None, 7, "en id", ""])
def test_what_does_not_say_its_id_gets_no_receipt(called: object) -> None:
    body = packed({**HEADERS, "KlientMeldingId": called})

    assert receipts_of.receipt(body, None, number="kv-1", at=AT) is None
    assert receipts_of.receipt(b"PK", None, number="kv-1", at=AT) is None
