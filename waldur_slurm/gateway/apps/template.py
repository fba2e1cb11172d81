"""Templates of batch scripts: Jinja in a sandbox, what they may be given declared on top. Pure.

    {#
    parameters:
      command: {kind: lines, required: true}
    #}
    #!/bin/sh
    #SBATCH --comment={{ comment | sbatch }}
    srun {{ command | sh }}

Every value goes through a filter: `sh` makes it one word of a shell, `sbatch` the value of one
option. What goes through neither is refused, so that nobody's text ever is a piece of a script.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from waldur_slurm.gateway.apps.parameters import (
    BadTemplate,
    Parameters,
    is_one_line,
    parse_parameters,
    read_values,
)
from waldur_slurm.gateway.errors import WrongAsk

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
LONGEST = 256 * 1024
_HEAD = re.compile(r"\{#-?\n(?P<head>.*?)-?#\}\n?", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@%+-]+", re.ASCII)
_GO = re.compile(r"\{\{-?\s*(?:\.|(?:range|if|with|template|define)\s|end\s*-?\}\})")


@dataclass(frozen=True, slots=True)
class Template:
    """Checked: it can be rendered with whatever its parameters allow."""

    text: str
    parameters: Parameters

    def render(self, given: Mapping[str, object], *, takes_others: bool = False) -> str:
        """Return a script; raises `WrongAsk` for what was given, `BadTemplate` for the rest."""
        values = read_values(self.parameters, given, takes_others=takes_others)
        try:
            script = _environment().from_string(_body(self.text)).render(values)
        except WrongAsk:
            raise
        except (TemplateError, ArithmeticError, TypeError, ValueError) as error:
            raise BadTemplate(f"the template: {error}") from None
        if not script.startswith("#!"):
            raise BadTemplate("the template: its first line is no `#!`, so sbatch would refuse it")
        return script if script.endswith("\n") else f"{script}\n"


def parse_template(text: str) -> Template:
    """Read and check one, or raise `BadTemplate`."""
    if len(text) > LONGEST:
        raise BadTemplate(f"a template has at most {LONGEST} letters")
    if is_of_go(text):
        raise BadTemplate(
            "this is a template of Go; Jinja is expected, as in the one that is there"
        )
    head = _HEAD.match(text)
    declared: Any = _declared(head["head"]) if head else {}
    parameters = parse_parameters(declared.get("parameters") or {})
    try:
        tree = _environment().parse(_body(text))
    except TemplateError as error:
        raise BadTemplate(f"the template: {error}") from None
    for output in tree.find_all(nodes.Output):
        for shown in output.nodes:
            _check_shown(shown)
    return Template(text, parameters)


def is_of_go(text: str) -> bool:
    """Whether it is one of the first original's own language."""
    return _GO.search(text) is not None


def _declared(head: str) -> Mapping[str, object]:
    try:
        found = yaml.safe_load(head)
    except yaml.YAMLError:
        raise BadTemplate("the comment on top is not YAML") from None
    if not isinstance(found, Mapping) or not found.keys() <= {"parameters"}:
        raise BadTemplate("the comment on top declares `parameters`, and nothing else")
    return found


def _body(text: str) -> str:
    return _HEAD.sub("", text, count=1) if _HEAD.match(text) else text


def _check_shown(shown: nodes.Node) -> None:
    """Refuse what would put somebody's text into a script as it is."""
    if isinstance(shown, nodes.TemplateData | nodes.Const):
        return
    if isinstance(shown, nodes.Filter) and shown.name in ("sh", "sbatch"):
        return
    raise BadTemplate(f"the template, line {shown.lineno}: a value without `| sh` or `| sbatch`")


def sh(value: object) -> str:
    """Write it as one word of a shell, whatever it holds."""
    text = str(value)
    if "\0" in text:
        raise WrongAsk("a zero byte is in no word of a shell")
    return "'" + text.replace("'", "'\\''") + "'"


def sbatch(value: object) -> str:
    """Write it as the whole value of one option in an `#SBATCH` line, blanks and quotes and all."""
    text = str(value)
    if not is_one_line(text):
        raise WrongAsk("an option of sbatch has its value on a single line")
    if _PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        autoescape=False,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.clear()
    made.filters = {"sh": sh, "sbatch": sbatch, "length": len, "default": made.filters["default"]}
    return made
