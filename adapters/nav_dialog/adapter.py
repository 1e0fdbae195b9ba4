"""Understands a Dialogmelding in NAV's wrapper, as NAV's receiver hands it on inside NAV.

Wire:   EI_fellesformat (../nav/fellesformat.py) around MsgHead with Dialogmelding 1.0 or 1.1.
Units:  as in ../kith_dialog.
Quirks: ebService, ebAction and ebRole follow from what is asked or answered (../kith_dialog/services.csv).
Agreed: README.md beside this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.base import Adapter
from adapters.kith.message import wrapped
from adapters.kith.profile import Profile
from adapters.kith_dialog.adapter import ADAPTERS as BARE
from adapters.kith_dialog.uses import nav_names
from adapters.nav.fellesformat import Sending, fellesformat

_ROLES = {False: "Sykmelder", True: "Saksbehandler"}


def names(fields: Mapping[str, Any]) -> Sending:
    """The names of a dialog with NAV, whoever of the two sends it; none where NAV has no such dialog."""
    for from_nav, role in _ROLES.items():
        if (found := nav_names(fields, from_nav=from_nav)) is not None:
            return Sending(found.service, found.action, role)
    return Sending()


def _adapter(inner: Adapter) -> Adapter:
    assert isinstance(inner.profile, Profile)
    return wrapped(inner.name.replace("kith", "nav"), inner, fellesformat(inner.profile.root, names))


ADAPTERS = tuple(_adapter(inner) for inner in BARE)
