"""Understands which code an adapter may not have, and that what an adapter needs is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.kit.purity import purity

IMPURE = {
    "import socket": "import",
    "import os": "import",
    "import sys\nsys.modules": "import",
    "from subprocess import run": "import",
    "import hub.store.engine": "import",
    "from hub import vault": "import",
    "from hub.pipeline import receive": "import",
    "import mappings.types": "import",
    "from urllib.request import urlopen": "import",
    "import importlib": "import",
    "from re import *": "import",
    "from adapters.third_party import importlib, sys": "import",
    "from adapters.third_party import write_stamp": "import",
    "from adapters import third_party": "import",
    "from adapters import registry": "import",
    "from adapters.base import re": "import",
    "from adapters import base\nbase.re": "import",
    "from adapters.nothing import x": "import",
    "from .reading import json": "import",
    "from . import reading\nreading.json": "import",
    "from .. import x": "import",
    "import json\njson.codecs": "import",
    "import json\njson.decoder.scanstring": "import",
    "import re\nf(re)": "module",
    "from lxml import etree\netree.parse('x')": "import",
    "from lxml import etree\netree.XMLParser(no_network=False, load_dtd=True)": "import",
    "from lxml.etree import fromstring": "import",
    "from lxml import etree\nf = etree": "module",
    "import xml.etree.ElementTree": "import",
    "import yaml": "import",
    "from yaml import load": "import",
    "import zipfile\nzipfile.ZipFile('x', 'w')": "import",
    "import io\nio.FileIO('x')": "import",
    "import io\nio.open_code('x')": "import",
    "from io import open": "import",
    "import codecs": "import",
    "from operator import attrgetter": "import",
    "from types import FunctionType": "import",
    "from uuid import uuid4": "import",
    "import pathlib\npathlib.os": "import",
    "open('x')": "call",
    "eval('1')": "call",
    "f = exec": "call",
    "getattr(__builtins__, 'exec')": "call",
    "__import__('os')": "call",
    "().__class__.__bases__": "call",
    "vars()": "call",
    "from pathlib import Path\nPath(__file__).with_name('x').write_text('y')": "call",
    "from pathlib import Path\nf = Path(__file__).unlink": "call",
    "from pathlib import Path\nPath.home()": "path",
    "from pathlib import Path\nPath('x').read_text()": "path",
    "from pathlib import Path\nPath(__file__, 'x').read_text()": "path",
    "from pathlib import Path\n(Path(__file__) / '../x').read_text()": "path",
    "from pathlib import Path\nPath(__file__).parent.parent.read_text()": "path",
    "from pathlib import Path\nHERE = Path(__file__).parent\nHERE.parent": "path",
    "from pathlib import Path\nP = Path": "path",
    "import datetime\ndatetime.date.today()": "call",
    "from datetime import datetime\ndatetime.now()": "call",
    "try:\n    pass\nexcept:\n    pass": "except",
    "SEEN = {}\ndef parse(body):\n    SEEN[body] = 1": "state",
    "SEEN = []\ndef parse(body):\n    SEEN.append(body)": "state",
    "SEEN = []\ndef parse(body):\n    def inner():\n        SEEN.append(body)": "state",
    "def parse(body):\n    global last\n    last = body": "state",
    "def parse(body):\n    parse.last = body": "state",
    "def parse(body, seen=[]):\n    return seen": "state",
    "class A:\n    seen = []\n    def f(self, body):\n        A.seen.append(body)": "state",
    "class A:\n    @classmethod\n    def f(cls, body):\n        cls.last = body": "state",
    "A = {}\ndef parse(body):\n    del A['x']": "state",
    "N = {}\ndef parse(body):\n    N['x'] += 1": "state",
    "def f(:": "python",
}
PURE = [
    "import re\nre.compile('a')",
    "from adapters.base import Adapter\nfrom hub.message import Record\nfrom hub.errors import HubError",
    "from nordpost.reading import parse\nfrom .reading import parse as other",
    "from . import reading\nreading.parse",
    "from adapters.safe_xml import read_xml\nfrom adapters.kith import codes\ncodes.lists",
    "from lxml import etree\netree.tostring(etree.Element('a'))",
    "from fhir.resources.R4B.patient import Patient\nfrom stdnum.no import orgnr\norgnr.is_valid('1')",
    "from pathlib import Path\nT = Path(__file__).with_name('x').read_text()",
    "from pathlib import Path\nT = (Path(__file__).parent / 'x').read_text()\ndef f(p: Path) -> Path: ...",
    "def parse(body):\n    found = []\n    found.append(body)\n    found[0] = 1\n    return found",
    "SEEN = {}\nSEEN['a'] = 1\ndef parse(SEEN):\n    SEEN['x'] = 1",
    "class A:\n    def __init__(self):\n        self.seen = []\n        self.seen.append(1)",
    "from datetime import datetime\ndatetime.fromisoformat('2026-11-20').date()",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "reading.py").write_text("import json\n\n\ndef parse(body):\n    return json.loads(body)\n")
    return tmp_path


@pytest.mark.parametrize(("code", "rule"), IMPURE.items())
def test_impure_code_is_seen_by_file_and_line(folder: Path, code: str, rule: str) -> None:
    (folder / "adapter.py").write_text(code)

    found = purity(folder, "nordpost")

    assert (found[0].at, rule in {finding.rule for finding in found}) == ("adapter.py", True)
    assert rule == "python" or all(finding.line for finding in found)


@pytest.mark.parametrize("code", PURE)
def test_what_an_adapter_needs_is_pure(folder: Path, code: str) -> None:
    (folder / "adapter.py").write_text(code)

    assert purity(folder, "nordpost") == ()


def test_a_folder_below_may_look_at_what_lies_above_it_in_the_folder(folder: Path) -> None:
    (folder / "below").mkdir()
    (folder / "below" / "more.py").write_text(
        "from pathlib import Path\nfrom ..reading import parse\nPath(__file__).parent.parent"
    )

    assert purity(folder, "nordpost") == ()
