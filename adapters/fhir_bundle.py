"""Understands a FHIR R4 Bundle: its entries, and the references between them.

It must not know what any resource means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from uuid import NAMESPACE_URL, uuid5

from fhir.resources.R4B.bundle import Bundle as BundleModel

from adapters.base import Findings
from adapters.fhir import Json, Model, Reader, check_structure, open_resource, present
from hub.errors import HubError

MESSAGE_ID = "urn:brobygger:message"
_NO_BASIS = "http://hl7.no/fhir/StructureDefinition/no-basis-"
PROFILES = {
    kind: f"{_NO_BASIS}{kind}"
    for kind in ("Composition", "Organization", "Patient", "Practitioner", "PractitionerRole")
}
"""The Norwegian base profiles that what we write keeps. MedicationStatement is not among them: its profile
demands a Medication with a code of FEST and its form, and no record has those."""


CONTAINABLE = ("Organization", "Practitioner", "PractitionerRole", "Location", "Device")
"""What may stand in the resource that refers to it by `#id`, and is then read as if it were an entry: who and
what else had to do with it, and nobody's health."""

_CONTAINER = re.compile(r"entry\[[0-9]+\]\.resource")
_LOSING = frozenset({"missing", "count", "type", "reference", "unique", "not-read", "extension"})
"""The rules of what may have referred to something: beside them nothing is said of what nothing refers to."""

_UNSIGNED = (
    "no signature: the hub writes anew what it carries, so that a signature would be of something else"
)
_HISTORY = "/_history/"
"""What stands between a resource and its version in a reference."""

_Address = tuple[str, str]
"""The resource in which a reference counts, empty for the whole Bundle, and the reference."""


class Bundle:
    """The entries of a Bundle that was read. Every entry must be reached from the first one.

    A faulty entry is told once. What follows from that only, such as a reference to it, is not told.
    """

    def __init__(self, document: Json, kind: str, models: Mapping[str, Model], findings: Findings) -> None:
        self._findings = findings
        self._models = models
        self._by_address: dict[_Address, tuple[str, Reader]] = {}
        self._entries: list[tuple[str, Reader]] = []
        self._reached: set[int] = set()
        self._refused: set[_Address] = set()
        self._holds_refused: set[str] = set()
        self._lost = False  # whether something that may have referred to others is refused
        self._structure = Findings()
        check_structure({**document, "entry": []}, BundleModel, "", self._structure)
        self.shell = Reader(document, "", findings)
        open_resource(self.shell)
        self.shell.constant("resourceType", "Bundle")
        self.shell.constant("type", kind)
        self.shell.ignore("total")
        refuse_signature(self.shell)
        for entry in self.shell.children("entry", at_least=1):
            self._add(entry)

    def _add(self, entry: Reader) -> None:
        entry.ignore("id")
        url = entry.text("fullUrl")
        resource = entry.child("resource", required=True)
        if resource is None:
            self._refuse(*([("", url)] if url else []))
            return
        kind = resource.text("resourceType", required=True)
        name = resource.text("id") if resource.has("id") else None
        addresses = [("", one) for one in (url, f"{kind}/{name}" if kind and name else None) if one]
        if kind is None or kind not in self._models:
            if kind is not None:
                resource.fault("resourceType", "code", "one of " + ", ".join(self._models))
            resource.ignore_all()
            self._refuse(*addresses)
            return
        if any(address in self._by_address or address in self._refused for address in addresses):
            entry.fault("fullUrl", "unique", "an address that no other entry has")
            resource.ignore_all()
            self._refuse(*addresses)
            return
        self._open(kind, resource, addresses)
        for inner in resource.children("contained", at_least=int(resource.has("contained"))):
            self._contain(resource.at, inner)

    def _open(self, kind: str, resource: Reader, addresses: Iterable[_Address]) -> None:
        resource.check(self._models[kind], self._structure)
        open_resource(resource)
        self._entries.append((kind, resource))
        self._by_address.update(dict.fromkeys(addresses, (kind, resource)))

    def _contain(self, container: str, inner: Reader) -> None:
        """One resource in another: what its container, and nobody else, refers to by `#id`."""
        kind, name = inner.peek("resourceType"), inner.peek("id")
        address = (container, f"#{name}")
        if (
            not isinstance(kind, str)
            or not isinstance(name, str)
            or kind not in CONTAINABLE
            or kind not in self._models
            or inner.has("contained")
            or address in self._by_address
        ):
            expected = " or ".join(one for one in CONTAINABLE if one in self._models)
            inner.fault("", "contained", f"{expected}, with an id of its own; else an entry of its own")
            inner.ignore_all()
            self._holds_refused.add(container)
            self._refuse()
            return
        self._open(kind, inner, [address])

    def _refuse(self, *addresses: _Address) -> None:
        self._refused.update(addresses)
        self._lost = True

    def first(self, kind: str) -> Reader | None:
        """The first entry, whose kind the kind of Bundle prescribes."""
        front = next((one for one in self._entries if one[1].at == "entry[0].resource"), None)
        if front is None:  # told already, whatever is wrong with it
            return None
        if front[0] != kind:
            self._findings.add("entry[0].resource.resourceType", "code", kind)
            self._refuse()
            return None
        self.reach(front[1])
        return front[1]

    def follow(self, reference: Reader | None, *kinds: str) -> tuple[str, Reader] | None:
        """The entry that a reference points to, which must be of one of these kinds."""
        if reference is None:
            return None
        reference.ignore("display", "type", "id")
        said = reference.child("identifier")
        address = reference.text("reference", required=True)
        found = self.at(address, reference.at) if address is not None else None
        if said is not None and found is None:
            said.ignore_all()
        if address is None:
            return None
        if found is None or found[0] not in kinds:
            if not self.is_refused(address, reference.at):
                reference.fault("reference", "reference", "an entry of this Bundle: " + " or ".join(kinds))
            return None
        if said is not None:
            _check_same(said, found[1])
        self.reach(found[1])
        return found

    def at(self, reference: str, place: str) -> tuple[str, Reader] | None:
        """The entry that a reference in this place points to, of any kind, without counting as reached."""
        found = self._by_address.get(_address(reference, place))
        _, history, version = reference.partition(_HISTORY)
        if found is not None and history and found[1].peek("meta", "versionId") not in (None, version):
            return None  # another version than the one that is here
        return found

    def is_refused(self, reference: str, place: str) -> bool:
        """Whether a reference points to what is refused already, so that nothing is to be said of it."""
        address = _address(reference, place)
        return address in self._refused or address[0] in self._holds_refused

    def of(self, kind: str) -> list[Reader]:
        """The entries of this kind."""
        return [resource for found, resource in self._entries if found == kind]

    def reach(self, resource: Reader) -> None:
        """Count an entry as reached."""
        self._reached.add(id(resource))

    def finish(self) -> None:
        """Report elements that nobody read and entries that nothing pointed to, then raise once."""
        unreached = [resource for _, resource in self._entries if id(resource) not in self._reached]
        for resource in unreached:
            resource.ignore_all()
        self.shell.finish()
        self._findings.extend(self._structure)
        if not self._lost and not _rules(self._findings) & _LOSING:
            for resource in unreached:
                resource.fault("", "unreached", "an entry that another entry refers to")
        self._findings.finish()


def refuse_signature(resource: Reader) -> None:
    """What goes on is not what was signed, and a reader of it could not know that."""
    if resource.has("signature"):
        resource.fault("signature", "not-read", _UNSIGNED)
        resource.ignore("signature")


def _check_same(said: Reader, resource: Reader) -> None:
    """An identifier beside a reference says no more than it, if the resource has the same one."""
    said.ignore("use", "type", "assigner", "period")
    number = said.text("system"), said.text("value")
    listed = resource.peek("identifier")
    own = [one for one in (listed if isinstance(listed, list) else [listed]) if isinstance(one, Mapping)]
    if number not in [(one.get("system"), one.get("value")) for one in own]:
        said.fault("value", "value", "the identifier of the resource referred to")


def _address(reference: str, place: str) -> _Address:
    container = _CONTAINER.match(place) if reference.startswith("#") else None
    return (container.group() if container else "", reference.partition(_HISTORY)[0])


def _rules(findings: Findings) -> set[str]:
    try:
        findings.finish()
    except HubError as refused:
        return {finding.rule for finding in refused.findings}
    return set()


class Writer:
    """The entries of a Bundle that is written. Ids are issued anew and follow from the message id."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._entries: list[Json] = []

    def add(self, kind: str, **elements: object) -> Json:
        """One more entry; returns the reference to it."""
        url = uuid5(NAMESPACE_URL, f"{MESSAGE_ID}:{self._seed}:{len(self._entries)}").urn
        meta = {"meta": {"profile": [PROFILES[kind]]}} if kind in PROFILES else {}
        resource = {"resourceType": kind, **meta, **present(**elements)}
        self._entries.append({"fullUrl": url, "resource": resource})
        return {"reference": url}

    def document(self, kind: str, *, first: str, **shell: object) -> Json:
        """The whole Bundle, with the entry of type `first` in front, where FHIR wants it."""
        entries = sorted(self._entries, key=lambda entry: _kind(entry) != first)
        return {"resourceType": "Bundle", "type": kind, **present(**shell), "entry": entries}


def _kind(entry: Json) -> object:
    resource = entry["resource"]
    return resource.get("resourceType") if isinstance(resource, dict) else None
