"""The TRES file: what it means, and how each mistake in it is told."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from tests.places import PROJECT
from waldur_slurm.agent.model.components import AccountingType, Component, ComponentType, NotOrdered
from waldur_slurm.agent.tres_file import (
    LIMIT_PERIODS,
    MAX_BYTES,
    PAGE,
    parse_tres_file,
    read_tres_file,
)
from waldur_slurm.errors import SettingsError
from waldur_slurm.model.tres import TresName

SHIPPED = PROJECT / "config-components.yaml"

ORIGINAL = b"""
cpu:
  limit: 16000
  measured_unit: "k-Hours"
  accounting_type: "usage"
  label: "CPU"
gres/gpu:
  limit: 400
  measured_unit: "k-Hours"
  accounting_type: "usage"
  label: "GPU"
mem:
  limit: 102400000
  measured_unit: "gb-Hours"
  accounting_type: "usage"
  label: "RAM"
"""


def entry(key: str = "cpu", **more: object) -> bytes:
    values = {"limit": 5, "measured_unit": "h", "accounting_type": "limit", "label": "L"} | more
    lines = [f"  {name}: {value}" for name, value in values.items() if value is not None]
    return "\n".join([f"{key}:", *lines, ""]).encode()


def mistakes(content: bytes) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse_tres_file(content, "tres.yaml")
    return caught.value.mistakes


def one(content: bytes) -> Component:
    [component] = parse_tres_file(content, "tres.yaml")
    return component


def test_a_file_of_the_original_agent_works_as_it_is() -> None:
    components = parse_tres_file(ORIGINAL, "tres.yaml")
    assert [(c.tres, c.type, c.limit) for c in components] == [
        ("cpu", "cpu", 16000),
        ("gres/gpu", "gres/gpu", 400),
        ("mem", "mem", 102400000),
    ]
    assert {c.unit_factor for c in components} == {Decimal(1)}


def test_the_shipped_file_names_the_same_components_as_the_original_did() -> None:
    shipped = {component.type for component in read_tres_file(SHIPPED)}
    assert shipped == {c.type for c in parse_tres_file(ORIGINAL, "tres.yaml")}


def test_every_key_is_read() -> None:
    content = entry(
        "gres/gpu:a100",
        unit_factor="0.5",
        component="gpu",
        limit_period="month",
        description="An A100",
        article_code="G-1",
        min_value=1,
        max_value=9,
        when_not_ordered="refuse",
    )
    assert one(content) == Component(
        tres=TresName("gres/gpu:a100"),
        type=ComponentType("gpu"),
        label="L",
        measured_unit="h",
        accounting_type=AccountingType.LIMIT,
        limit=5,
        unit_factor=Decimal("0.5"),
        limit_period="month",
        description="An A100",
        article_code="G-1",
        min_value=1,
        max_value=9,
        when_not_ordered=NotOrdered.REFUSE,
    )


def test_a_gres_that_is_not_ordered_is_blocked_and_the_rest_is_unlimited() -> None:
    assert one(entry("gres/gpu")).when_not_ordered is NotOrdered.ZERO
    assert one(entry("cpu")).when_not_ordered is NotOrdered.UNLIMITED
    assert one(entry("gres/gpu", when_not_ordered="unlimited")).when_not_ordered is (
        NotOrdered.UNLIMITED
    )


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines() -> None:
    content = entry("cpu", limit=-1, label=None) + entry("CPU") + entry("mem", colour="red")
    told = mistakes(content)
    assert [text.split(": ")[0] for text in told] == [
        "tres.yaml:1",
        "tres.yaml:2",
        "tres.yaml:5",
        "tres.yaml:15",
    ]
    assert "label is missing" in told[0]
    assert "limit" in told[1]
    assert "not a Slurm TRES" in told[2]
    assert "unknown 'colour'" in told[3]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "names no TRES"),
        (b"[]", "expected a mapping"),
        (b"{}", "expected a mapping"),
        (b"cpu: 3", "expected limit"),
        (b"cpu: {limit: ", "not YAML"),
        (b"\xff\xfe", "not YAML"),
        (b"[" * 60_000, "not YAML"),
        (b"a: 1\n---\nb: 1", "not YAML"),
        (b"? [a, b]\n: 1", "a key must be one word"),
        (entry() + entry(), "'cpu' is in line 1 already"),
        (entry() + b"  label: again\n", "'label' is in line 5 already"),
        (entry() + entry("mem", component="cpu"), "cpu is sold as 'cpu' already"),
        (entry(limit="1_000"), "whole number"),
        (entry(limit="1:30"), "whole number"),
        (entry(limit="0x10"), "whole number"),
        (entry(limit="3.5"), "whole number"),
        (entry(limit=2**31), "whole number"),
        (entry(limit="[1]"), "expected one value"),
        (entry(unit_factor="1e3"), "above 0"),
        (entry(unit_factor=0), "above 0"),
        (entry(unit_factor="-1"), "above 0"),
        (entry(unit_factor=".inf"), "above 0"),
        (entry(accounting_type="few"), "one of usage, limit"),
        (entry(limit_period="daily"), "one of month"),
        (entry(label=""), "missing"),
        (entry(label="x" * 151), "1 to 150"),
        (entry(measured_unit="x" * 31), "1 to 30"),
        (entry(description='"two\\nlines"'), "one line"),
        (entry(component="a.b"), "Waldur takes"),
        (entry("license/matlab-2.1"), "name one with `component:`"),
        (entry(min_value=5, max_value=4), "below min_value"),
        (entry(accounting_type="usage", when_not_ordered="zero"), "is for accounting_type: limit"),
        (entry(accounting_type="usage", unit_factor="0.3"), "not a whole number"),
    ],
)
def test_a_mistake_is_told_with_its_line(content: bytes, said: str) -> None:
    told = mistakes(content)
    assert any(said in text for text in told), told
    assert all(text.startswith("tres.yaml:") and text.isprintable() for text in told)


def test_nothing_in_the_file_is_constructed_or_multiplied() -> None:
    hostile = b'a: &a ["x", "x"]\n' + b"".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n".encode()
        for n in range(20)
    )
    assert mistakes(hostile)
    assert mistakes(b"cpu: !!python/object/apply:os.system [echo]")


def test_a_file_that_is_missing_or_far_too_large_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        read_tres_file(tmp_path / "nowhere.yaml")
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(SettingsError, match="larger than"):
        read_tres_file(large)


# The page that describes the file


def test_a_mistake_is_told_with_the_page_that_describes_the_file(tmp_path: Path) -> None:
    missing, wrong = tmp_path / "none.yaml", tmp_path / "wrong.yaml"
    wrong.write_bytes(entry(limit=None))
    for file, mistake in (
        (missing, f"SLURM_TRES_CONFIG_PATH: {missing}: No such file or directory"),
        (wrong, f"{wrong}:1: cpu: limit is missing"),
    ):
        with pytest.raises(SettingsError) as caught:
            read_tres_file(file)
        assert caught.value.mistakes == [mistake, f"what the file may say: {PAGE}"]


def test_the_page_describes_every_key_and_every_word_that_it_may_hold() -> None:
    page = PAGE.read_text(encoding="utf-8")
    (refusal,) = mistakes(entry(nonsense=1))
    known = refusal.partition("(known: ")[2].rstrip(")").split(", ")

    cells = re.findall(r"^\| (.+?) \|", page, re.MULTILINE)
    described = [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]
    assert sorted(described) == sorted(known)
    for word in (*AccountingType, *NotOrdered, *LIMIT_PERIODS):
        assert f"`{word}`" in page


def test_the_example_of_the_page_is_taken() -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)

    assert [c.tres for c in parse_tres_file(example.encode(), "page")] == ["cpu", "gres/gpu"]
