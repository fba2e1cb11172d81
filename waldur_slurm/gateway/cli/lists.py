"""Lists: jobs of the queue and of the accounting, nodes, partitions, and what one may do."""

import argparse
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar

import msgspec

from waldur_slurm.gateway.cli.exits import DONE
from waldur_slurm.gateway.cli.jobs import EFFICIENCY, FIELDS, HISTORY, QUEUE, Cell
from waldur_slurm.gateway.cli.tables import Column
from waldur_slurm.gateway.cli.terminal import Terminal
from waldur_slurm.gateway.cli.words import NOTHING, memory, part_of, share
from waldur_slurm.gateway.client import Gateway
from waldur_slurm.gateway.paging import A_PAGE
from waldur_slurm.gateway.wire_cluster import HistoryAnswer, JobsAnswer, NodeView

Page = TypeVar("Page", JobsAnswer, HistoryAnswer)


def list_jobs(gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace) -> int:
    pages = gateway.job_pages(
        **_narrowed(arguments), node=arguments.node, sort=arguments.sort, **_page(arguments.limit)
    )
    _show(terminal, arguments, _together(pages, arguments.limit, terminal), QUEUE)
    return DONE


def list_history(gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace) -> int:
    """As many as were asked for; that there are more is said."""
    more = {"efficiency": True} if arguments.efficiency else {}
    pages = gateway.history_pages(
        **_narrowed(arguments),
        since=arguments.since,
        until=arguments.until,
        **more,
        **_page(arguments.limit),
    )
    cells = (*HISTORY[:-1], *EFFICIENCY, HISTORY[-1]) if arguments.efficiency else HISTORY
    found = _together(pages, arguments.limit, terminal)
    _show(terminal, arguments, found, cells)
    if found.next:
        terminal.say(f"There are more than {arguments.limit}; --limit 0 lists all of them.")
    return DONE


def list_nodes(gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace) -> int:
    answer = gateway.nodes()
    columns = (
        *(Column("NODE"), Column("STATE", gives=True), Column("CPUS", is_right=True)),
        *(Column("MEMORY", is_right=True), Column("GPUS", is_right=True)),
        *(Column("PARTITIONS", gives=True), Column("WHY", gives=True)),
    )
    rows = [_node(node) for node in answer.nodes]
    return _list(terminal, arguments, answer, columns, rows)


def list_usage(gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace) -> int:
    answer = gateway.usage()
    columns = (
        *(Column("PARTITION"), Column("STATE"), Column("LOAD", is_right=True)),
        *(Column("CPUS", is_right=True), Column("MEMORY", is_right=True)),
    )
    rows = [
        (
            row.partition,
            row.state,
            share(row.load),
            part_of(row.cpus_used, row.cpus),
            f"{memory(row.mem_mb_used)}/{memory(row.mem_mb)}",
        )
        for row in answer.partitions
    ]
    return _list(terminal, arguments, answer, columns, rows)


def list_me(gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace) -> int:
    me = gateway.me()
    if arguments.json:
        terminal.json(me)
        return DONE
    pairs = [("You are", f"{me.kind} {me.name}".strip()), ("User", me.user or NOTHING)]
    terminal.labelled([*pairs, ("Acts for", me.run_as or "nobody")])
    columns = (Column("SCOPE"), Column("MAY"), Column("WHAT", gives=True))
    rows = [(may.scope, "yes" if may.allowed else "no", may.means) for may in me.scopes]
    terminal.table(columns, rows)
    return DONE


def _narrowed(arguments: argparse.Namespace) -> dict[str, str]:
    names = ("user", "account", "partition", "qos", "state", "name")
    return {name: getattr(arguments, name) for name in names}


def _page(limit: int) -> dict[str, int]:
    """Ask for no more than is wanted."""
    return {"limit": min(limit, A_PAGE)} if limit else {}


def _together(pages: Iterator[Page], limit: int, terminal: Terminal) -> Page:
    """Make one answer of as many pages as are wanted."""
    with terminal.waiting("asking the gateway") as spinner:
        first: Page = next(pages)
        jobs, following = [*first.jobs], first.next
        while following and (not limit or len(jobs) < limit):
            spinner.said = f"{len(jobs)} jobs so far"
            page = next(pages)
            jobs += page.jobs
            following = page.next
    kept = tuple(islice(jobs, limit or None))
    return msgspec.structs.replace(first, jobs=kept, next=following)


def _show(
    terminal: Terminal, arguments: argparse.Namespace, found: Page, cells: Sequence[Cell]
) -> None:
    if arguments.json:
        terminal.json(found)
    elif arguments.csv:
        rows = [[read(job) for read in FIELDS.values()] for job in found.jobs]
        terminal.csv([*FIELDS], rows)
    else:
        columns = [cell.column for cell in cells]
        terminal.table(columns, [[cell.read(job) for cell in cells] for job in found.jobs])
    if found.unreadable:
        terminal.say(f"{found.unreadable} more are there, and are not understood.")


def _list(
    terminal: Terminal,
    arguments: argparse.Namespace,
    answer: msgspec.Struct,
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
) -> int:
    if arguments.json:
        terminal.json(answer)
    elif arguments.csv:
        terminal.csv([column.name.lower() for column in columns], rows)
    else:
        terminal.table(columns, rows)
    return DONE


def _node(node: NodeView) -> tuple[str, ...]:
    return (
        node.name,
        "+".join((node.state, *node.flags)),
        part_of(node.cpus_allocated, node.cpus),
        f"{memory(node.mem_mb_allocated)}/{memory(node.mem_mb)}",
        part_of(node.gpus_allocated, node.gpus) if node.gpus else NOTHING,
        ",".join(node.partitions),
        node.why.text if node.why else "",
    )
