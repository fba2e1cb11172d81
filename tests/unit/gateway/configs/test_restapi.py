"""Slurm RestAPI's `config.yml`, as it is: each key has an effect, or is named with the reason."""

from pathlib import Path

import pytest
import yaml

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.configs.files import take_files
from waldur_slurm.gateway.configs.restapi import read_restapi
from waldur_slurm.gateway.configs.told import Told
from waldur_slurm.gateway.records.mysql import Source, source_of
from waldur_slurm.gateway.settings import Settings

WHOLE = """\
system:
  use_acct_db: True
  use_cors: True
  debug: True
  host: 127.0.0.1
  port: 5005
  serve_index: True
  archive_usage_load: True
  archive_wait_time: 30
  archive_path: /opt/slurm-rest-api/db.json
database:
  db_host: db.example.org
  db_user: reader
  db_pass: "p@ss:/w#rd ☃"
  db_name: slurm_acct_db
  table_assoc: lab_assoc_table
  table_job: lab_job_table
filter:
  partitions:
    - secret
    - test
"""

EMPTY = """\
system:
#  use_acct_db: True
database:
#  db_host: slurm.server.com
filter:
#  partitions:
"""


def told(text: str) -> Told:
    return read_restapi(yaml.safe_load(text))


def settings(tmp_path: Path, text: str, **environ: str) -> Settings:
    path = tmp_path / "config.yml"
    path.write_text(text, encoding="utf-8")
    take_files([path], environ)
    return Settings.from_environ(environ)


def test_every_key_reaches_the_gateway(tmp_path: Path) -> None:
    found = settings(tmp_path, WHOLE).restapi
    assert (found.has_accounting, found.has_index, found.has_archive) == (True, True, True)
    assert found.is_open_to_pages
    assert found.wait.total_seconds() == 30
    assert found.hidden == {"secret", "test"}
    assert not found.hides_everywhere
    assert found.database


def test_the_database_is_asked_as_the_file_says_whatever_its_password_is(tmp_path: Path) -> None:
    found = settings(tmp_path, WHOLE).restapi
    assert found.database
    assert source_of(found.database.reveal(), "lab") == Source(
        host="db.example.org",
        port=3306,
        user="reader",
        password="p@ss:/w#rd ☃",
        name="slurm_acct_db",
        assoc="lab_assoc_table",
        job="lab_job_table",
    )


def test_its_surface_alone_is_served_where_the_original_was(tmp_path: Path) -> None:
    found = settings(tmp_path, WHOLE).listen
    assert [*map(str, found)] == ["127.0.0.1:8040", "127.0.0.1:5005=restapi"]


def test_what_it_does_not_say_is_what_the_original_took_for_it(tmp_path: Path) -> None:
    found = settings(tmp_path, EMPTY)
    restapi = found.restapi
    assert (restapi.has_accounting, restapi.has_index, restapi.has_archive) == (False,) * 3
    assert (restapi.is_open_to_pages, restapi.database) == (False, None)
    assert restapi.hidden == frozenset()
    assert str(found.listen[1]) == "127.0.0.1:5000=restapi"


def test_the_accounting_without_a_database_is_asked_by_sacct() -> None:
    assert "GATEWAY_ACCOUNTING_DATABASE" not in told("system: {use_acct_db: True}").variables


def test_keys_without_an_effect_are_named_with_the_reason() -> None:
    found = told(f"{WHOLE}\n  colour: red\n")
    assert [each.key for each in found.not_honoured] == [
        "system.debug",
        "system.archive_path",
        "filter.colour",
    ]
    assert "import restapi /opt/slurm-rest-api/db.json" in found.not_honoured[1].why
    unused = told("system: {use_acct_db: False}\ndatabase: {db_host: x}")
    assert [each.key for each in unused.not_honoured] == ["database"]


def test_every_key_of_the_original_is_known() -> None:
    assert not [each for each in told(WHOLE).not_honoured if "no such setting" in each.why]


def test_the_environment_has_precedence_over_a_file(tmp_path: Path) -> None:
    found = settings(
        tmp_path, WHOLE, GATEWAY_LOAD_WAIT="5s", GATEWAY_LISTEN="127.0.0.1:9", GATEWAY_CLUSTERS=""
    )
    assert found.restapi.wait.total_seconds() == 5
    assert [*map(str, found.listen)] == ["127.0.0.1:9"]


def test_of_two_files_the_later_one_has_the_word(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yml", tmp_path / "two.yml"
    one.write_text("system: {port: 5001, archive_wait_time: 5}", encoding="utf-8")
    two.write_text("system: {port: 5002, archive_wait_time: 7}", encoding="utf-8")
    environ: dict[str, str] = {}
    take_files([one, two], environ)
    assert environ["GATEWAY_LOAD_WAIT"] == "7s"
    assert environ["GATEWAY_LISTEN"].split(",")[1:] == [
        "127.0.0.1:5001=restapi",
        "127.0.0.1:5002=restapi",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("system: {use_acct_db: maybe}", "system.use_acct_db: expected True or False"),
        ("system: {port: 99999}", "system.port: expected a number from 1 to 65535"),
        ("system: {archive_wait_time: 0}", "archive_wait_time: expected a number of seconds"),
        ("filter: {partitions: main}", "filter.partitions: expected a list of names"),
        ("system: [1]", "system: expected keys with values below it"),
        ("a: b", "not a configuration that is known here"),
        ("{}", "not a configuration that is known here"),
        ("- 1", "expected sections"),
        ("system: {a: [}", "config.yml:1: not YAML"),
        ("system: !!python/object/apply:os.system ['id']", "not YAML"),
    ],
)
def test_mistakes_say_where_they_are(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=r".") as caught:
        settings(tmp_path, text)
    assert says in str(caught.value)


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    found = told("system: {use_cors: 1, port: x}\nfilter: {partitions: 3}")
    assert len(found.mistakes) == 3


def test_no_mistake_shows_a_password(tmp_path: Path) -> None:
    text = "system: {use_acct_db: True}\ndatabase: {db_pass: [hunter2], db_host: h}"
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, text)
    assert "hunter2" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot read"):
        take_files([tmp_path / "none.yml"], {})
