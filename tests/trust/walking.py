"""Goes random walks, whatever they lead through: of the agent, the gateway and the operator."""

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def walk(
    machine: type[RuleBasedStateMachine], *, walks: int, steps: int, shrinks: bool = True
) -> None:
    """Go so many ways; one that fails is printed as a program, the shortest if it `shrinks`."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=walks,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            phases=[Phase.generate, *([Phase.shrink] if shrinks else [])],
        ),
    )
