"""The gateway starts without the libraries of what is not set: each takes a tenth of its start.

`make bench ARGS=gateway/start` has the time.
"""

import subprocess
import sys

from tests.places import PROJECT

START = """
import waldur_slurm.gateway.serving, waldur_slurm.gateway.commands.serve
import sys
print(*sys.modules)
"""
WHERE_USED = {"apprise", "joserfc", "pika", "requests", "rich"}


def test_a_start_loads_no_library_of_what_is_not_set() -> None:
    environ = {"PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        (sys.executable, "-c", START), env=environ, capture_output=True, text=True, check=True
    )
    loaded = {*done.stdout.split()}

    assert "waldur_slurm.gateway.web.server" in loaded
    assert loaded & WHERE_USED == set()
