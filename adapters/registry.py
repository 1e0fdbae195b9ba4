"""Understands which adapters exist, and which of them reads a body.

A new wire format is one folder and one line in ADAPTERS, `*of("folder")`; a test compares the two.
Adapters from other packages come in through `adapters/third_party.py`, if they conformed.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

from adapters.apprec.adapter import ADAPTERS as APPREC
from adapters.base import HEAD, Adapter, Sniff
from adapters.brik_xml.adapter import ADAPTER as BRIK_XML
from adapters.digisos_soker.adapter import ADAPTER as DIGISOS_SOKER
from adapters.digisos_soknad.adapter import ADAPTER as DIGISOS_SOKNAD
from adapters.digisos_vedlegg.adapter import ADAPTER as DIGISOS_VEDLEGG
from adapters.fhir_brik.adapter import ADAPTERS as FHIR_BRIK
from adapters.fhir_consent.adapter import ADAPTERS as FHIR_CONSENT
from adapters.fhir_epikrise.adapter import ADAPTERS as FHIR_EPIKRISE
from adapters.fhir_task.adapter import ADAPTERS as FHIR_TASK
from adapters.fhir_tsb.adapter import ADAPTERS as FHIR_TSB
from adapters.fhir_unread import unread_fhir
from adapters.fhir_withdrawal.adapter import ADAPTERS as FHIR_WITHDRAWAL
from adapters.fhir_xml import FHIR, outline
from adapters.fiks.message import read_headers
from adapters.fiks.package import MEDIA_TYPE as PACKAGE
from adapters.fiks_foresporsel.adapter import ADAPTER as FIKS_FORESPORSEL
from adapters.fiks_kvittering.adapter import ADAPTER as FIKS_KVITTERING
from adapters.fiks_svar.adapter import ADAPTER as FIKS_SVAR
from adapters.kith.unread import unread
from adapters.kith_dialog.adapter import ADAPTERS as KITH_DIALOG
from adapters.kith_epikrise.adapter import ADAPTERS as KITH_EPIKRISE
from adapters.kith_henvisning.adapter import ADAPTERS as KITH_HENVISNING
from adapters.kith_plo.adapter import ADAPTERS as KITH_PLO
from adapters.nav_apprec.adapter import ADAPTERS as NAV_APPREC
from adapters.nav_dialog.adapter import ADAPTERS as NAV_DIALOG
from adapters.plain_json.adapter import adapter_for
from adapters.safe_json import read_json
from adapters.safe_xml import ENCODINGS, UNICODE, encoding_of, read_xml
from hub.errors import Finding, HubError


def of(folder: str) -> tuple[Adapter, ...]:
    """The ADAPTER, or all ADAPTERS, of one folder beside this file. Raises adapter.invalid for no such
    folder, for what cannot be imported, and for a file that makes neither."""
    module = module_of(folder)
    made = getattr(module, "ADAPTERS", None) or (getattr(module, "ADAPTER", None),)
    if not all(isinstance(one, Adapter) for one in made):
        raise HubError("adapter.invalid", [makes_none(folder)])
    return tuple(made)


def makes_none(folder: str) -> Finding:
    """An adapter.py that can be imported, and holds no adapter under the name it must have."""
    expected = "ADAPTER = Adapter(...), or a tuple ADAPTERS of such"
    return Finding(f"adapters/{folder}/adapter.py", "adapter", expected)


def module_of(folder: str) -> ModuleType:
    """The adapter.py of one folder beside this file, imported. Raises adapter.invalid with the line that
    failed, and the kind of the fault without its text."""
    at = f"adapters/{folder}/adapter.py"
    try:
        return importlib.import_module(f"adapters.{folder}.adapter")
    except HubError:
        raise
    except SyntaxError as fault:
        file = Path(fault.filename or at).name
        found = Finding(f"adapters/{folder}/{file}", "python", "Python that can be read", fault.lineno)
    except Exception as fault:  # noqa: BLE001  whatever the file of somebody new raises, its line is what helps
        missing = fault.name if isinstance(fault, ModuleNotFoundError) else None
        if missing and f"adapters.{folder}.adapter".startswith(missing):
            expected = f"a folder adapters/{folder} with adapter.py"
            found = Finding("adapters/registry.py", "folder", expected)
        else:
            lines = [f.lineno for f in extract_tb(fault.__traceback__) if Path(f.filename).match(at)]
            expected = f"a file that can be imported; this line raises {type(fault).__name__}"
            found = Finding(at, "import", expected, lines[-1] if lines else None)
    raise HubError("adapter.invalid", [found])


ADAPTERS: tuple[Adapter, ...] = (
    BRIK_XML,
    *FHIR_EPIKRISE,
    *FHIR_TSB,
    *FHIR_CONSENT,
    *FHIR_WITHDRAWAL,
    *FHIR_BRIK,
    *FHIR_TASK,
    *KITH_EPIKRISE,
    *KITH_DIALOG,
    *KITH_PLO,
    *KITH_HENVISNING,
    *APPREC,
    *NAV_DIALOG,
    *NAV_APPREC,
    DIGISOS_SOKNAD,
    DIGISOS_SOKER,
    DIGISOS_VEDLEGG,
    FIKS_FORESPORSEL,
    FIKS_SVAR,
    FIKS_KVITTERING,
)


def _each_is_one(lines: Sequence[object]) -> None:
    """`of` gives a tuple, so a line without its star is none of the adapters it stands for."""
    found = []
    if not all(isinstance(line, Adapter) for line in lines):
        expected = 'every line of ADAPTERS to be adapters: `*of("folder"),`, with the star'
        found.append(Finding("adapters/registry.py", "line", expected))
    names = [line.name for line in lines if isinstance(line, Adapter)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        found.append(Finding(f"adapters/registry.py {name}", "twice", "a name that only one line gives"))
    if found:
        raise HubError("adapter.invalid", found)


_each_is_one(ADAPTERS)


UNKNOWN = Finding(
    "body",
    "format",
    "a format that is read here; docs/reference/README.md lists them",
    nb="et format som leses her; docs/reference/README.md har lista",
)


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
        readers = [adapter for adapter in self.adapters if media in adapter.media_types]
        if not readers:
            known = sorted({name for adapter in self.adapters for name in adapter.media_types})
            raise HubError(
                "parse.format-unknown", [Finding("media type", "media-type", "one of " + ", ".join(known))]
            )
        if (said := _charset(parameters)) and not _is_said(said, media, body):
            raise HubError("parse.format-unknown", [Finding("media type", "charset", "that of the body")])
        sniff = _sniff(media, body)
        for adapter in readers:
            if adapter.recognise(sniff):
                return adapter
        found = unread(sniff.tree, body, readers) if sniff.tree is not None else ()
        found = found or unread_fhir(sniff, body)
        raise HubError("parse.format-unknown", found or [UNKNOWN])

    def by_name(self, name: str) -> Adapter:
        """The adapter that a setting names, or settings.invalid."""
        if name not in self._by_name:
            raise _unknown("format", "one of " + ", ".join(sorted(self._by_name)))
        return self._by_name[name]

    def default_for(self, type_name: str) -> Adapter:
        """What an agency gets that named no format for this message type: plain JSON."""
        return self.by_name(f"json:{type_name}")


def adapters_for(types: Collection[str], third_party: Iterable[Adapter] = ()) -> Registry:
    """The written adapters, plain JSON for each declared message type, and then what others wrote: it
    never takes a message from ours. Raises settings.invalid if one of those reads no declared type."""
    others = tuple(third_party)
    if not all(adapter.type in types for adapter in others):
        raise _unknown("adapters", "of a declared message type")
    return Registry((*ADAPTERS, *(adapter_for(name) for name in types), *others))


_CHARSET = re.compile(r"charset\s*=\s*\"?([^\";\s]*)", re.IGNORECASE)


def _charset(parameters: str) -> str:
    """The charset among the parameters of a media type, empty where there is none. Two that differ are no
    charset that a body could have."""
    names = (name.lower() for name in _CHARSET.findall(parameters))
    return " ".join(dict.fromkeys(UNICODE if name == "utf8" else name for name in names))


def _is_said(charset: str, media: str, body: bytes) -> bool:
    """Whether a body says the charset of its media type, too. Some readers believe the one and some the other
    (RFC 7303, 3), so the two may not differ; ASCII is UTF-8 as well. JSON is UTF-8; what else there is says
    none, so its format does, and refuses what is not in it."""
    if not media.endswith("xml"):
        return charset == UNICODE or (charset in ENCODINGS and not media.endswith("json"))
    encoding = encoding_of(body, _encodings(media))
    return charset == encoding or (charset, encoding) == (UNICODE, "us-ascii")


def _encodings(media: str) -> Collection[str]:
    """FHIR has one encoding, in its own media type and where a body is read as FHIR."""
    return (UNICODE,) if media.startswith("application/fhir") else ENCODINGS


def _sniff(media: str, body: bytes) -> Sniff:
    if media.endswith("xml"):
        tree = read_xml(body, _encodings(media))
        tag = str(tree.tag)
        return Sniff(media, root=tag, document=outline(tree) if tag.startswith(FHIR) else {}, tree=tree)
    if media == PACKAGE:
        return Sniff(media, document=read_headers(body))
    if media.endswith("json"):
        return Sniff(media, document=read_json(body))
    return Sniff(media, head=body[:HEAD])


def _unknown(at: str, expected: str) -> HubError:
    return HubError("settings.invalid", [Finding(at, "adapter", expected)])
