"""How a cluster is asked: marks in the environment, silence told from emptiness, few processes."""

from collections.abc import Callable

import pytest

from tests.fakes.transport import Played, ScriptedTransport
from tests.unit.slurm.live.grammar.test_details import record
from tests.unit.slurm.live.grammar.test_records import PRINTED
from tests.unit.slurm.live.queue import PLAIN, printed
from waldur_slurm.errors import AccountingDown, CommandFailed, TransportError, UnparsableOutput
from waldur_slurm.model.batch import job_id
from waldur_slurm.model.cluster import Controller
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.names import ClusterName
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.grammar.marks import mark_of
from waldur_slurm.slurm.live.client import ClusterClient, fresh_nonce

NONCE = "QmFzZTY0dXJs"
SILENT = Completed(1, "", "slurm_load_jobs error: Unable to contact slurm controller")


def queue(*numbers: int) -> Completed:
    rows = [PLAIN._replace(id=str(number), number=str(number)) for number in numbers]
    return Completed(0, "\n".join([*printed(mark_of(NONCE), *rows), ""]), "")


def asking(*script: Played) -> tuple[ClusterClient, ScriptedTransport]:
    transport = ScriptedTransport([*script])
    return ClusterClient(transport, nonce=lambda: NONCE), transport


def jobs_of(*numbers: int) -> tuple[LiveJob, ...]:
    return asking(queue(*numbers))[0].read_jobs().jobs


def test_the_mark_is_handed_over_where_nobody_else_reads_it() -> None:
    client, transport = asking(queue(7))
    client.read_jobs()

    (environ,), (argv,) = transport.environs, transport.asked
    assert environ["SQUEUE_FORMAT2"].count(NONCE) == len(PLAIN)
    assert environ["SLURM_TIME_FORMAT"] == "%s"
    assert NONCE not in " ".join(argv)


def test_each_call_has_a_mark_of_its_own() -> None:
    transport = ScriptedTransport([Completed(0, "", "")] * 2)
    client = ClusterClient(transport)
    for _ in range(2):
        with pytest.raises(AccountingDown):
            client.read_jobs()

    first, second = (environ["SQUEUE_FORMAT2"] for environ in transport.environs)
    assert first != second
    assert len({fresh_nonce() for _ in range(1000)}) == 1000


def test_an_answer_of_nothing_at_all_is_silence() -> None:
    client, _ = asking(Completed(0, "", ""))

    with pytest.raises(AccountingDown):
        client.read_jobs()


def test_a_transport_that_keeps_the_environment_to_itself_is_found_out() -> None:
    client, _ = asking(Completed(0, "             JOBID PARTITION\n                 7 main\n", ""))

    with pytest.raises(UnparsableOutput):
        client.read_jobs()


def test_a_listing_that_broke_off_is_worth_nothing() -> None:
    cut = Completed(0, queue(7).out, "slurm_load_jobs error: Unable to contact slurm controller")
    for ending in (SILENT, cut):
        with pytest.raises(AccountingDown):
            asking(ending)[0].read_jobs()


CALLS: dict[str, Callable[[ClusterClient], object]] = {
    "details": lambda client: client.read_details(jobs_of(7)),
    "nodes": lambda client: client.read_nodes(),
    "partitions": lambda client: client.read_partitions(),
    "reservations": lambda client: client.read_reservations(),
    "licenses": lambda client: client.read_licenses(),
    "qos": lambda client: client.read_qos(),
    "statistics": lambda client: client.read_statistics(),
    "configuration": lambda client: client.read_configuration(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_reading_is_silence_when_nobody_answers(
    call: Callable[[ClusterClient], object],
) -> None:
    with pytest.raises(AccountingDown):
        call(asking(SILENT)[0])
    with pytest.raises(TransportError):
        call(asking(TransportError("killed"))[0])


def test_a_cluster_elsewhere_is_named_in_every_question_to_its_slurmctld() -> None:
    transport = ScriptedTransport([queue(7)])
    ClusterClient(transport, away=ClusterName("far"), nonce=lambda: NONCE).read_jobs()

    assert transport.asked == [("squeue", "--clusters=far", "--all", "--states=all")]


def test_no_jobs_cost_no_question() -> None:
    client, transport = asking()

    assert client.read_details(()) == {}
    assert transport.asked == []


def alone(*answers: str, code: int = 0) -> Completed:
    """What scontrol says to questions on stdin, the mark of the call behind each answer."""
    mark = mark_of(NONCE)
    end = f"scontrol: show hostnames {mark}\n{mark}\n"
    said = "".join(f"scontrol: show job 7\n{answer}\n{end}" for answer in answers)
    return Completed(code, f"{said}scontrol: \n", "")


TWICE = Completed(0, f"{record()}\n{record()}\n", "")


def test_a_job_that_two_claim_is_asked_for_alone() -> None:
    (job,) = jobs_of(7)
    client, transport = asking(TWICE, alone(record()))

    assert client.read_details([job]).keys() == {job.run}
    assert transport.fed[1] == f"show job 7\nshow hostnames {mark_of(NONCE)}\n"
    assert NONCE not in " ".join(transport.asked[1])


def test_the_record_of_a_job_that_is_asked_for_alone_ends_where_slurm_ends_it() -> None:
    whole = f"{record().partition(' Command=')[0].replace(' MinCPUsNode=2', '')} {PRINTED}"
    client, _ = asking(TWICE, alone(whole.replace("CPUs/Task=2 ", "").replace("NumNodes=2 ", "")))
    (found,) = client.read_details(jobs_of(7)).values()

    assert found.record is not None
    assert (found.record.asked.power, found.record.stdin) == ("", "/dev/null")


def test_of_tasks_that_wait_together_one_is_asked_for() -> None:
    (job,) = jobs_of(7)
    waiting = job._replace(id=job_id("3_[5-9%2]"))
    client, transport = asking(TWICE, alone(record()))
    client.read_details([waiting])

    assert transport.fed[1].startswith("show job 3_5\n")


def test_jobs_that_hold_something_are_asked_for_first() -> None:
    """However many others somebody claims to be."""
    first, runs = jobs_of(7, 8)
    waits = first._replace(hosts="")
    forged = "".join(f"{record(number=number)}\n" * 2 for number in (7, 8))
    client, transport = asking(Completed(0, forged, ""), alone(record(number=8), record()))
    client.read_details([waits, runs])

    assert [line for line in transport.fed[1].split("\n") if "job" in line] == [
        "show job 8",
        "show job 7",
    ]


def test_a_job_whose_owner_forges_his_own_record_is_unknown() -> None:
    client, _ = asking(TWICE, alone(f"{record()}\n{record()}"))

    assert client.read_details(jobs_of(7)) == {}


def test_a_job_that_is_gone_when_it_is_asked_for_alone_is_unknown() -> None:
    gone = Completed(1, alone("").out, "slurm_load_jobs error: Invalid job id specified")
    up = Completed(0, "Slurmctld(primary) at lab is UP\n", "")
    client, _ = asking(TWICE, gone, up)

    assert client.read_details(jobs_of(7)) == {}


def test_nobody_who_answers_when_a_job_is_asked_for_alone_is_silence() -> None:
    client, _ = asking(TWICE, SILENT)

    with pytest.raises(AccountingDown):
        client.read_details(jobs_of(7))


def test_however_many_jobs_are_forged_two_processes_tell_their_details() -> None:
    numbers = range(1, 201)
    forged = "".join(f"{record(number=number)}\n" * 2 for number in numbers)
    answers = alone(*(record(number=number) for number in numbers))
    client, transport = asking(Completed(0, forged, ""), answers)

    assert len(client.read_details(jobs_of(*numbers))) == 200
    assert len(transport.asked) == 2


def test_that_no_slurmctld_answers_is_an_answer_to_a_ping() -> None:
    said = "Slurmctld(primary) at a is DOWN\nSlurmctld(backup) at b is UP\n"
    client, _ = asking(Completed(1, said, ""))

    assert client.ping() == (Controller("primary", "a", False), Controller("backup", "b", True))


def test_a_ping_that_never_came_to_slurmctld_is_none() -> None:
    for ending in (Completed(1, "", "scontrol: fatal: Unable to process configuration file"),):
        with pytest.raises(AccountingDown):
            asking(ending)[0].ping()


def test_a_refusal_is_told_from_silence() -> None:
    refused = Completed(1, "", "slurm_load_node error: Access/permission denied")
    up = Completed(0, "Slurmctld(primary) at lab is UP\n", "")

    with pytest.raises(CommandFailed) as failed:
        asking(refused, up)[0].read_nodes()
    assert not failed.value.transient
