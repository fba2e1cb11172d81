"""docs/gateway-compatibility.md leaves out nothing that an original's document gives to type."""

import re
from collections.abc import Iterator

from tests.page import read_blocks
from tests.places import PROJECT
from waldur_slurm.gateway.doors.principals import FOR_NOBODY
from waldur_slurm.gateway.settings import Settings

PAGE = PROJECT / "docs" / "gateway-compatibility.md"
TEXT = PAGE.read_text(encoding="utf-8")
TYPED_IN = (PAGE, PROJECT / "docs" / "hand.md", PROJECT / "docs" / "gateway.md")
EXECUTOR = PROJECT / "executor" / "README.md"

SLURMER = """\
make
make clean
make MIN_UID=1100 MAX_UID=1200 SLURMER_UID=1099
make PREFIX=/opt/slurmer install
mkdir /var/lib/slurmer
chown -R slurmer /var/lib/slurmer/ /usr/local/etc/slurmer/
chmod 0700 /var/lib/slurmer/ /usr/local/etc/slurmer/
chmod 0600 /usr/local/etc/slurmer/config.yml
slurmer -c /usr/local/etc/slurmer/config.yml
GET /apps
POST /apps
GET /apps/{appId}
GET /apps/{appId}/jobs
POST /apps/{appId}/jobs
GET /apps/{appId}/jobs/{jobId}
DELETE /apps/{appId}/jobs/{jobId}
GET /apps/{appId}/jobs/{jobId}/batch
GET /apps/{appId}/jobs/{jobId}/out
GET /apps/{appId}/jobs/{jobId}/files
POST /apps/{appId}/jobs/{jobId}/files
PUT /apps/{appId}/jobs/{jobId}/status
PUT /apps/{appId}/jobs/{jobId}/prune
PUT /apps/{appId}/jobs/{jobId}/start
PUT /apps/{appId}/jobs/{jobId}/stop
""".splitlines()
"""What Slurmer's document has in blocks and in a sentence, and its table of routes."""

RESTAPI_ROUTES = (
    "/users", "/users?name=root", "/history", "/history?limit=25", "/history?limit=25&offset=25",
    "/history?user=galaxy", "/history?partition=high", "/history?jobid<=987654",
    "/history?jobname=g12345_bcftools", "/history?state=1", "/queue", "/partitions", "/nodes",
    "/usage", "/stats", "/load?time=60", "/load?time=60&offset=120",
)  # fmt: skip
"""The example routes of Slurm RestAPI's document."""


def rows(section: str) -> Iterator[list[str]]:
    """The cells of the first table of a section, without its heading."""
    chapter = re.split(rf"^#+ {re.escape(section)}\n", TEXT, flags=re.MULTILINE)[1]
    table = chapter.partition("\n|")[2].partition("\n\n")[0]
    for row in table.splitlines()[2:]:
        cells = re.split(r"(?<!\\) \| ", row.removeprefix("| ").removesuffix(" |"))
        yield [cell.replace(r"\|", "|") for cell in cells]


def typed() -> set[str]:
    """All lines that tests type, remarks left out."""
    blocks = [block for page in TYPED_IN for block in read_blocks(page) if block.language == "bash"]
    blocks += read_blocks(EXECUTOR)
    return {line.partition(" #")[0] for block in blocks for line in block.lines}


def test_each_line_of_slurmers_document_has_one_to_type_now() -> None:
    table = list(rows("What its document tells people to type"))

    assert [row[0].strip("`") for row in table] == SLURMER
    said = {row[1].removeprefix("`").removesuffix("`") for row in table} - {"nothing"}
    assert said - typed() == set()
    assert all(row[2] for row in table)


def test_each_example_route_of_slurm_restapis_document_is_typed() -> None:
    assert {f"curl -sS 'http://localhost:5000{route}'" for route in RESTAPI_ROUTES} <= typed()


def test_each_line_that_lets_old_clients_go_on_is_taken_and_acts_as_nobody() -> None:
    table = list(rows("Lines that let old clients go on"))

    assert len(table) >= 4
    for _original, line, given_away in table:
        name, _, value = line.strip("`").partition("=")
        settings = Settings.from_environ({name: value})
        assert settings.anonymous_scopes or settings.trusted_networks.each, line
        assert all(each.run_as == FOR_NOBODY for each in settings.trusted_networks.each), line
        assert given_away
