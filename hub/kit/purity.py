"""Understands what the code of an adapter may use, before a line of it runs: names of a short list, and what
the modules made for adapters define themselves.

It looks at syntax trees, so it finds mistakes and not malice: whoever wants to hide something can. The code
of a stranger is read by a person before it is enabled.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType

from hub.errors import Finding

_ROOT = Path(__file__).resolve().parents[2]


@cache
def _public(module: str) -> frozenset[str]:
    """What a module of the standard library offers, without the modules that it happens to use."""
    named = vars(importlib.import_module(module)).items()
    return frozenset(n for n, value in named if n[:1] != "_" and not isinstance(value, ModuleType))


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


NAMES: Mapping[str, frozenset[str]] = {
    "__future__": _words("annotations"),
    "abc": _words("ABC abstractmethod"),
    "base64": _words("b64decode b64encode standard_b64decode standard_b64encode"),
    "binascii": _words("Error a2b_base64 b2a_base64 crc32 hexlify unhexlify"),
    "calendar": _words("isleap monthrange"),
    "collections": _words("ChainMap Counter OrderedDict defaultdict deque namedtuple"),
    "collections.abc": _public("collections.abc"),
    "contextlib": _words("contextmanager nullcontext suppress"),
    "copy": _words("copy deepcopy"),
    "csv": _words("DictReader DictWriter Error QUOTE_ALL QUOTE_MINIMAL QUOTE_NONE reader writer"),
    "dataclasses": _words("KW_ONLY asdict astuple dataclass field fields is_dataclass replace"),
    "datetime": _words("UTC date datetime time timedelta timezone tzinfo"),
    "decimal": _public("decimal"),
    "enum": _words("Enum Flag IntEnum IntFlag StrEnum auto unique"),
    "fnmatch": _words("fnmatchcase"),
    "fractions": _words("Fraction"),
    "functools": _words("cache cached_property lru_cache partial reduce singledispatch total_ordering wraps"),
    "hashlib": _words("md5 sha1 sha256 sha384 sha512"),
    "html": _words("escape unescape"),
    "hub.errors": _words("Finding HubError"),
    "hub.message": _words("ANY Category Purpose Record Sector walk"),
    "io": _words("BytesIO StringIO"),
    "itertools": _public("itertools"),
    "json": _words("JSONDecodeError dumps loads"),
    "lxml": _words("etree"),
    "lxml.etree": _words("CDATA Element QName SubElement _Element cleanup_namespaces indent tostring"),
    "math": _public("math"),
    "operator": _words("add and_ eq ge gt itemgetter le lt mul ne neg not_ or_ sub"),
    "pathlib": _words("Path PurePosixPath"),
    "pydantic": _words("BaseModel ConfigDict Field ValidationError field_validator model_validator"),
    "re": _public("re"),
    "string": _public("string") - {"Formatter"},
    "struct": _words("Struct calcsize error pack unpack unpack_from"),
    "textwrap": _words("dedent fill indent shorten wrap"),
    "types": _words("MappingProxyType NoneType SimpleNamespace"),
    "typing": _public("typing") - {"get_type_hints", "ForwardRef"},
    "unicodedata": _words("category combining name normalize"),
    "urllib.parse": _words("parse_qs quote unquote urlencode urljoin urlsplit urlunsplit"),
    "uuid": _words("NAMESPACE_DNS NAMESPACE_OID NAMESPACE_URL UUID uuid3 uuid5"),
    "xml.sax.saxutils": _words("escape quoteattr unescape"),
    "zlib": _words("adler32 compress crc32 decompressobj error"),
    "zoneinfo": _words("ZoneInfo ZoneInfoNotFoundError"),
}
"""By module: what may be taken from it. XML is read with adapters.safe_xml, which bounds what it unfolds."""

TREES = ("fhir.resources", "fhir_core", "stdnum")
"""Below these, everything that does not begin with an underscore."""

NOT_FOR_ADAPTERS = frozenset({"adapters.registry", "adapters.third_party"})

_FUNCTIONS = _words(
    """abs all any ascii bin bool bytearray bytes callable chr classmethod complex dict divmod enumerate
    filter float format frozenset hasattr hash hex id int isinstance issubclass iter len list map max
    min next object oct ord pow property range repr reversed round set slice sorted staticmethod str sum
    super tuple type zip NotImplemented Ellipsis"""
)
_MARKED = _words("__file__ __name__ __doc__ __all__ __init__ __qualname__")
"""Names in double underscores that may be used."""

_REACHING = _words(
    """write_text write_bytes unlink mkdir rmdir touch chmod symlink_to hardlink_to urlopen system popen
    import_module utcnow uuid1 uuid4 extractall getroottree write_c14n parents cwd home expanduser modules
    rename read_link iterdir glob rglob"""
)
"""Names that no adapter has a use for, whatever they are of."""

_CALLED = _words("open now today exec eval")
"""And what it may have as a name, but not call."""

_CHANGING = _words(
    """append add update extend insert setdefault pop popitem clear remove discard sort reverse appendleft
    popleft extendleft __setitem__"""
)
_UPWARD = re.compile(r"(^|/)\.\.(/|$)")

_ALLOWED_IMPORT = (
    "what hub/kit/purity.py lists: words of the standard library, what the modules in adapters/ define "
    "themselves, hub.message, hub.errors, the folder itself; XML is read with adapters.safe_xml"
)


def purity(folder: Path, package: str) -> tuple[Finding, ...]:
    """What an adapter has and may not use, by file and line. `package` is the dotted name of the folder."""
    found: dict[Finding, None] = {}
    for path in sorted(folder.rglob("*.py")):
        at = str(path.relative_to(folder))
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, RecursionError):
            found[Finding(at, "python", "a file that Python can read")] = None
            continue
        for node, rule, says in _File(folder, package, path, tree).faults():
            found[Finding(at, rule, says, getattr(node, "lineno", None))] = None
    return tuple(found)


_Fault = tuple[ast.AST, str, str]


@dataclass
class _File:
    """One file of an adapter's folder."""

    folder: Path
    package: str
    path: Path
    tree: ast.Module
    modules: dict[str, str] = field(default_factory=dict)
    """By the name that it has here: each module that is imported."""

    def faults(self) -> Iterator[_Fault]:
        nodes = list(ast.walk(self.tree))
        for node in nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from self._imported(node)
        above = {child: node for node in nodes for child in ast.iter_child_nodes(node)}
        for node in nodes:
            yield from self._used(node, above)
        yield from _state(self.tree)

    # ------------------------------------------------------------------------------------- imports

    def _imported(self, node: ast.Import | ast.ImportFrom) -> Iterator[_Fault]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name not in NAMES or ("." in alias.name and not alias.asname):
                    yield node, "import", _ALLOWED_IMPORT
                self.modules[alias.asname or alias.name.partition(".")[0]] = alias.name
            return
        module = self._absolute(node)
        for alias in node.names:
            if not self._offers(module, alias.name):
                yield node, "import", _ALLOWED_IMPORT
            whole = f"{module}.{alias.name}"
            if whole in NAMES or module.partition(".")[0] == "stdnum" or self._source(whole) is not None:
                self.modules[alias.asname or alias.name] = whole

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        here = [*self.package.split("."), *self.path.relative_to(self.folder).parts[:-1]]
        above = here[: len(here) - (node.level - 1)] if node.level - 1 < len(here) else []
        return ".".join([*above, *([node.module] if node.module else [])])

    def _offers(self, module: str, name: str) -> bool:
        """Whether this name of this module may be used."""
        if module in NAMES:
            return name in NAMES[module]
        if any(module == tree or module.startswith(f"{tree}.") for tree in TREES):
            return name[:1] not in ("_", "*")
        whole = f"{module}.{name}"
        if module in NOT_FOR_ADAPTERS or whole in NOT_FOR_ADAPTERS:
            return False
        if self._source(whole) is not None:
            return True
        source = self._source(module)
        return source is not None and name in _defined(source)

    def _source(self, module: str) -> Path | None:
        """The file of a module of ours for adapters, or of the folder itself."""
        if module == self.package or module.startswith(f"{self.package}."):
            below = module.removeprefix(self.package).strip(".")
            base = self.folder.joinpath(*below.split(".")) if below else self.folder
        elif module.partition(".")[0] == "adapters":
            base = _ROOT.joinpath(*module.split("."))
        else:
            return None
        places = (base.with_name(f"{base.name}.py"), base / "__init__.py")
        return next((place for place in places if place.is_file()), None)

    # ---------------------------------------------------------------------------------------- names

    def _used(self, node: ast.AST, above: Mapping[ast.AST, ast.AST]) -> Iterator[_Fault]:
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                yield from self._name(node, name, above.get(node))
            case ast.Attribute(attr=name):
                yield from self._attribute(node, name)
            case ast.Constant(value=str(text)) if _UPWARD.search(text):
                yield node, "path", "no way out of the folder"
            case ast.ExceptHandler(type=None):
                yield node, "except", "an exception by name: what nobody foresaw must not be swallowed"
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in _CALLED:
                yield node, "call", f"no {name}(): bytes to record, record to bytes, nothing else"

    def _name(self, node: ast.AST, name: str, parent: ast.AST | None) -> Iterator[_Fault]:
        refused = name.startswith("__") and name not in _MARKED
        known = getattr(builtins, name, None)
        is_error = isinstance(known, type) and issubclass(known, BaseException)
        if refused or (hasattr(builtins, name) and name not in _FUNCTIONS and not is_error):
            if name not in _MARKED:
                yield node, "call", f"no {name}: bytes to record, record to bytes, nothing else"
        elif name in self.modules and not isinstance(parent, ast.Attribute):
            yield node, "module", "a name out of the module, not the module"
        elif name == "Path" and isinstance(parent, ast.Call) and parent.func is node:
            if not (len(parent.args) == 1 and _is_file(parent.args[0])):
                yield node, "path", "Path(__file__) and what lies beside it"
        elif name == "Path" and isinstance(parent, ast.Attribute | ast.Assign):
            yield node, "path", "Path(__file__) and what lies beside it"

    def _attribute(self, node: ast.Attribute, name: str) -> Iterator[_Fault]:
        if (name.startswith("__") and name not in _MARKED) or name in _REACHING:
            yield node, "call", f"no {name}: bytes to record, record to bytes, nothing else"
        module = self.modules.get(node.value.id, "") if isinstance(node.value, ast.Name) else ""
        if module and not self._offers(module, name):
            yield node, "import", _ALLOWED_IMPORT
        if name == "parent" and not _in_folder(node, len(self.path.relative_to(self.folder).parts)):
            yield node, "path", "Path(__file__) and what lies beside it"


def _is_file(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "__file__"


def _in_folder(node: ast.expr, deep: int) -> bool:
    """Whether so many times `.parent` of Path(__file__) is still in the folder; of anything else it is not
    known. A field that is called so is no path: it is looked at in a record by its name."""
    while isinstance(node, ast.Attribute) and node.attr == "parent":
        node, deep = node.value, deep - 1
    return isinstance(node, ast.Call) and deep >= 0 and bool(node.args) and _is_file(node.args[0])


@cache
def _defined(file: Path) -> frozenset[str]:
    """The names that a file defines itself; what it imports belongs to somebody else."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return frozenset()
    return frozenset(_bound(tree.body))


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign() | ast.AnnAssign() | ast.For() | ast.With():
                yield from (
                    n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
                )
            case ast.If() | ast.Try():
                yield from _bound(node.body)


# ------------------------------------------------------------------------------------------- state

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def _state(tree: ast.Module) -> Iterator[_Fault]:
    """What a function changes outside of itself: the next message would meet what this one left behind."""
    outside = frozenset(_bound(tree.body))
    for node in tree.body:
        yield from _changed(node, outside, inside=False)


def _changed(node: ast.AST, outside: frozenset[str], *, inside: bool) -> Iterator[_Fault]:
    says = "nothing that stays from one message to the next"
    if isinstance(node, _Function):
        defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
        for default in defaults:
            if isinstance(default, ast.List | ast.Dict | ast.Set):
                yield default, "state", says
        outside, inside = outside - _own(node), True
    if inside:
        targets: list[ast.expr] = []
        match node:
            case ast.Global():
                yield node, "state", says
            case ast.Assign(targets=several) | ast.Delete(targets=several):
                targets = several
            case ast.AugAssign(target=one) | ast.AnnAssign(target=one):
                targets = [one]
            case ast.Call(func=ast.Attribute(value=of, attr=name)) if name in _CHANGING:
                if _root(of) in outside:
                    yield node, "state", says
        for target in targets:
            if isinstance(target, ast.Subscript | ast.Attribute) and _root(target) in {*outside, "cls"}:
                yield node, "state", says
    for child in ast.iter_child_nodes(node):
        yield from _changed(child, outside, inside=inside)


def _own(function: _Function) -> frozenset[str]:
    given = function.args
    names = {arg.arg for arg in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
    names |= {arg.arg for arg in (given.vararg, given.kwarg) if arg is not None}
    stored = (n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    return frozenset((*names, *stored))


def _root(node: ast.expr) -> str:
    """The name that a chain of attributes and subscripts begins with."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
