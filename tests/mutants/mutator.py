"""Small mistakes, made on purpose in a module's source, one at a time. Pure.

Each is one that a person makes: a comparison or a sign turned around, an edge moved by one, a
condition left out, a value dropped. What a type checker or an import finds is not worth a mutant,
nor is how many characters a sentence quotes.
"""

import ast
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_NAMED = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed place of a module: where, what became of it, and the whole new source."""

    line: int
    where: str
    """The function, class or constant that it is in."""
    change: str
    source: str


def mutants_of(source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    tree = ast.parse(source)
    places = [node for node in ast.walk(tree) if hasattr(node, "lineno")]
    for number in sorted(range(len(places)), key=lambda n: (places[n].lineno, n)):
        if _is_said_to_people_or_tools(tree, places[number]):
            continue
        conditions = {id(each) for each in _plain_conditions(tree)}
        negated = [_Change("not")] if id(places[number]) in conditions else []
        for change in [*_changes(places[number]), *negated]:
            copied = deepcopy(tree)
            node = [each for each in ast.walk(copied) if hasattr(each, "lineno")][number]
            was = ast.unparse(node)
            changed = change.apply(node)
            text = ast.unparse(ast.fix_missing_locations(_replaced(copied, node, changed)))
            line = places[number].lineno
            yield Mutant(line, _name_at(tree, line), f"{was} -> {ast.unparse(changed)}", text)


@dataclass(frozen=True, slots=True)
class _Change:
    """How a node becomes another one of the same place."""

    kind: str
    index: int = 0

    def apply(self, node: ast.AST) -> ast.expr:  # noqa: C901 - one case a kind
        match self.kind, node:
            case "compare", ast.Compare():
                node.ops[self.index] = _COMPARED[type(node.ops[self.index])]()
                return node
            case "count", ast.BinOp():
                node.op = _COUNTED[type(node.op)]()
                return node
            case "either", ast.BoolOp():
                node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
                return node
            case "drop", ast.BoolOp():
                left = [each for place, each in enumerate(node.values) if place != self.index]
                return left[0] if len(left) == 1 else ast.BoolOp(node.op, left)
            case "negate", ast.UnaryOp():
                return node.operand
            case "not", ast.expr():
                return ast.UnaryOp(ast.Not(), deepcopy(node))
            case "true" | "false", ast.expr():
                return ast.Constant(self.kind == "true")
            case "edge", ast.Constant():
                return ast.Constant(int(node.value) + 1)  # type: ignore[arg-type]  # an int, by `_changes`
            case "name", ast.Name():
                return ast.Name(_NAMED[node.id], ast.Load())
            case _:
                raise AssertionError(f"{self.kind} of {type(node).__name__}")


def _changes(node: ast.AST) -> Iterator[_Change]:  # noqa: C901 - one case a kind
    match node:
        case ast.Compare():
            for index, op in enumerate(node.ops):
                if type(op) in _COMPARED:
                    yield _Change("compare", index)
        case ast.BinOp() if type(node.op) in _COUNTED:
            yield _Change("count")
        case ast.BoolOp():
            yield _Change("either")
            for index in range(len(node.values)):
                yield _Change("drop", index)
        case ast.UnaryOp(op=ast.Not()):
            yield _Change("negate")
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            yield _Change("edge")
        case ast.Constant(value=bool(value)):
            yield _Change("false" if value else "true")
        case ast.Name(id=name) if name in _NAMED and isinstance(node.ctx, ast.Load):
            yield _Change("name")
        case _:
            return


def _name_at(tree: ast.Module, line: int) -> str:
    """What stands there, from the outermost class, function or constant to the innermost."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or line):
            match node:
                case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                    names.append(name)
                case ast.Assign(targets=[ast.Name(id=name)]) if node in tree.body:
                    names.append(name)
                case _:
                    continue
    return ".".join(names)


def _plain_conditions(tree: ast.AST) -> Iterator[ast.expr]:
    """What is asked for as it stands: other conditions hold places of their own."""
    for node in ast.walk(tree):
        tests: list[ast.expr] = []
        match node:
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
                tests = [test]
            case ast.comprehension(ifs=ifs):
                tests = ifs
            case ast.match_case(guard=ast.expr() as guard):
                tests = [guard]
            case _:
                continue
        yield from (test for test in tests if isinstance(test, ast.Name | ast.Attribute | ast.Call))


def _replaced(tree: ast.AST, old: ast.AST, new: ast.AST) -> ast.AST:
    class Replacing(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return new if node is old else super().generic_visit(node)

    return Replacing().visit(tree)


def _is_said_to_people_or_tools(tree: ast.AST, node: ast.AST) -> bool:
    said = (part for holder in ast.walk(tree) for part in _said_to_people_or_tools(holder))
    return any(node in ast.walk(part) for part in said)


def _said_to_people_or_tools(holder: ast.AST) -> Iterator[ast.AST]:
    """Annotations say nothing at run time, `slots=True` or a cache's size nothing that shows."""
    match holder:
        case ast.AnnAssign():
            yield holder.annotation
        case ast.arg(annotation=ast.expr() as annotation):
            yield annotation
        case ast.ClassDef():
            yield from holder.decorator_list
        case ast.FunctionDef():
            yield from holder.decorator_list
            yield from filter(None, [holder.returns])
        case ast.FormattedValue(value=ast.Subscript(slice=ast.Slice() as cut)):
            yield cut
        case _:
            return
