"""`atlas status` for people: where a run stands, how fast it goes, which worker makes what, and the counts of each layer."""

from datetime import UTC, datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from atlas.engine.progress import clock

COLOURS = {"running": "green", "done": "cyan", "stopped": "yellow", "interrupted": "yellow"}
# the colour of each count that is not zero; `ok` is left out, since it is done - dead
COUNTS = {"planned": "", "done": "", "dead": "dim", "failed": "red", "left": "yellow"}
WIDE = 1000  # columns in a pipe, where a reader can cut long lines but cannot join broken ones


def print_summary(state: dict[str, Any]) -> None:
    """Print to stdout a state as `query.state.read_state` returns it."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE)
    parts = [_title(state), _progress(state)]
    parts += [_workers(state["workers"])] if state["workers"] else []
    parts += [_parts(state["parts"])] if state["parts"] else []
    parts += [_layers(state)] if state["layers"] else []
    console.print(Group(*parts))


def _title(state: dict[str, Any]) -> Text:
    colour = COLOURS.get(state["state"], "")
    title = Text.assemble((state["name"] or state["atlas"], "bold"), "  ", (f"● {state['state']}", colour))
    at_work = [part["part"] for part in state["parts"] if part["state"] == "running"]
    if at_work:
        title.append(f"  {len(at_work)} of {len(state['parts'])} parts")
    elif state["state"] == "running":
        title.append(f"  process {state['pid']} on {state['host']}")
    if state["message"]:
        title.append(f"  {state['message']}")
    return title.append(f"\n{state['atlas']}", "dim")


def _progress(state: dict[str, Any]) -> Table:
    total = state["total"]
    settled = total["done"] + total["failed"]
    words = [f"{settled:,} of {total['planned']:,} images"]
    words += [f"{settled / total['planned']:.1%}"] if total["planned"] else []
    words += [f"{total[name]:,} {name}" for name in ("dead", "failed") if total[name]]
    words += [f"{state['rate']:.3g}/s"] if state["rate"] else []
    words += [f"{clock(state['eta_seconds'])} left"] if state["eta_seconds"] is not None and total["left"] else []
    line = Table.grid(padding=(0, 2))
    bar = ProgressBar(total=max(total["planned"], 1), completed=settled, width=32, complete_style="green")
    line.add_row(bar, Text(" · ".join(words)))
    return line


def _workers(workers: list[dict[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("slot", "where", "doing", "items", "for"):
        table.add_column(name, justify="right" if name in ("slot", "items", "for") else "left", no_wrap=True)
    for worker in workers:
        doing = worker.get("doing") or worker.get("model")
        cells = (worker.get("slot"), worker.get("where"), doing, worker.get("items"))
        table.add_row(*(Text("-" if cell is None else str(cell)) for cell in cells), _since(worker.get("since")))
    return table


def _parts(parts: list[dict[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    names = ("total", "done", "failed", "left", "rate")
    for name in ("part", "state", "where", *names):
        table.add_column(name, justify="right" if name in names else "left", no_wrap=True)
    for part in parts:
        where = f"{part['host']}:{part['pid']}" if part["host"] else "-"
        cells = ["-" if part[name] is None else f"{part[name]:,}" for name in names[:-1]]
        rate = f"{part['rate']:.3g}/s" if part["rate"] else "-"
        table.add_row(part["part"], Text(part["state"], COLOURS.get(part["state"], "dim")), where, *cells, rate)
    return table


def _since(moment: str | None) -> str:
    """The time since an ISO date, as a clock shows it; `-` when it is no date."""
    try:
        return clock(max(0.0, (datetime.now(UTC) - datetime.fromisoformat(moment or "")).total_seconds()))
    except (ValueError, TypeError):
        return "-"


def _layers(state: dict[str, Any]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold", show_footer=len(state["layers"]) > 1)
    table.add_column("model", "all", no_wrap=True)
    table.add_column("layer", no_wrap=True)
    for name in COUNTS:
        table.add_column(name, f"{state['total'][name]:,}", justify="right", no_wrap=True)
    for row in state["layers"]:
        counts = (Text(f"{row[name]:,}", COUNTS[name] if row[name] else "dim") for name in COUNTS)
        table.add_row(Text(row["model"]), Text(row["layer"]), *counts)
    return table
