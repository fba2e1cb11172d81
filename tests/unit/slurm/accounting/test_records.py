"""Bulk readings: everybody is asked about, in few processes, and nothing short passes for exact."""

import pytest

from tests.fakes.transport import Call, PairedTransport, ReplayTransport, ScriptedTransport
from waldur_slurm.errors import AccountingDown
from waldur_slurm.model.names import ROOT, AccountName, ClusterName
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.accounting.grammar.commands import show_accounts, show_associations
from waldur_slurm.slurm.accounting.records import MOST_NAMES, Records, batches
from waldur_slurm.slurm.tools import Tools

LAB = ClusterName("lab")
PHYSICS = AccountName("physics")
ROOT_ROW = "1|0|1|||||normal||root|||\n"


def answer(out: str) -> Completed:
    return Completed(0, out, "")


def tree(limits: str = "") -> Completed:
    people = "3|2|1||||0|||physics|ann||\n4|2|1|||||||physics|bob|gpu|\n"
    return answer(f"{ROOT_ROW}2|1|1|{limits}||||||physics|||\n{people}")


def exact(mebibytes: int, number: str = "2") -> Completed:
    return answer(f"Account=physics ID={number} Lft=1 GrpTRESMins=mem={mebibytes}(7) Max=\n")


def records(transport: ScriptedTransport) -> Records:
    return Records(Tools(transport), lambda: None)


@pytest.mark.parametrize("number", [0, 1, MOST_NAMES, MOST_NAMES + 1, 2 * MOST_NAMES + 1])
def test_batches_leave_nobody_out_and_name_nobody_twice(number: int) -> None:
    names = [AccountName(f"a{each:05}") for each in range(number)]
    parts = list(batches(set(names)))
    assert [name for part in parts for name in part] == names
    assert all(0 < len(part) <= MOST_NAMES for part in parts)


@pytest.mark.parametrize(
    ("number", "are_named"), [(0, False), (1, True), (500, True), (501, False)]
)
def test_few_names_are_asked_for_and_beyond_them_the_whole_listing(
    number: int, are_named: bool
) -> None:
    names = [AccountName(f"a{each}") for each in range(number)]
    transport = ScriptedTransport([tree(), answer("root|||\n"), answer("")])

    records(transport).read_tree(LAB, names)
    records(transport).read_members(LAB, names)
    records(transport).read_account_rows(names)

    *associations, accounts = transport.asked
    for asked in associations:
        assert [word for word in asked if word.startswith("account=")] == (
            [f"account={','.join(sorted([*names, 'root']))}"] if are_named else []
        )
    assert any(word.startswith("name=") for word in accounts) is are_named


def test_people_who_have_a_partition_only_are_not_in_the_whole_account() -> None:
    listed = answer("root|||\nroot|root||\nphysics|||\nphysics|ann||\nphysics|bob|gpu|\n")
    members = records(ScriptedTransport([listed])).read_members(LAB, [PHYSICS])
    assert members == {"root": {"root"}, "physics": {"ann"}}


def test_members_without_root_are_silence() -> None:
    reading = records(ScriptedTransport([answer("physics|||\n")]))
    with pytest.raises(AccountingDown, match="not even root"):
        reading.read_members(LAB, [PHYSICS])


def test_an_outline_has_all_but_texts() -> None:
    account = records(ScriptedTransport([tree("cpu=5")])).read_outline(LAB).accounts[PHYSICS]
    assert (account.description, account.organization, account.limits) == ("", "", {"cpu": 5})
    assert [(a.user, a.partition) for a in account.associations] == [("ann", ""), ("bob", "gpu")]
    assert [a.max_submit_jobs for a in account.associations] == [0, None]


def test_an_account_without_a_record_has_no_text() -> None:
    script = [tree(), answer("root|r|r|\n"), answer("root|r|r|\n")]
    account = records(ScriptedTransport(list(script))).read_snapshot(LAB).accounts[PHYSICS]
    assert (account.parent, account.description) == ("root", "")


def test_names_that_were_asked_for_tell_themselves_from_text() -> None:
    odd = AccountName("physics|odd")
    found = records(ScriptedTransport([answer("physics|odd|o|a|b|\n")])).read_account_rows([odd])
    assert found[odd].description == "a|b"


def test_what_was_shown_rounded_before_is_believed_by_whoever_reads_again_and_again() -> None:
    script = [tree("mem=1.50T"), exact(1573376), tree("mem=1.50T")]
    transport = ScriptedTransport(list(script))
    reading = records(transport)
    limits = [reading.read_outline(LAB).accounts[PHYSICS].limits for _ in range(2)]
    assert limits == [{"mem": 1573376}] * 2
    assert transport.script == []


def test_whoever_has_just_written_reads_what_is_rounded_afresh() -> None:
    script = [tree("mem=1.50T"), exact(1573376), tree("mem=1.50T"), exact(1572864)]
    reading = records(ScriptedTransport(list(script)))
    found = [reading.read_tree(LAB) for _ in range(2)]
    limits = [each.limits(each.accounts[PHYSICS]) for each in found]
    assert limits == [{"mem": 1573376}, {"mem": 1572864}]


def test_a_rounded_limit_that_slurmctld_has_not_heard_of_is_silence() -> None:
    reading = records(ScriptedTransport([tree("mem=1.50T"), exact(5, number="9")]))
    with pytest.raises(AccountingDown, match="exited 0: slurmctld has not heard"):
        reading.read_tree(LAB)
    with pytest.raises(AccountingDown, match="exited 0: not even root"):
        records(ScriptedTransport([answer("")])).read_tree(LAB)


def test_a_part_is_asked_for_in_two_questions_at_the_same_time() -> None:
    told = answer("physics|o|ours|\nother|o|theirs|\nroot|r|r|\n")
    transport = PairedTransport({"assoc": tree("cpu=5"), "account": told})

    part = Records(Tools(transport), lambda: None).read_part(LAB, [PHYSICS], lambda _: False)

    assert part.accounts.keys() == {"root", "physics"}
    assert (part.accounts[PHYSICS].description, part.accounts[PHYSICS].limits) == (
        "ours",
        {"cpu": 5},
    )


def test_whom_a_description_alone_tells_is_asked_for_in_one_question_more() -> None:
    told = answer("physics|o|ours|\nother|o|theirs|\nroot|r|r|\n")
    everybody, root, both = (
        show_accounts(),
        *(show_associations(LAB, names) for names in ([ROOT], [PHYSICS, ROOT])),
    )
    transport = ReplayTransport(
        [Call(everybody, "", told), Call(root, "", answer(ROOT_ROW)), Call(both, "", tree())]
    )

    part = Records(Tools(transport), lambda: None).read_part(LAB, [], lambda text: text == "ours")

    assert part.accounts.keys() == {"root", "physics"}
    assert sorted(transport.played) == sorted([everybody, root, both])
