"""Understands how the figures of the hub are printed: what it costs, measured here and now."""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from hub.cli.bench_adapters import adapters
from hub.cli.shown import say, say_json, table
from hub.errors import Finding, HubError

_ROOT = Path(__file__).resolve().parents[2]
_SIZES = (1_000, 10_000, 100_000, 1_000_000)


@click.group(epilog="\b\nExample:\n  bro bench decide")
def bench() -> None:
    """Measure what the hub costs on this machine."""


bench.add_command(adapters)


@bench.command(
    epilog="""\b
Examples:
  bro bench decide
  bro bench decide --most 100000 --json
  bro bench decide --postgres postgresql+psycopg://bro@localhost/empty
The PostgreSQL database must be an empty one of its own: it is filled and not cleared."""
)
@click.option("--times", default=2_000, show_default=True, help="Calls of each kind that are timed.")
@click.option(
    "--most", default=_SIZES[-1], show_default=True, help="Consents of others in the register, at most."
)
@click.option("--postgres", metavar="URL", help="Also with this PostgreSQL database.")
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def decide(times: int, most: int, postgres: str | None, as_json: bool) -> None:
    """Decisions per second with 1,000 rows and 200 consents, labelling, and the register as it grows.

    CPU time of one core for decisions and labels; for the register the time on the clock, as the
    database works elsewhere.
    """
    measured = _tools()
    decided, labelled = measured.decisions(times), measured.labelling(max(20, times // 4))
    figures: dict[str, Any] = {
        "decisions_per_second": round(decided.per_second),
        "leaves_per_message": decided.leaves,
        "message_ms": _ms(decided.message),
        "single_leaf_ms": _ms(decided.each),
        "labelling_2kb_ms": _ms(labelled),
        "register_ms": {},
    }
    sizes = [size for size in _SIZES if size <= most]
    with tempfile.TemporaryDirectory(prefix="bro-bench-") as folder:
        for name, url in (("sqlite", f"sqlite:///{folder}/bench.sqlite"), ("postgresql", postgres)):
            if url is not None:
                figures["register_ms"][name] = _register(measured, Path(folder) / name, url, sizes)
    if as_json:
        say_json(figures)
        return
    say(f"{figures['decisions_per_second']:,} decisions/s per core: leaves, {decided.leaves} in a message")
    rows = [
        ("message of leaves", figures["message_ms"]),
        ("single leaf, asked alone", figures["single_leaf_ms"]),
        ("labels of 2 kB with free text", figures["labelling_2kb_ms"]),
    ]
    for name, found in figures["register_ms"].items():
        rows += [(f"{name}: number to verdict, {row['others']:,} consents of others", row) for row in found]
    table(
        ("what", "median ms", "p99 ms", "to the first"),
        [(what, f"{ms['median']:.3f}", f"{ms['p99']:.3f}", _ratio(ms)) for what, ms in rows],
        empty="Nothing measured.",
    )


def _tools() -> Any:
    """The measuring lies with the tests: it is no part of the hub."""
    if str(_ROOT) not in sys.path:
        sys.path.insert(0, str(_ROOT))
    try:
        return importlib.import_module("tests.bench.decide")
    except ModuleNotFoundError:
        fault = Finding("tests/bench", "exists", "the tests, which come with the source")
        raise HubError("settings.invalid", [fault]) from None


def _register(measured: Any, keys: Path, url: str, sizes: list[int]) -> list[dict[str, Any]]:
    from hub.store.engine import Store
    from hub.vault import create_keys, open_vault

    create_keys(keys)
    store = Store(url)
    try:
        found = [(size, _ms(t)) for size, t in measured.register(store, open_vault(keys), sizes)]
    finally:
        store.close()
    first = found[0][1]["median"]
    return [{"others": size, **ms, "ratio": round(ms["median"] / first, 2)} for size, ms in found]


def _ms(times: Any) -> dict[str, float]:
    return {"median": round(times.median * 1e3, 4), "p99": round(times.p99 * 1e3, 4)}


def _ratio(ms: dict[str, float]) -> str:
    return f"{ms['ratio']:.2f}" if "ratio" in ms else ""
