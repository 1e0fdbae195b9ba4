"""Understands that the Digisos files are read, checked and written as the official schemas say.

The schemas are asked where they are; our own table must say the same of every document, made up or broken.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adapters
from adapters.digisos import NEVER, OURS
from adapters.json_profile import Group, Items, Kind, Leaf, Node
from adapters.registry import ADAPTERS
from hub.errors import HubError
from hub.message import Category, Record
from mappings.agreements import load_agreements
from mappings.engine import translate_record
from mappings.types import load_types
from tests.adapters import digisos_schemas
from tests.adapters.digisos_records import DOCUMENTS, FILES

TYPES = load_types()
AGREEMENTS = load_agreements(TYPES)
NAMES = sorted(FILES)
BY_NAME = {adapter.name: adapter for adapter in ADAPTERS if adapter.name in FILES}
FOLDER = Path(adapters.__file__).parent
EXAMPLES = {
    name: FOLDER / name.replace("-", "_") / "examples" / f"{name.partition('-')[2]}.json" for name in NAMES
}
HEADER = {"id": "d-1", "sendt": "2030-02-02T12:00:00+01:00", "svar_pa": "m-1"}
Absent = Callable[[str, int], None]


def official(name: str, document: object) -> bool | None:
    """What the official schema says, or None where it is not here; that is counted below."""
    if not digisos_schemas.SCHEMAS.is_dir():
        return None
    return digisos_schemas.accepts(digisos_schemas.ROOTS[name], document)


@pytest.mark.parametrize("name", NAMES)
def test_the_official_schema_can_say_no(name: str, absent_reference: Absent) -> None:
    if not digisos_schemas.SCHEMAS.is_dir():
        absent_reference(f"the official schema of {name}", 1)
    assert official(name, example(name)) in (True, None)
    assert official(name, [example(name)]) in (False, None)


def refused(name: str, document: object) -> HubError | None:
    try:
        FILES[name].parse(json.dumps(document).encode())
    except HubError as exc:
        return exc
    return None


def example(name: str) -> dict[str, Any]:
    return dict(json.loads(EXAMPLES[name].read_bytes()))


@pytest.mark.parametrize("name", NAMES)
def test_our_example_is_valid_by_the_official_schema_and_comes_back_whole(name: str) -> None:
    document = example(name)
    record = BY_NAME[name].parse(EXAMPLES[name].read_bytes())

    again = json.loads(BY_NAME[name].render(record))

    assert official(name, document) in (True, None)
    assert official(name, again) in (True, None)
    assert _without_nothing(again) == _without_nothing(document)


def _without_nothing(node: Any) -> Any:
    """The same without empty lists and texts, which say nothing."""
    if isinstance(node, dict):
        below = {key: _without_nothing(child) for key, child in node.items()}
        return {key: child for key, child in below.items() if child not in ("", [], {})}
    return [_without_nothing(child) for child in node] if isinstance(node, list) else node


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_whatever_the_table_allows_the_schema_allows_before_and_after(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(NAMES))
    document = data.draw(DOCUMENTS[name])
    file = FILES[name]

    record = file.parse(json.dumps(document).encode())
    written = json.loads(file.render(record))

    assert official(name, document) in (True, None)
    assert official(name, written) in (True, None)
    assert file.parse(json.dumps(written).encode()) == record
    assert OURS not in written
    assert {f.rule for f in TYPES[file.type].check(record.fields)} <= {"checksum", "missing", "format"}


_BROKEN = st.sampled_from(
    [None, True, 0, -7, 1.5, "", "KANARI", [], {}, ["KANARI"], {"KANARI": 1}, "2030-13-40", "0000"]
)


def _places(node: object) -> Iterator[tuple[Any, Any]]:
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in list(pairs):
        yield node, key
        yield from _places(child)


@settings(deadline=None, max_examples=500)
@given(st.data())
def test_a_document_broken_anywhere_gets_the_verdict_of_the_schema_and_no_value_is_told(
    data: st.DataObject,
) -> None:
    name = data.draw(st.sampled_from(NAMES))
    document = copy.deepcopy(example(name))
    places = list(_places(document))
    holder, key = places[data.draw(st.integers(0, len(places) - 1))]
    if data.draw(st.booleans()):
        holder[key] = data.draw(_BROKEN)
    else:
        del holder[key]

    fault = refused(name, document)
    allowed = official(name, document)

    if name == "digisos-vedlegg" and "vedlegg" not in document:
        allowed = False  # the only thing that we ask for and the schema does not
    assert allowed is None or (fault is None) is allowed
    if fault is not None:
        assert fault.code == "parse.invalid"
        assert fault.findings
        assert "KANARI" not in repr(fault.findings)
        assert all(f.line and f.column and f.expected and f.nb for f in fault.findings)


# what stands in the official samples by itself, and where it belongs in a whole file
FRAGMENTS: dict[str, tuple[str, tuple[str | int, ...]]] = {
    "types/tidspunkt": ("digisos-soker", ("hendelser", 0, "hendelsestidspunkt")),
    "digisos/soker/parts/filreferanse": ("digisos-soker", ("hendelser", 4, "vedtaksfil", "referanse")),
    "digisos/soker/parts/avsender": ("digisos-soker", ("avsender",)),
    "digisos/soker/parts/hendelse": ("digisos-soker", ("hendelser", 0)),
    "digisos/soker/parts/version": ("digisos-soker", ("version",)),
    "soknad/parts/version": ("digisos-soknad", ("version",)),
    "soknad/parts/adresse": ("digisos-soknad", ("data", "personalia", "folkeregistrertAdresse")),
    "soknad/parts/navn": ("digisos-soknad", ("data", "personalia", "navn")),
    "soknad/personalia/telefonnummer": ("digisos-soknad", ("data", "personalia", "telefonnummer")),
    "soknad/personalia/personIdentifikator": (
        "digisos-soknad",
        ("data", "personalia", "personIdentifikator"),
    ),
    "soknad/personalia/kontonummer": ("digisos-soknad", ("data", "personalia", "kontonummer")),
    "soknad/personalia/statsborgerskap": ("digisos-soknad", ("data", "personalia", "statsborgerskap")),
    "soknad/personalia/nordiskBorger": ("digisos-soknad", ("data", "personalia", "nordiskBorger")),
    "soknad/okonomi/opplysninger/utbetaling": (
        "digisos-soknad",
        ("data", "okonomi", "opplysninger", "utbetaling", 0),
    ),
    "soknad/familie/barn": ("digisos-soknad", ("data", "familie", "forsorgerplikt", "ansvar", 0, "barn")),
    "soknad/familie/sivilstatus": ("digisos-soknad", ("data", "familie", "sivilstatus")),
    "soknad/arbeid/forhold": ("digisos-soknad", ("data", "arbeid", "forhold", 0)),
    "soknad/arbeid/situasjon": ("digisos-soknad", ("data", "arbeid", "situasjon")),
    "soknad/bostotte": ("digisos-soknad", ("data", "okonomi", "opplysninger", "bostotte")),
}  # one row per case # fmt: skip
WHOLE = {"digisos/soker": "digisos-soker", "soknad": "digisos-soknad", "vedlegg": "digisos-vedlegg"}


def _sample(path: Path) -> tuple[str, Any] | None:
    """A whole file from an official sample: itself, or with it put where it belongs in our example."""
    found = json.loads(path.read_text(encoding="utf-8"))
    below = path.parent.relative_to(digisos_schemas.SAMPLES).as_posix()
    if below in WHOLE:
        return WHOLE[below], found
    name, way = next((to for at, to in FRAGMENTS.items() if f"{below}/".startswith(f"{at}/")), ("", ()))
    if not name:
        return None
    document: Any = example(name)
    here = document
    for step in way[:-1]:
        here = here[step]
    here[way[-1]] = found
    return name, document


def test_every_official_sample_is_read_and_written_or_gets_a_finding(absent_reference: Absent) -> None:
    if not digisos_schemas.SAMPLES.is_dir():
        absent_reference("the official samples of Fiks Digisos", 1)
        return
    accepted = rejected = unplaced = 0
    for path in sorted(digisos_schemas.SAMPLES.rglob("*.json")):
        placed = _sample(path)
        if placed is None:
            unplaced += 1
            continue
        name, document = placed
        if name == "digisos-vedlegg" and "vedlegg" not in document:
            continue  # an empty object: nobody's format
        fault = refused(name, document)
        if official(name, document):
            accepted += 1
            assert fault is None, path.name
            _translated_and_written_again(name, document)
        else:
            rejected += 1
            assert fault is not None, path.name
            assert all(finding.line and finding.nb for finding in fault.findings)
    if unplaced:
        absent_reference("a place for parts of files among the official Digisos samples", unplaced)
    assert min(accepted, rejected) > 15


def _translated_and_written_again(name: str, document: Any) -> None:
    """Under every agreement of the type. The samples' number is nobody's (its check digits are wrong), so
    the hub would refuse it; here a made-up person takes its place."""
    schema = digisos_schemas.ROOTS[name]
    file, adapter = FILES[name], BY_NAME[name]
    read = file.parse(json.dumps(document).encode())
    assert digisos_schemas.accepts(schema, json.loads(adapter.render(read)))
    record = Record(read.type, {**read.fields, "person": {"id": "15859010099"}})
    assert not {f.at for f in TYPES[read.type].check(record.fields)}
    for agreement in AGREEMENTS:
        if agreement.source.type == read.type:
            translated = translate_record(record, agreement, TYPES, HEADER)
            written = json.loads(adapter.render(translated))
            assert digisos_schemas.accepts(schema, written)
            assert adapter.parse(json.dumps(written).encode()) == translated


def _leaves(node: Node, at: str) -> Iterator[tuple[str, Leaf]]:
    match node:
        case Leaf():
            yield at, node
        case Items():
            yield from _leaves(node.node, at)
        case Group():
            for part in (*node.parts, *(p for parts in node.variants.values() for p in parts)):
                if part.key == OURS:
                    continue
                place = part.place
                below = place[1:] if place.startswith("/") else ".".join(p for p in (at, place) if p)
                yield from _leaves(part.node, below)


_KINDS = {Kind.WHOLE: "integer", Kind.NUMBER: "decimal", Kind.FLAG: "boolean", Kind.CODE: "code"}


@pytest.mark.parametrize("name", NAMES)
def test_every_element_of_the_table_is_a_field_of_the_type_that_holds_what_it_holds(name: str) -> None:
    spec, told = TYPES[FILES[name].type], dict.fromkeys(("melding", "person"), True)
    for path, leaf in _leaves(FILES[name].profile, ""):
        field = spec.field(path)
        told[path] = True
        assert _KINDS.get(leaf.kind, field.kind) == field.kind, path
        assert set(leaf.only) <= set(field.codes), path

    assert {
        f.path for f in spec.scalars if f.path not in told and not f.path.startswith(("melding.", "person."))
    } == set()


def test_a_graded_address_in_the_household_is_said_and_never_carried() -> None:
    spec = TYPES["sosialhjelp.soknad"]
    graded = {f.path for f in spec.scalars if Category.PROTECTED_ADDRESS in f.labels}
    document = example("digisos-soknad")
    barn = document["data"]["familie"]["forsorgerplikt"]["ansvar"][0]["barn"]
    said = {}
    for flag in (True, False):
        barn["harDiskresjonskode"] = flag
        record = FILES["digisos-soknad"].parse(json.dumps(document).encode())
        said[flag] = record.fields["familie"]["forsorgerplikt"]["ansvar"][0]["barn"]["gradering"]

    assert said == {True: "gradert", False: "ugradert"}
    assert {path.rpartition(".")[2] for path in graded} == {"gradering", "ektefelle_gradering"}
    assert not any(a.carries & graded for a in AGREEMENTS)


def test_prison_as_a_dwelling_tells_of_custody() -> None:
    field = TYPES["sosialhjelp.soknad"].field("bosituasjon.botype")

    assert "fengsel" in field.codes
    assert Category.CUSTODY in field.labels


def test_a_file_is_called_by_what_it_holds_and_timed_by_what_it_says() -> None:
    document = example("digisos-soker")
    first = FILES["digisos-soker"].parse(json.dumps(document).encode()).fields["melding"]
    spaced = FILES["digisos-soker"].parse(json.dumps(document, indent=4).encode()).fields["melding"]
    document["hendelser"][0]["hendelsestidspunkt"] = "2031-01-01T00:00:00.123456789Z"
    later = FILES["digisos-soker"].parse(json.dumps(document).encode()).fields["melding"]
    untimed = FILES["digisos-vedlegg"].parse(EXAMPLES["digisos-vedlegg"].read_bytes()).fields["melding"]

    assert first == spaced
    assert first["id"] != later["id"]
    assert (first["sendt"], later["sendt"]) == ("2030-02-22T08:00:00.134Z", "2031-01-01T00:00:00.123456Z")
    assert untimed["sendt"] == NEVER


BESIDE: list[tuple[str, Callable[[Any], object]]] = [
    ("digisos-soker", lambda d: d.update(klager=[{"klageId": "k-1", "hendelser": []}])),
    ("digisos-soker", lambda d: d["hendelser"][0].update(nytt={"a": [None, 1.5, True]})),
    ("digisos-soker", lambda d: d["avsender"].update(nytt="x")),
    ("digisos-soknad", lambda d: d["data"]["personalia"].update(nytt="")),
    ("digisos-vedlegg", lambda d: d["vedlegg"][-1].update(nytt=[])),
]


@pytest.mark.parametrize(("name", "change"), BESIDE)
def test_a_file_that_differs_where_nobody_reads_is_another_one_of_the_same_content(
    name: str, change: Callable[[Any], object]
) -> None:
    """Under the same id the hub would refuse it for good: the sender has no other to give."""
    document = example(name)
    plain = FILES[name].parse(json.dumps(document).encode())
    change(document)

    record = FILES[name].parse(json.dumps(document).encode())

    assert {**record.fields, "melding": None} == {**plain.fields, "melding": None}
    assert record.fields["melding"]["id"] != plain.fields["melding"]["id"]
    assert record.fields["melding"]["sendt"] == plain.fields["melding"]["sendt"]
    assert FILES[name].parse(FILES[name].render(record)) == record
    assert FILES[name].parse(json.dumps(document, indent=4).encode()) == record


def test_another_kind_of_event_does_not_take_a_status_that_is_not_its_own() -> None:
    record = FILES["digisos-soker"].parse(EXAMPLES["digisos-soker"].read_bytes())
    fields = copy.deepcopy(dict(record.fields))
    fields["hendelser"][0]["status"] = "UTBETALT"
    assert not TYPES["digisos.soker"].check(fields)  # the type knows the code, of another kind of event

    with pytest.raises(HubError) as wrong:
        FILES["digisos-soker"].render(Record("digisos.soker", fields))

    assert (wrong.value.code, wrong.value.findings[0].rule) == ("render.incomplete", "code")
