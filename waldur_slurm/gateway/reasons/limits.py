"""The names of Slurm's limits, read as what they are made of: whose, of what, for whom. Pure."""

import re
from dataclasses import dataclass

_THINGS = {
    "bb": "burst buffer",
    "billing": "billing units",
    "cpu": "CPUs",
    "energy": "energy",
    "gres": "GPUs (or another generic resource)",
    "job": "running jobs",
    "jobs": "running jobs",
    "license": "licences",
    "mem": "memory",
    "memory": "memory",
    "node": "nodes",
    "submitjob": "jobs in the queue",
    "submitjobs": "jobs in the queue",
    "unknown": "some resource",
    "wall": "time",
    "wallduration": "time",
}

_NAME = re.compile(
    r"(?P<owner>QOS|Assoc)?(?P<kind>Grp|Max|Min)(?P<thing>[A-Za-z]+?)"
    r"(?P<minutes>RunMinutes|RunMins|Minutes)?"
    r"(?:Per(?P<per>Job|Node|User|Account))?(?:Limit|NotSatisfied)?"
)

_LESS = "Cancel it and ask for less, or change it while it waits."
_MORE = "Cancel it and ask for more, or take another QoS."


@dataclass(frozen=True, slots=True)
class Limit:
    """`whose`: `account` or `qos`, or what a QoS gives each `user`; `thing` in small letters.

    `minutes`: empty, `run` for what running jobs may still use, or `budget` for what was used.
    """

    whose: str
    is_of_qos: bool
    kind: str
    thing: str
    minutes: str
    per: str

    @property
    def passes(self) -> bool:
        """What one job may ask for stays; what many share becomes free."""
        return self.kind != "Min" and self.per not in ("Job", "Node")

    @property
    def says(self) -> str:
        owner, what = _OWNERS[self.whose, self.is_of_qos], self._what
        if self.kind == "Min":
            return f"It asks for less than the least that {owner} takes: {what}."
        if not self.passes:
            place = "on a node " if self.per == "Node" else ""
            return f"It asks for more {place}than {owner} gives one job: {what}."
        if self.minutes == "budget" or self.thing == "wall":
            return f"{_capital(owner)} has used up its budget: {what}."
        return f"{_capital(owner)} has as much in use as it may: {what}."

    @property
    def advice(self) -> str:
        if self.kind == "Min":
            return _MORE
        if not self.passes:
            return _LESS
        if self.minutes == "budget" or self.thing == "wall":
            return "Ask for more of the budget, or wait until Slurm counts it anew."
        return "Wait until jobs that count there have ended."

    @property
    def _what(self) -> str:
        thing = _THINGS[self.thing]
        return f"{thing} times minutes" if self.minutes else thing


_OWNERS = {
    ("account", False): "its account",
    ("account", True): "its account, in this QoS,",
    ("qos", True): "its QoS",
    ("user", True): "its owner, in this QoS,",
}


def limit_of(word: str) -> Limit | None:
    """Read a word such as `QOSMaxCpuPerUserLimit`; None where it is none of a limit's."""
    found = _NAME.fullmatch(word)
    if found is None or found["thing"].lower() not in _THINGS:
        return None
    if found["owner"] is None and found["per"] not in ("User", "Account"):
        return None
    minutes = {"RunMinutes": "run", "RunMins": "run", "Minutes": "budget"}
    return Limit(
        whose=_whose(found["owner"], found["per"]),
        is_of_qos=found["owner"] != "Assoc",
        kind=found["kind"],
        thing=found["thing"].lower(),
        minutes=minutes.get(found["minutes"] or "", ""),
        per=found["per"] or "",
    )


def _whose(owner: str | None, per: str | None) -> str:
    """Tell whose it is; names without an owner are a QoS's."""
    if owner == "Assoc":
        return "account"
    return {"User": "user", "Account": "account"}.get(per or "", "qos")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
