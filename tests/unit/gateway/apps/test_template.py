"""Templates: what an administrator declares holds, and nobody's text is a piece of a script."""

import shlex

import pytest

from tests.places import PROJECT
from waldur_slurm.gateway.apps.parameters import BadTemplate
from waldur_slurm.gateway.apps.places import stock_template
from waldur_slurm.gateway.apps.template import Template, is_of_go, parse_template, sbatch, sh
from waldur_slurm.gateway.errors import WrongAsk

HOSTILE = 'it\'s "x" `id` $HOME \\ # ;\t|'


def template(parameters: str, body: str) -> Template:
    return parse_template(f"{{#\nparameters:\n{parameters}#}}\n#!/bin/sh\n{body}\n")


def test_the_stock_template_says_what_was_asked_for_and_no_more() -> None:
    script = stock_template().render({"command": "echo", "args": ["it's", "a b"]})

    assert script == "#!/bin/sh\n\nsrun 'echo' 'it'\\''s' 'a b'\n"


def test_every_field_of_the_stock_template_reaches_sbatch() -> None:
    script = stock_template().render(
        {
            "account": "physics",
            "job_name": "a name",
            "chdir": "/home/ann",
            "comment": HOSTILE.replace("\t", " "),
            "cpus_per_task": 2,
            "command": "true",
        }
    )
    lines = script.splitlines()

    assert lines[1:6] == [
        "#SBATCH --account=physics",
        '#SBATCH --job-name="a name"',
        "#SBATCH --chdir=/home/ann",
        '#SBATCH --comment="it\'s \\"x\\" `id` $HOME \\\\ # ; |"',
        "#SBATCH --cpus-per-task=2",
    ]


@pytest.mark.parametrize("text", [HOSTILE, "", "a\nb", "-x", "'", "''", "\\'"])
def test_a_word_of_a_shell_is_one_word_whatever_it_holds(text: str) -> None:
    assert shlex.split(f"echo {sh(text)}") == ["echo", text]


@pytest.mark.parametrize("text", ["physics --partition=low", 'a"b', "a\\", "a # b", "'"])
def test_a_value_of_sbatch_is_one_value_whatever_it_holds(text: str) -> None:
    assert shlex.split(f"--account={sbatch(text)}") == [f"--account={text}"]


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\x00", "a\x85b", "a\u2028b"])
def test_a_value_of_sbatch_has_no_second_line(text: str) -> None:
    with pytest.raises(WrongAsk):
        sbatch(text)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "command is missing"),
        ({"command": ""}, "command is missing"),
        ({"command": 5}, "command: expected a text"),
        ({"command": "x", "args": "x"}, "args: expected a list of texts"),
        ({"command": "x", "args": [1]}, "args: expected a list of texts"),
        ({"command": "x", "cpus_per_task": "2"}, "cpus_per_task: expected a whole number"),
        ({"command": "x", "cpus_per_task": True}, "cpus_per_task: expected a whole number"),
        ({"command": "x", "cpus_per_task": -1}, "cpus_per_task: expected from 0"),
        ({"command": "x", "account": "a\nb"}, "account: expected a single line"),
        ({"command": "x", "chdir": "tmp"}, "chdir: expected an absolute path"),
        ({"command": "x", "partition": "low"}, "'partition': there is no such parameter"),
    ],
)
def test_what_is_given_wrongly_is_refused_by_its_name(given: dict[str, object], words: str) -> None:
    with pytest.raises(WrongAsk, match=words):
        stock_template().render(given)


def test_what_is_not_declared_has_no_effect_where_others_are_taken() -> None:
    stock = stock_template()

    assert stock.render({"command": "x", "partition": "low"}, takes_others=True) == stock.render(
        {"command": "x"}
    )


def test_a_choice_and_a_default_are_what_was_declared() -> None:
    found = template(
        "  queue: {kind: choice, choices: [short, long], default: short}\n"
        "  loud: {kind: flag, default: false}\n",
        "#SBATCH --partition={{ queue | sbatch }}\n{% if loud %}set -x\n{% endif %}true",
    )

    assert found.render({}) == "#!/bin/sh\n#SBATCH --partition=short\ntrue\n"
    assert "set -x" in found.render({"loud": True})
    with pytest.raises(WrongAsk, match="queue: expected one of short, long"):
        found.render({"queue": "other"})


@pytest.mark.parametrize(
    "body",
    [
        "echo {{ command }}",
        "echo {{ command | sh }}{{ command }}",
        "echo {{ command | sh | default('') }}",
        "{% for each in [1] %}{{ each }}{% endfor %}",
        "{{ command ~ 'x' }}",
        "{{ ''.__class__.__mro__ | sh }}{{ 7 * 7 }}",
    ],
)
def test_a_value_that_goes_through_no_filter_is_refused_when_the_template_is_read(
    body: str,
) -> None:
    with pytest.raises(BadTemplate):
        template("  command: {kind: lines}\n", body)


@pytest.mark.parametrize(
    "expression",
    ["''.__class__.__mro__", "self.__init__", "range(9)", "cycler.__init__.__globals__", "nothing"],
)
def test_what_a_template_must_not_reach_it_does_not(expression: str) -> None:
    found = template("  command: {kind: lines}\n", f"echo {{{{ {expression} | sh }}}}")

    with pytest.raises(BadTemplate):
        found.render({})


@pytest.mark.parametrize(
    "parameters",
    [
        "  Command: {kind: text}\n",
        "  command: {kind: secret}\n",
        "  command: text\n",
        "  command: {kind: text, bytes: 3}\n",
        "  command: {kind: text, matches: '('}\n",
        "  command: {kind: text, most: many}\n",
        "  command: {kind: whole, default: x}\n",
        "  - command\n",
    ],
)
def test_a_declaration_that_is_not_understood_is_refused(parameters: str) -> None:
    with pytest.raises(BadTemplate):
        template(parameters, "true")


def test_a_script_that_sbatch_would_refuse_is_no_script() -> None:
    with pytest.raises(BadTemplate, match="first line"):
        parse_template("echo\n").render({})


def test_a_template_of_go_is_known_as_one() -> None:
    text = "#!/bin/sh\n{{if .Account}}#SBATCH --account={{.Account}}\n{{end}}"

    assert is_of_go(text)
    assert not is_of_go(stock_template().text)
    with pytest.raises(BadTemplate, match="template of Go"):
        parse_template(text)


def test_the_template_that_the_page_shows_is_one() -> None:
    page = (PROJECT / "docs" / "gateway.md").read_text(encoding="utf-8")
    shown = page.partition("## Apps and their jobs\n")[2].split("```\n")[1]

    script = parse_template(shown).render({"command": "echo", "args": ["it's"]})

    assert script == "#!/bin/sh\n#SBATCH --partition=short\nsrun 'echo' 'it'\\''s'\n"
