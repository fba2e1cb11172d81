"""hand.conf says what root allows, or nothing is allowed at all."""

import pytest

from waldur_slurm.hand.conf import UNLIMITED, BadConf, Limit, parse_conf

LEAST = "caller = gate\nusers = ann\nroots = /home/{user}\n"


def test_three_lines_are_enough() -> None:
    conf = parse_conf(LEAST)

    assert (conf.caller, conf.users, conf.roots) == ("gate", ("ann",), ("/home/{user}",))
    assert (conf.min_uid, conf.max_uid, conf.umask) == (1000, 65535, 0o022)
    assert conf.limits == ()


def test_everything_can_be_said() -> None:
    conf = parse_conf(
        "# who may ask\n\ncaller=gate\n users = ann @physics\nroots = {home}/jobs /scratch/{user}\n"
        "min_uid = 500\nmax_uid = 60000\nslurm_user = slurmadm\nslurm_bin = /opt/slurm/bin\n"
        "slurm_conf = /opt/slurm/etc/slurm.conf\npath = /opt/slurm/bin:/usr/bin\numask = 077\n"
        "limits = nofile=1024:524288 memlock=unlimited\nsocket = /run/hand.sock\nat_once = 8\n"
    )

    assert conf.users == ("ann", "@physics")
    assert conf.roots == ("{home}/jobs", "/scratch/{user}")
    assert conf.umask == 0o077
    assert conf.limits == (
        Limit("nofile", 1024, 524288),
        Limit("memlock", UNLIMITED, UNLIMITED),
    )


@pytest.mark.parametrize("key", ["caller", "users", "roots"])
def test_who_asks_who_is_acted_as_and_where_must_be_said(key: str) -> None:
    lines = "".join(line for line in LEAST.splitlines(True) if not line.startswith(key))

    with pytest.raises(BadConf, match=f"{key} is missing"):
        parse_conf(lines)


@pytest.mark.parametrize(
    "line",
    [
        "unknown = 1",
        "no equals sign",
        "users = bob",
        "umask = 9",
        "umask = 7777",
        "min_uid = 0",
        "min_uid = -1",
        "max_uid = many",
        "slurm_bin = bin",
        "path = relative:/usr/bin",
        "limits = nofile",
        "limits = nofile=lots",
        "at_once = 0",
        "socket =",
    ],
)
def test_a_line_that_is_not_understood_is_refused(line: str) -> None:
    with pytest.raises(BadConf, match="line 4"):
        parse_conf(f"{LEAST}{line}\n")


@pytest.mark.parametrize(
    "root", ["home/{user}", "/home/{home}", "/home/{uid}", "{user}", "/home/{user", ""]
)
def test_a_root_is_an_absolute_path_of_the_user(root: str) -> None:
    with pytest.raises(BadConf, match="roots"):
        parse_conf(f"caller = gate\nusers = ann\nroots = {root}\n")
