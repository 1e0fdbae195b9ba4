"""Understands a FHIR R4 Bundle: its entries, and the references between them.

It must not know what any resource means.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import NAMESPACE_URL, uuid5

from fhir.resources.R4B.bundle import Bundle as BundleModel

from adapters.base import Findings
from adapters.fhir import Json, Model, Reader, check_structure, open_resource, present

MESSAGE_ID = "urn:brobygger:message"
_NO_BASIS = "http://hl7.no/fhir/StructureDefinition/no-basis-"
PROFILES = {
    kind: f"{_NO_BASIS}{kind}"
    for kind in ("Composition", "Organization", "Patient", "Practitioner", "PractitionerRole")
}
"""The Norwegian base profiles that what we write keeps. MedicationStatement is not among them: its profile
demands a Medication with a code of FEST and its form, and no record has those."""


class Bundle:
    """The entries of a Bundle that was read. Every entry must be reached from the first one."""

    def __init__(self, document: Json, kind: str, models: Mapping[str, Model], findings: Findings) -> None:
        self._findings = findings
        self._models = models
        self._by_reference: dict[str, tuple[str, Reader]] = {}
        self._entries: list[tuple[str, Reader]] = []
        self._reached: set[int] = set()
        check_structure({**document, "entry": []}, BundleModel, "", findings)
        self.shell = Reader(document, "", findings)
        open_resource(self.shell)
        self.shell.constant("resourceType", "Bundle")
        self.shell.constant("type", kind)
        self.shell.ignore("total")
        for entry in self.shell.children("entry", at_least=1):
            self._add(entry)

    def _add(self, entry: Reader) -> None:
        entry.ignore("id")
        url = entry.text("fullUrl")
        resource = entry.child("resource", required=True)
        if resource is None:
            return
        kind = resource.text("resourceType", required=True) or ""
        if kind not in self._models:
            resource.fault("resourceType", "code", "one of " + ", ".join(self._models))
            resource.ignore_all()
            return
        if resource.has("contained"):  # fhir.resources does not survive every contained resource
            resource.fault("contained", "not-read", "an entry of its own")
            resource.ignore_all()
            return
        resource.check(self._models[kind])
        name = resource.text("id") if resource.has("id") else None
        open_resource(resource)
        self._entries.append((kind, resource))
        for reference in (url, f"{kind}/{name}" if name else None):
            if reference is None:
                continue
            if reference in self._by_reference:
                entry.fault("fullUrl", "unique", "an address that no other entry has")
            self._by_reference[reference] = (kind, resource)

    def first(self, kind: str) -> Reader | None:
        """The first entry, whose kind the kind of Bundle prescribes."""
        if not self._entries or self._entries[0][0] != kind:
            self._findings.add("entry[0].resource.resourceType", "code", kind)
            return None
        self._reached.add(id(self._entries[0][1]))
        return self._entries[0][1]

    def follow(self, reference: Reader | None, *kinds: str) -> tuple[str, Reader] | None:
        """The entry that a reference points to, which must be of one of these kinds."""
        if reference is None:
            return None
        reference.ignore("display", "type", "id")
        found = self._by_reference.get(reference.text("reference", required=True) or "")
        if found is None or found[0] not in kinds:
            reference.fault("reference", "reference", "an entry of this Bundle: " + " or ".join(kinds))
            return None
        self._reached.add(id(found[1]))
        return found

    def at(self, reference: str) -> tuple[str, Reader] | None:
        """The entry that a reference points to, of any kind, without counting as reached."""
        return self._by_reference.get(reference)

    def reach(self, resource: Reader) -> None:
        """Count an entry as reached."""
        self._reached.add(id(resource))

    def finish(self) -> None:
        """Report entries that nothing pointed to and elements that nobody read, then raise once."""
        for _, resource in self._entries:
            if id(resource) not in self._reached:
                resource.fault("", "unreached", "an entry that another entry refers to")
        self.shell.finish()
        self._findings.finish()


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
