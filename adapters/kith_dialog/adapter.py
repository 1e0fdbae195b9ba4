"""Understands a Dialogmelding in MsgHead 1.2, as health services and NAV exchange it.

Wire:   KITH Dialogmelding 1.0 (2006-10-11) and 1.1 (2013-01-23); appointments (xCal) and attachments as
        documents after it.
Units:  days as they are written; a moment without a zone is Norwegian time.
Quirks: one use per message, told by MsgInfo/Type; NAV sends 1.0, and an office of its own by a local number.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from adapters.base import Adapter
from adapters.kith.message import alone, in_msghead, losses
from adapters.kith.msghead import msghead
from adapters.kith.tables import El
from adapters.kith_dialog.calendar import calendar
from adapters.kith_dialog.table import NS_1_0, NS_1_1, payload
from adapters.kith_dialog.uses import USES

TYPE = "dialogmelding"


def _envelope(namespace: str) -> El:
    return msghead(USES[0], payload(namespace), calendar(), others=USES[1:], about="patient-of-dialog")


def _adapter(name: str, namespace: str) -> Adapter:
    content, envelope = payload(namespace), _envelope(namespace)
    loses = losses("Dialogmelding 1.0", envelope, _envelope(NS_1_1))
    return alone(in_msghead(name, TYPE, USES, content, envelope=envelope, loses=loses), content, calendar())


V1_0 = _adapter("kith-dialog-1.0", NS_1_0)
V1_1 = _adapter("kith-dialog-1.1", NS_1_1)
ADAPTERS = (V1_0, V1_1)
