"""What a real job used stands in the mail about it."""

import os
import re
from dataclasses import replace
from datetime import datetime
from pwd import getpwnam

from tests.e2e.gateway.acting import ActingSite
from tests.fixtures_hand import ANN, CALLER
from tests.sandbox.processes import eventually
from tests.unit.gateway.post.letters import letter
from tests.unit.gateway.post.sinks import relaying
from waldur_slurm.gateway.past.efficiency import Efficiency
from waldur_slurm.gateway.post.cycle import now_utc
from waldur_slurm.gateway.post.letter import Facts, Letter
from waldur_slurm.gateway.store.letters import StoredLetters
from waldur_slurm.gateway.store.sqlite import Database

BUSY = "#!/bin/sh\ntimeout 4 sh -c 'while :; do :; done'\nexit 0\n"
SOON_S = 60.0


def test_mail_about_a_real_job_says_how_much_of_it_was_used(acting_site: ActingSite) -> None:
    with (
        relaying() as relay,
        acting_site.running(
            SMTP_SERVER="127.0.0.1",
            SMTP_PORT=str(relay.port),
            GATEWAY_SMTP_SECURITY="none",
            GATEWAY_SMTP_FROM="slurm@hpc.example.org",
        ) as gateway,
    ):
        token = acting_site.token()
        made = gateway.submit(token, script=BUSY, options={"time": "1"})
        path = f"/api/v1/jobs/{made.json['job_id']}?wait=60&until=terminal"
        job = gateway.send(token, "GET", path).json
        facts = Facts(
            cluster=job["cluster"],
            job_id=str(job["job_id"]),
            name=job["name"],
            user=ANN,
            state="COMPLETED",
            started=datetime.fromisoformat(job["times"]["start"]),
            efficiency=Efficiency(time=0.07),
        )
        now = now_utc()
        own = replace(letter(facts=facts), owner="token:portal", made=now, next_try=now)
        add(acting_site, own)

        assert eventually(lambda: len(relay.taken) == 1, SOON_S)

    (message,) = relay.taken
    used = re.search(r"^Used: +(\d+)% of its CPUs' time", message.get_content(), re.MULTILINE)
    assert used, message.get_content()
    assert int(used[1]) > 0


def add(site: ActingSite, own: Letter) -> None:
    """Write it down as the gateway's own user, whose database it is."""
    os.seteuid(getpwnam(CALLER).pw_uid)
    database = Database(site.place / "state" / "gateway.sqlite")
    try:
        assert StoredLetters(database).add(own)
    finally:
        database.close()
        os.seteuid(0)
