"""Understands which adapters exist, and which of them reads a body.

A new wire format is one folder and one line here; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable

from adapters.apprec.adapter import ADAPTERS as APPREC
from adapters.base import Adapter, Sniff
from adapters.brik_xml.adapter import ADAPTER as BRIK_XML
from adapters.fhir_consent.adapter import ADAPTER as FHIR_CONSENT
from adapters.fhir_epikrise.adapter import ADAPTER as FHIR_EPIKRISE
from adapters.fhir_tsb.adapter import ADAPTER as FHIR_TSB
from adapters.kith_epikrise.adapter import ADAPTERS as KITH_EPIKRISE
from adapters.plain_json.adapter import adapter_for
from adapters.safe_json import read_json
from adapters.safe_xml import read_xml
from hub.errors import Finding, HubError

ADAPTERS = (BRIK_XML, FHIR_EPIKRISE, FHIR_TSB, FHIR_CONSENT, *KITH_EPIKRISE, *APPREC)


class Registry:
    """All adapters of one hub."""

    def __init__(self, adapters: Iterable[Adapter]) -> None:
        self.adapters = tuple(adapters)
        self._by_name = {adapter.name: adapter for adapter in self.adapters}
        if len(self._by_name) != len(self.adapters):
            raise _unknown("adapters", "names that differ")

    def recognise(self, media_type: str, body: bytes) -> Adapter:
        """The adapter that reads this body.

        Raises parse.malformed or parse.forbidden-construct when nothing could, with line and
        column, and parse.format-unknown when the body is sound but nobody's.
        """
        media, _, parameters = media_type.partition(";")
        media = media.strip().lower()
        if "charset" in parameters.lower() and "utf-8" not in parameters.lower():
            raise HubError("parse.format-unknown", [Finding("media type", "charset", "utf-8")])
        readers = [adapter for adapter in self.adapters if media in adapter.media_types]
        if not readers:
            known = sorted({name for adapter in self.adapters for name in adapter.media_types})
            raise HubError(
                "parse.format-unknown", [Finding("media type", "media-type", "one of " + ", ".join(known))]
            )
        sniff = _sniff(media, body)
        for adapter in readers:
            if adapter.recognise(sniff):
                return adapter
        raise HubError(
            "parse.format-unknown",
            [Finding("body", "format", "one of " + ", ".join(sorted(adapter.name for adapter in readers)))],
        )

    def by_name(self, name: str) -> Adapter:
        """The adapter that a setting names, or settings.invalid."""
        if name not in self._by_name:
            raise _unknown("format", "one of " + ", ".join(sorted(self._by_name)))
        return self._by_name[name]

    def default_for(self, type_name: str) -> Adapter:
        """What an agency gets that named no format for this message type: plain JSON."""
        return self.by_name(f"json:{type_name}")


def adapters_for(types: Iterable[str]) -> Registry:
    """The written adapters, and plain JSON for each declared message type."""
    return Registry((*ADAPTERS, *(adapter_for(name) for name in types)))


def _sniff(media: str, body: bytes) -> Sniff:
    if media.endswith("xml"):
        tree = read_xml(body)
        return Sniff(media, root=str(tree.tag), tree=tree)
    return Sniff(media, document=read_json(body))


def _unknown(at: str, expected: str) -> HubError:
    return HubError("settings.invalid", [Finding(at, "adapter", expected)])
