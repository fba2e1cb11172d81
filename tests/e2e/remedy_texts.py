"""Every remedy that the code of a `check` may give, found by reading it."""

import ast
from collections.abc import Iterator
from pathlib import Path


def remedies_in(path: Path) -> Iterator[str]:
    """Each text of advice in a module: what is fixed in it, a variable part being a blank line."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef):
            for expression in advised(function):
                yield from texts(expression)


def advised(function: ast.FunctionDef) -> Iterator[ast.expr]:
    """Where a function says what to do: to whom it reports, or as what others put into a report."""
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Name(id="failed" | "warning"), args=[_, _, advice]):
                assert_known(advice)
                yield advice
            case ast.Call(func=ast.Name(id="Obstacle"), args=[_, cure]):
                assert_known(cure)
                yield cure
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in NAMED:
                yield value
            case ast.Return(value=ast.expr() as value) if function.name in ADVISERS:
                yield value
            case ast.Yield(value=ast.Tuple(elts=[_, advice])) if function.name.endswith(
                "_mistakes"
            ):
                yield advice


NAMED = {"advice", "cure", "by_root", "whole"}
"""Variables that hold advice until it is given."""
ADVISERS = {"_reach_advice", "given_to"}


def assert_known(advice: ast.expr) -> None:
    """Advice that comes from elsewhere comes from where it is looked for."""
    called = {
        ast.unparse(node.func).rpartition(".")[2]
        for node in ast.walk(advice)
        if isinstance(node, ast.Call)
    }
    is_said_here = any(isinstance(node, ast.Constant) for node in ast.walk(advice))
    assert is_said_here or names_in(advice) & NAMED or called & ADVISERS, ast.unparse(advice)


def texts(expression: ast.expr) -> Iterator[str]:
    match expression:
        case ast.Constant(value=str() as text) if text:
            yield text
        case ast.JoinedStr() if names_in(expression) & NAMED:
            return  # a frame around advice that is looked at by itself
        case ast.JoinedStr(values=parts):
            yield "\n".join(str(p.value) for p in parts if isinstance(p, ast.Constant))
        case ast.IfExp(body=body, orelse=other):
            yield from texts(body)
            yield from texts(other)
        case ast.ListComp(elt=element):
            yield from texts(element)
        case _:
            return


def names_in(expression: ast.expr) -> set[str]:
    """Variables that it takes, and what it takes of others."""
    nodes = list(ast.walk(expression))
    variables = {node.id for node in nodes if isinstance(node, ast.Name)}
    return variables | {node.attr for node in nodes if isinstance(node, ast.Attribute)}
