"""The events that the code tells, found by reading it; pages for operators are held to them."""

import ast
import re
from collections.abc import Collection, Iterable, Iterator

from tests.places import PROJECT

EVENT = re.compile(r"[a-z_]+\.[a-z_]+")


def sources(folder: str = "", *, without: Collection[str] = ()) -> Iterator[ast.Module]:
    """The package's modules below a folder, but for those below others."""
    top = PROJECT / "waldur_slurm"
    for path in sorted((top / folder).rglob("*.py")):
        if not {top / other for other in without} & {*path.parents}:
            yield ast.parse(path.read_text(encoding="utf-8"))


def nodes(of: Iterable[ast.Module]) -> Iterator[ast.AST]:
    for source in of:
        yield from ast.walk(source)


def constants(node: ast.AST) -> set[str]:
    """Names of events that are written out anywhere below."""
    return {
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant)
        and isinstance(each.value, str)
        and EVENT.fullmatch(each.value)
    }


def called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def tellings(of: Iterable[ast.Module]) -> Iterator[tuple[str, ast.expr]]:
    """Each event whose level may be WARNING or ERROR: the function around it, and its name."""
    for function in nodes(of):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for call in ast.walk(function):
            if not isinstance(call, ast.Call):
                continue
            keywords = {each.arg: each.value for each in call.keywords}
            if called(call) == "Notice" and "is_trouble" in keywords:
                yield function.name, keywords["name"]
            elif called(call) == "Event":
                level = ast.unparse(keywords.get("level", ast.Constant("the default")))
                if level not in ("'the default'", "Level.DEBUG", "Level.INFO"):
                    yield function.name, keywords["name"]


def troubles(of: Iterable[ast.Module]) -> set[str]:
    """Every event that is, or may be, told as WARNING or ERROR.

    Where a function takes the name as an argument, its calls are where the names are.
    """
    of = list(of)
    found = [(function, constants(name)) for function, name in tellings(of)]
    tellers = {function for function, named in found if not named}
    passed = [
        constants(argument)
        for call in nodes(of)
        if isinstance(call, ast.Call) and called(call) in tellers
        for argument in call.args
    ]
    return set().union(*(named for _, named in found), *passed)


def explained(page: str) -> set[str]:
    """The events in the first column of the page's table of messages."""
    chapter = page.partition("## What a message asks of you\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| *(.+?) *\|", chapter, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
