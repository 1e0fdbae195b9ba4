"""Understands a Dialogmelding in MsgHead 1.2, as health services and NAV exchange it.

Wire:   KITH Dialogmelding 1.0 (2006-10-11) and 1.1 (2013-01-23); attachments as base64 documents after it.
Units:  days as they are written; a moment without a zone is Norwegian time.
Quirks: one use per message, told by MsgInfo/Type; NAV sends 1.0, and an office of its own by a local number.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from dataclasses import replace

from adapters.base import Adapter, Sniff
from adapters.kith.message import contents, in_msghead
from adapters.kith.msghead import BASE64_CONTAINER, msghead
from adapters.kith.tables import El, everything
from adapters.kith_dialog.table import NS_1_0, NS_1_1, payload
from adapters.kith_dialog.uses import USES

TYPE = "dialogmelding"
_ATTACHED = f"{{{BASE64_CONTAINER}}}Base64Container"


_NEW = "Dialogmelding 1.0 has no element for it"


def _envelope(namespace: str) -> El:
    return msghead(USES[0], payload(namespace), others=USES[1:], about_nobody="patient-of-dialog")


def _fields(namespace: str) -> frozenset[str]:
    return frozenset(one.field for one in everything(_envelope(namespace)) if one.field)


def _adapter(name: str, namespace: str) -> Adapter:
    content = payload(namespace)
    loses = dict.fromkeys(sorted(_fields(NS_1_1) - _fields(namespace)), _NEW)
    adapter = in_msghead(name, TYPE, USES, content, envelope=_envelope(namespace), loses=loses)

    def recognise(sniff: Sniff) -> bool:
        """Not one with documents of other standards beside the dialog: it would lose them."""
        if not adapter.recognise(sniff) or sniff.tree is None:
            return False
        return contents(sniff.tree) <= {content.tag, _ATTACHED}

    return replace(adapter, recognise=recognise)


V1_0 = _adapter("kith-dialog-1.0", NS_1_0)
V1_1 = _adapter("kith-dialog-1.1", NS_1_1)
ADAPTERS = (V1_0, V1_1)
