"""slurmdbd's own database, asked read-only, tells of jobs what sacct tells of them."""

from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec

import pytest

from sandbox.slurm import Cluster
from tests.contract.batch_site import ANN, BOB
from tests.contract.past_site import LAB, RealPastSite
from tests.fixtures_slurm import IN_CI, require
from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.records.mysql import MysqlRecords, Source, source_of
from waldur_slurm.gateway.records.record import Numbers, Record, RecordsWanted
from waldur_slurm.gateway.records.sacct import SacctRecords
from waldur_slurm.model.names import UserName

REACH = timedelta(hours=1)

pytestmark = pytest.mark.parametrize("real_batch_site", ["native_22_05"], indirect=True)
"""A container's database is not to be reached from here."""


@pytest.fixture
def source(real_past_site: RealPastSite) -> Source:
    require([] if find_spec("pymysql") else ["PyMySQL"], in_ci=IN_CI)
    machine = real_past_site.machine
    assert isinstance(machine, Cluster)
    url = f"mysql://slurm:slurm@127.0.0.1:{machine.port('mariadbd')}/slurm_acct_db"
    return source_of(url, LAB)


def of_this_test(site: RealPastSite, **changes: object) -> RecordsWanted:
    wanted = RecordsWanted(limit=1000, numbers=Numbers(least=site.first + 1))
    return replace(wanted, **changes)  # type: ignore[arg-type]  # a typo fails at once


def both(
    site: RealPastSite, source: Source, wanted: RecordsWanted
) -> tuple[list[Record], list[Record]]:
    by_sacct = SacctRecords(site.history, REACH, now=lambda: site.query().until)
    return [*MysqlRecords(source).read_jobs(wanted)], [*by_sacct.read_jobs(wanted)]


def test_both_tell_the_same_of_every_job(real_past_site: RealPastSite, source: Source) -> None:
    real_past_site.finish(ANN, name="one")
    real_past_site.finish(BOB, array="1-2")
    real_past_site.submit()
    real_past_site.settle()
    database, sacct = both(real_past_site, source, of_this_test(real_past_site))
    assert database == sacct
    assert len(database) == 4
    assert {record.user for record in database} == {ANN, BOB}


def test_both_narrow_and_page_alike(real_past_site: RealPastSite, source: Source) -> None:
    for name in ("one", "two", "one"):
        real_past_site.finish(ANN, name=name)
    real_past_site.finish(BOB, name="one")
    real_past_site.settle()
    for wanted, count in (
        (of_this_test(real_past_site, name="one"), 3),
        (of_this_test(real_past_site, user=ANN, state="COMPLETED"), 3),
        (of_this_test(real_past_site, owners=frozenset({BOB})), 1),
        (of_this_test(real_past_site, owners=frozenset({UserName(BOB.upper())})), 0),
        (of_this_test(real_past_site, limit=2, offset=1), 2),
        (of_this_test(real_past_site, hidden=frozenset({"main"})), 0),
        (of_this_test(real_past_site, name="' OR 1=1 -- "), 0),
    ):
        database, sacct = both(real_past_site, source, wanted)
        assert database == sacct
        assert len(database) == count


def test_a_requeued_job_is_one_by_both(real_past_site: RealPastSite, source: Source) -> None:
    """The database has the time of its last run's submission, sacct that of its first."""
    real_past_site.run_twice()
    real_past_site.settle()
    (database,), (sacct,) = both(real_past_site, source, of_this_test(real_past_site))
    assert database.submitted > sacct.submitted
    assert replace(database, submitted=sacct.submitted) == sacct


def test_both_have_the_same_associations(real_past_site: RealPastSite, source: Source) -> None:
    by_sacct = SacctRecords(real_past_site.history).read_belongings()
    database = MysqlRecords(source).read_belongings()
    assert {*by_sacct} <= {*database}


def test_nothing_can_be_written(real_past_site: RealPastSite, source: Source) -> None:
    records = MysqlRecords(source)
    before = records.read_belongings()
    with pytest.raises(NotNow, match="error 1792"):
        records._read("UPDATE lab_assoc_table SET user = 'x'", [])
    assert records.read_belongings() == before


def test_a_database_that_is_away_is_told_without_its_words(
    real_past_site: RealPastSite, source: Source
) -> None:
    away = MysqlRecords(replace(source, port=1))
    wrong = MysqlRecords(replace(source, password="wrong"))
    with pytest.raises(NotNow, match=r"error 2003$"):
        away.read_belongings()
    with pytest.raises(NotNow, match=r"error 1045$"):
        wrong.read_jobs(of_this_test(real_past_site))
