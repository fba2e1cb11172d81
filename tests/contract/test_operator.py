"""What Slurm's level Operator is enough for, and what it is not: asked by a plain Unix user."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.site import OPERATOR, PEOPLE, RealSite
from tests.fakes.transport import RecordingTransport
from waldur_slurm.errors import CommandFailed
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.accounting.client import SlurmClient
from waldur_slurm.slurm.accounting.grammar import commands
from waldur_slurm.slurm.accounting.grammar.script import MOST_LINES
from waldur_slurm.slurm.accounting.grammar.text import clean_text
from waldur_slurm.slurm.accounting.port import Outcome

ANN, BOB, _ = PEOPLE
CPU = TresName("cpu")
KEYWORDS = ("where", "set", "name", "account", "cluster", "parent", "withassoc", "quit", "format")
"""Names that a sacctmgr which reads commands might take for its own words."""


@pytest.fixture
def top(operator: RealSite, name: AccountName) -> AccountName:
    operator.add_top(name)
    return name


def test_an_allocation_lives_and_ends_by_an_operators_hand(
    operator: RealSite, top: AccountName
) -> None:
    project, allocation = AccountName(f"{top}-p"), AccountName(f"{top}-a")
    asked = operator.accounting
    operator.add_qos("high", "low")
    new = [
        NewAccount(project, top, "waldur project=1", "Science"),
        NewAccount(allocation, project, "A (text)", "o", {CPU: 60}, "7", ("high", "low"), "low"),
    ]
    assert asked.add_accounts(new) is Outcome.CHANGED
    assert asked.add_users({allocation: [ANN, BOB]}) is Outcome.CHANGED
    made = asked.read_snapshot().accounts
    found = made[allocation]
    assert (made[project].description, made[project].organization) == (
        "waldur project=1",
        "science",
    )
    assert (found.description, found.parent, found.limits) == ("a (text)", project, {CPU: 60})
    assert (found.fairshare, set(found.qos), found.default_qos) == ("7", {"high", "low"}, "low")
    assert found.users == {ANN, BOB}

    asked.set_limits(allocation, {CPU: None})
    operator.submit(ANN, allocation)
    asked.set_account_hold(allocation, 0, 0)
    asked.cancel_jobs(asked.read_queue([allocation]))
    operator.wait_until(lambda: asked.read_queue([allocation]) == ())
    asked.remove_users(allocation, [ANN, BOB])
    assert asked.remove_accounts([allocation, project]) is Outcome.CHANGED
    assert asked.read_snapshot().children(top) == ()


def test_the_level_is_known_without_changing_anything(operator: RealSite) -> None:
    before = operator.inventory()
    grant = ("modify", "user", "where", f"name={OPERATOR}", "set")
    asked = operator.client.may_change_accounts
    assert asked()
    try:
        operator.hand(*grant, "adminlevel=None")
        assert not asked()
        operator.hand(*grant, "adminlevel=Administrator")
        assert asked()
    finally:
        operator.hand(*grant, "adminlevel=Operator")
    assert operator.inventory() == before


def test_whom_the_accounting_does_not_know_may_change_nothing(
    operator: RealSite, top: AccountName
) -> None:
    operator.hand("delete", "user", "where", f"name={OPERATOR}")
    try:
        before = operator.inventory()
        assert not operator.client.may_change_accounts()
        with pytest.raises(CommandFailed) as refused:
            operator.client.add_accounts([NewAccount(AccountName(f"{top}-a"), top, "d", "o")])
        assert not refused.value.transient
        assert operator.inventory() == before
    finally:
        service = ("account=wsat_service", "cluster=lab", "adminlevel=Operator")
        operator.hand("add", "user", OPERATOR, *service)


def test_a_level_is_nothing_that_an_operator_can_give(operator: RealSite) -> None:
    grant = commands.obey_lines()
    words = (*grant, "modify", "user", "where", f"name={OPERATOR}", "set", "adminlevel=Admin")
    assert operator.transport.run(words).code != 0


def test_load_is_tried_once_and_then_lines_are_written_in_few_processes(
    operator: RealSite, top: AccountName
) -> None:
    recording = RecordingTransport(operator.transport)
    client = SlurmClient(recording, few_lines=0)
    names = [AccountName(f"{top}-{number}") for number in range(MOST_LINES + 1)]

    def written() -> list[tuple[str, ...]]:
        calls = [call.argv for call in recording.calls if "--immediate" in call.argv]
        recording.calls.clear()
        return calls

    new = [NewAccount(name, top, "text", "o", {CPU: 5}) for name in names]
    assert client.add_accounts(new) is Outcome.CHANGED
    assert written() == [commands.load(), commands.obey_lines(), commands.obey_lines()]
    assert client.add_users({names[0]: [ANN]}) is Outcome.CHANGED
    assert written() == [commands.obey_lines()]
    found = operator.client.read_snapshot().accounts
    assert all(found[name].limits == {CPU: 5} for name in names)


def test_a_refused_line_is_explained_in_slurms_words_alone(
    operator: RealSite, top: AccountName
) -> None:
    new = NewAccount(AccountName(f"{top}-a"), top, "text", "o", {TresName("gres/nope"): 1})
    with pytest.raises(CommandFailed, match="gres/nope") as refused:
        operator.client.add_accounts([new])
    assert "Description=" not in str(refused.value)


def test_text_that_was_left_behind_is_replaced_and_that_of_another_cluster_is_not(
    operator: RealSite, top: AccountName
) -> None:
    left, shared = AccountName(f"{top}-left"), AccountName(f"{top}-shared")
    theirs = ("description=theirs", "organization=theirs")
    operator.hand("add", "account", left, "cluster=lab", f"parent={top}", *theirs)
    operator.hand("delete", "account", "where", f"name={left}", "cluster=lab")
    operator.hand("add", "account", shared, "cluster=other", *theirs)
    operator.client.add_accounts(
        [NewAccount(name, top, "ours", "ours", {CPU: 3}) for name in (left, shared)]
    )
    found = operator.client.read_snapshot().accounts
    assert (found[left].description, found[left].organization) == ("ours", "ours")
    assert (found[shared].description, found[shared].limits) == ("theirs", {CPU: 3})


def test_names_that_are_words_of_the_grammar_are_names(
    operator: RealSite, top: AccountName
) -> None:
    words = [AccountName(word) for word in KEYWORDS]
    people = [UserName(word) for word in KEYWORDS]
    before = operator.inventory()
    operator.client.add_accounts([NewAccount(word, top, word, word) for word in words])
    operator.client.add_users(dict.fromkeys(words, people))
    found = operator.client.read_snapshot()
    assert set(found.children(top)) == set(words)
    assert all(found.accounts[word].users == set(people) for word in words)
    operator.hand("delete", "user", "where", f"name={','.join(people)}")
    operator.hand("delete", "account", "where", f"name={','.join(words)}")
    assert operator.inventory() == before


def test_many_people_come_into_one_account(operator: RealSite, top: AccountName) -> None:
    people = [UserName(f"{top}u{number}") for number in range(150)]
    operator.client.add_users({top: people})
    assert operator.client.read_snapshot().accounts[top].users == set(people)


hostile = st.text(
    st.one_of(
        st.sampled_from("'\"`#|\\=,:;[]!?$(){}%~\n\r\t\0\x01\x1b\x7f\u202e\u2028éß🚀"),
        st.characters(),
    ),
    max_size=60,
) | st.sampled_from(
    [
        "' set adminlevel=Administrator where name='root",
        "x'\nmodify account where name=root set GrpSubmitJobs=0\nadd account name='y",
        "!! quit exit # \\",
        "\x1b[A\x12root\x19\x16\n",
    ]
)


def test_no_text_whatever_is_more_than_text(
    native_22_05: RealSite, operator_22_05: RealSite
) -> None:
    """Hundreds of texts, in accounts that are taken away again before the next fifty."""
    native_22_05.add_top(AccountName("wsat_texts"))
    top = AccountName("wsat_texts")
    untouched = native_22_05.inventory()
    tried: list[str] = []

    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(hostile, min_size=50, max_size=50))
    def hold(texts: list[str]) -> None:
        made = {AccountName(f"wsat_text{n}"): text for n, text in enumerate(texts)}
        new = [NewAccount(name, top, text, text, {CPU: 5}) for name, text in made.items()]
        operator_22_05.client.add_accounts(new)
        found = native_22_05.client.read_snapshot().accounts
        for name, text in made.items():
            assert found[name].description == (clean_text(text) or name)
            assert found[name].organization == (clean_text(text) or top)
            assert (found[name].parent, found[name].limits) == (top, {CPU: 5})
        native_22_05.client.remove_accounts(tuple(made))
        assert native_22_05.inventory() == untouched
        tried.extend(texts)

    hold()
    assert len(tried) >= 200
