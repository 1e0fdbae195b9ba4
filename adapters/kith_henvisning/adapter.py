"""Understands a referral as national XML: Henvisning 1.0 and 1.1 with a root of their own, 2.0 in MsgHead.

Wire:   1.0 (2005-07-08), 1.1 (2012-02-15); 2.0 (2017-11-30) with MsgInfo/Type for new or passed on.
Units:  points in time as they are written; a day is its midnight where a moment is demanded.
Quirks: the receiver is ServProvider; a change or a recall is told by ServType, with the same document id.
Agreed: README.md beside this file.
"""

from __future__ import annotations

from adapters.base import Adapter
from adapters.kith.message import alone, in_msghead, losses, own_root
from adapters.kith.msghead import msghead
from adapters.kith.tables import El
from adapters.kith_henvisning.new import CODES, payload
from adapters.kith_henvisning.old import V1_0, V1_1, Version, message

TYPE = "henvisning"


def _new() -> El:
    return msghead(CODES[0], payload(), others=CODES[1:])


_ALL = (message(V1_0), message(V1_1), _new())


def _old(version: Version) -> Adapter:
    root = message(version)
    number = version.name.rpartition("-")[2]
    return own_root(
        version.name, TYPE, root, version.codes, loses=losses(f"Henvisning {number}", root, *_ALL)
    )


def _in_msghead() -> Adapter:
    content, envelope = payload(), _new()
    loses = losses("Henvisning 2.0", envelope, *_ALL)
    adapter = in_msghead("kith-henvisning-2.0", TYPE, CODES, content, envelope=envelope, loses=loses)
    return alone(adapter, content)


ADAPTERS = (_old(V1_0), _old(V1_1), _in_msghead())
