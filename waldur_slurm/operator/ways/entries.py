r"""What the journal on a login host holds, a line for each job, and the shell that keeps it. Pure.

A line is written before sbatch is called and changed after, both under one lock, which sbatch holds
too as long as it lives. Lines are changed only where they are what whoever changes them has seen.
All of it is the user's own: a place in his home, which every login host of a cluster has.
"""

import hashlib
import json
from dataclasses import dataclass

from waldur_slurm.model.batch import BatchSheet
from waldur_slurm.operator.jobs.port import Wanted

OURS = "slurm-operator: "
"""What the shell says begins so, and nothing that sbatch says does."""

STANDS, NOT_DONE = 123, 125
"""Another line is there than was expected; nothing was done."""

OPEN, PLACED = "open", "placed"


@dataclass(frozen=True, slots=True)
class Entry:
    """`at`: when it was handed in, in seconds by the login host's clock; `line` is all of it."""

    mark: str
    at: int
    fingerprint: str
    may_wait: bool
    number: int | None
    """Its job's; None while nobody knows whether there is one."""
    line: str


def name_of(mark: str) -> str:
    """Return the file that a mark's line is in."""
    return f"{hashlib.sha256(mark.encode()).hexdigest()[:40]}.job"


def fingerprint(wanted: Wanted, sheet: BatchSheet) -> str:
    """Tell what is asked for from anything else."""
    told = [wanted.key, wanted.user, sheet.script, sorted(sheet.options.items())]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def rest_of_line(mark: str, print_: str, nonce: str, *, may_wait: bool) -> str:
    """Write what stands behind the word and the time."""
    return f"{nonce} {print_} {int(may_wait)} {mark}"


def placed_line(at: int, rest: str, number: int) -> str:
    return f"{PLACED} {at} {rest} {number}"


def parse_entry(line: str) -> Entry | None:
    """Read a line; None where it is none of ours, of which nothing may be concluded."""
    words = line.split(" ")
    if len(words) != (7 if words[0] == PLACED else 6) or words[0] not in (OPEN, PLACED):
        return None
    word, at, _, print_, may_wait, mark, *number = words
    if not (_is_number(at) and may_wait in ("0", "1") and all(map(_is_number, number))):
        return None
    placed = int(number[0]) if word == PLACED else None
    return Entry(mark, int(at), print_, may_wait == "1", placed, line)


def rest_of(entry: Entry) -> str:
    return " ".join(entry.line.split(" ")[2:6])


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


_PLACE = f"""d=$HOME/.local/state/slurm-operator
say() {{ echo "{OURS}$1" >&2; exit {NOT_DONE}; }}
"""

_LOCKED = """f=$d/$1 patience=$2 expected=$3
( umask 077 && mkdir -p "$d" && : >>"$d/lock" ) || say "no journal can be kept in $d"
exec 9>>"$d/lock"
flock -w "$patience" 9 || say "another one hands a job in, or flock is missing"
now=
if [ -e "$f" ]; then read -r now <"$f" || say "$f cannot be read"; fi
put() {
  ( umask 077 && printf '%s\\n' "$1" >"$f.new" && sync "$f.new" && mv "$f.new" "$f" && sync "$d" )
}
"""

SUBMIT = f"""{_PLACE}{_LOCKED}rest=$4
shift 4
[ "$now" = "$expected" ] || {{ printf '%s\\n' "$now"; exit {STANDS}; }}
at=$(date +%s)
put "{OPEN} $at $rest" || say "$f cannot be written"
echo "{OURS}{OPEN} $at $rest" >&2
unset SBATCH_CLUSTERS SLURM_CLUSTERS SBATCH_WAIT
out=$("$@")
code=$?
last=$(printf '%s\\n' "$out" | tail -n 1)
id=${{last%%;*}}
case $id in
  '' | *[!0-9]*) ;;
  *) put "{PLACED} $at $rest $id" ;;
esac
printf '%s\\n' "$out"
exit $code
"""
"""Of NAME PATIENCE EXPECTED REST COMMAND...; the command's stdin is the job's script."""

CHANGE = f"""{_PLACE}{_LOCKED}
[ "$now" = "$expected" ] || exit {STANDS}
if [ -n "$4" ]; then put "$4"; else rm -f "$f"; fi || say "$f cannot be written"
"""
"""Of NAME PATIENCE EXPECTED NEW; an empty line is none."""

READ = f"""{_PLACE}date +%s
while read -r name; do
  [ -e "$d/$name" ] || continue
  read -r line <"$d/$name" || say "$d/$name cannot be read"
  printf '%s\\n' "$line"
done
"""
"""Names come on stdin. What is first is the time."""

TIDY = f"""{_PLACE}[ -d "$d" ] || exit 0
find "$d" -name '*.job' -type f -mtime +"$1" -exec sh -c \
'read -r word rest <"$1" && [ "$word" = {PLACED} ]' sh {{}} ';' -exec rm -f {{}} ';'
"""
"""Of DAYS: lines of jobs that were handed in longer ago; open ones stay."""

TAIL = f"""{_PLACE}[ -f "$1" ] || say "$1 is no file, or not there yet"
exec tail -c "$2" -- "$1"
"""
