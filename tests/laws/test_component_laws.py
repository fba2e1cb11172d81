"""Laws of units: a round trip is the identity, and rounding never adds up to more than a cent."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.waldur import offered_as
from waldur_slurm.agent.components_sync import Action, plan_components
from waldur_slurm.agent.model.components import AccountingType, Component, ComponentType
from waldur_slurm.agent.tres_file import parse_tres_file
from waldur_slurm.errors import SettingsError
from waldur_slurm.model.tres import TresName

factors = st.one_of(
    st.integers(1, 10**9).map(Decimal),
    st.integers(1, 10**12).map(lambda number: Decimal(number).scaleb(-6)),
)


@st.composite
def components(draw: st.DrawFn) -> Component:
    return Component(
        tres=TresName("cpu"),
        type=ComponentType(draw(st.sampled_from(["cpu", "mem", "gres/gpu", "node"]))),
        label=draw(st.sampled_from(["CPU", "Cores"])),
        measured_unit=draw(st.sampled_from(["hours", "k-Hours"])),
        accounting_type=draw(st.sampled_from(AccountingType)),
        limit=draw(st.integers(0, 2**31 - 1)),
        unit_factor=draw(factors),
        min_value=draw(st.none() | st.integers(0, 5)),
        description=draw(st.sampled_from(["", "described"])),
    )


@given(components(), st.integers(0, 2**31 - 1))
def test_units_to_minutes_and_back_are_the_same_units(component: Component, units: int) -> None:
    try:
        minutes = component.to_tres_minutes(units)
    except ValueError:
        assert (units * Fraction(component.unit_factor)).denominator != 1
        return
    assert component.to_whole_units(minutes) == units


@given(components(), st.integers(0, 10**18))
def test_whole_units_are_told_only_where_they_are_exact(component: Component, minutes: int) -> None:
    units = component.to_whole_units(minutes)
    if units is not None:
        assert component.to_tres_minutes(units) == minutes


@given(components(), st.integers(0, 10**18))
def test_usage_is_within_half_a_cent_of_the_truth(component: Component, seconds: int) -> None:
    exact = Fraction(seconds, 60) / Fraction(component.unit_factor)
    assert abs(Fraction(component.to_usage(seconds)) - exact) <= Fraction(1, 200)


@given(components(), st.lists(st.integers(0, 10**15), max_size=8))
def test_more_seconds_are_never_less_usage(component: Component, seconds: list[int]) -> None:
    usages = [component.to_usage(second) for second in sorted(seconds)]
    assert usages == sorted(usages)


@given(st.lists(components(), unique_by=lambda component: component.type))
def test_once_told_the_components_differ_no_more(wanted: list[Component]) -> None:
    offered = [offered_as(component, component.type) for component in wanted]
    changes = plan_components(offered, wanted)
    assert all(change.action is Action.UNCHANGED for change in changes)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode()))
def test_any_file_is_read_or_refused_in_words(content: bytes) -> None:
    mistakes: list[str] = []
    try:
        components = parse_tres_file(content, "file")
    except SettingsError as error:
        components, mistakes = (), error.mistakes
    assert bool(components) != bool(mistakes)
    assert all(mistake.startswith("file:") for mistake in mistakes)
