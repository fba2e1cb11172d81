"""The values that Slurm's options take, each a pattern that a whole text has to match.

Patterns are compiled when they are first asked for: a request names few of them, and an act in
somebody's name should not wait for the others. ASCII only, but for free text.
"""

import re
from typing import NamedTuple


class Grammar(NamedTuple):
    """What a value looks like: for a person, and for the machine."""

    says: str
    pattern: str

    def allows(self, text: str) -> bool:
        return re.fullmatch(self.pattern, text, re.ASCII) is not None and _is_utf8(text)


def listed(grammar: Grammar, separators: str = ",", most: int = 1000) -> Grammar:
    """Return the grammar of one or more such values between any of the separators."""
    one = grammar.pattern
    return Grammar(
        f"{grammar.says}, or several", f"(?:{one})(?:[{separators}](?:{one})){{0,{most}}}"
    )


def either(*words: str) -> Grammar:
    return Grammar(" or ".join(words), "|".join(words))


def keyed(key: str, grammar: Grammar) -> Grammar:
    """Return the grammar of `key=value`, an argument of its own."""
    return Grammar(f"{key}= and {grammar.says}", f"{key}=(?:{grammar.pattern})")


def _is_utf8(text: str) -> bool:
    """Whether every program agrees on its bytes; lone surrogates have none."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


_PRINTED = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]"

TEXT = Grammar("a line of at most 1024 characters", _PRINTED + "{1,1024}")
CLEARED = Grammar("a line of at most 1024 characters, or nothing", _PRINTED + "{0,1024}")
JOB_NAME = Grammar("a line of at most 255 characters", _PRINTED + "{1,255}")
FILE = Grammar("a file's name, %-patterns as sbatch has them", f"(?!-){_PRINTED}{{1,4096}}")
DIRECTORY = Grammar("an absolute path", f"/{_PRINTED}{{0,4095}}")

NAME = Grammar("a name", r"[A-Za-z0-9_*][A-Za-z0-9_.@+*-]{0,127}")
NAMES = listed(NAME, most=100)
WORDS = Grammar("words with : = / between", r"[A-Za-z0-9_][A-Za-z0-9_.:=/@+*-]{0,127}")
RESOURCES = listed(WORDS, most=50)
LICENSES = listed(WORDS, ",;|", most=50)

COUNT = Grammar("a whole number above 0", r"0{0,9}[1-9][0-9]{0,8}")
NUMBER = Grammar("a whole number", r"[0-9]{1,9}")
NICE = Grammar("a whole number, also below 0", r"[+-]?[0-9]{1,10}")
NODES = Grammar("a number of nodes, or from-to", r"[0-9]{1,7}(?:-[0-9]{1,7})?")
SIZE = Grammar("a number, with K, M, G or T where it is not megabytes", r"[0-9]{1,12}[KMGT]?")
GPUS = listed(Grammar("[kind:]number", r"(?:[A-Za-z0-9_.-]{1,64}:)?[0-9]{1,6}"), most=20)

JOB = Grammar(
    "a job: 12, 12_3, 12_[1-3], 12_* or 12+0",
    r"[1-9][0-9]{0,9}(?:_(?:[0-9]{1,9}|\*|\[[0-9,:%-]{1,200}\])|\+[0-9]{1,4})?",
)
JOBS = listed(JOB)
RUN = Grammar("the number of a job", r"[1-9][0-9]{0,9}")
ARRAY = Grammar(
    "numbers and from-to[:step] between commas, %most at once at the end",
    r"(?:[0-9]{1,9}(?:-[0-9]{1,9}(?::[0-9]{1,9})?)?)"
    r"(?:,[0-9]{1,9}(?:-[0-9]{1,9}(?::[0-9]{1,9})?)?){0,2000}(?:%[0-9]{1,9})?",
)
DEPENDENCY = listed(
    Grammar(
        "a dependency such as afterok:12:13 or singleton",
        r"singleton|(?:after|afterany|afterok|afternotok|aftercorr|afterburstbuffer)"
        r"(?::[1-9][0-9]{0,9}(?:_(?:[0-9]{1,9}|\*))?(?:\+[0-9]{1,9})?){1,1000}",
    ),
    ",?",
)
NO_DEPENDENCY = Grammar(f"{DEPENDENCY.says}, or nothing", f"(?:{DEPENDENCY.pattern})?")

_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?"
TIME = Grammar(
    "minutes, [days-]hours:minutes:seconds, or UNLIMITED",
    r"[0-9]{1,9}(?::[0-9]{1,2}){0,2}|[0-9]{1,6}-[0-9]{1,9}(?::[0-9]{1,2}){0,2}|UNLIMITED|INFINITE",
)
MOMENT = Grammar(
    "YYYY-MM-DD[THH:MM[:SS]], HH:MM[:SS], now[+number[unit]], or a word such as midnight",
    rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:T{_CLOCK})?|{_CLOCK}|midnight|noon|fika|teatime|today"
    r"|tomorrow|now(?:\+[0-9]{1,9}(?:seconds?|minutes?|hours?|days?|weeks?)?)?",
)
HOSTS = Grammar("nodes such as n[1-4],m7", r"[A-Za-z0-9_][A-Za-z0-9_.,\[\]-]{0,65535}")
NO_HOSTS = Grammar(f"{HOSTS.says}, or nothing", f"(?:{HOSTS.pattern})?")
FEATURES = Grammar(
    "features with & | , ( ) [ ] * ! between",
    r"[A-Za-z0-9_.,:=&|*()\[\]!+][A-Za-z0-9_.,:=&|*()\[\]!+-]{0,1023}",
)
SIGNAL = Grammar("a signal's name or number", r"[A-Z][A-Z0-9+]{1,15}|[0-9]{1,2}")
SIGNAL_BEFORE = Grammar(
    "[B|R:]signal[@seconds]", r"(?:[BR]{1,2}:)?(?:[A-Z][A-Z0-9+]{1,15}|[0-9]{1,2})(?:@[0-9]{1,5})?"
)
MAIL_EVENTS = listed(
    either(
        "NONE", "BEGIN", "END", "FAIL", "REQUEUE", "ALL", "INVALID_DEPEND", "STAGE_OUT",
        "TIME_LIMIT", "TIME_LIMIT_90", "TIME_LIMIT_80", "TIME_LIMIT_50", "ARRAY_TASKS",
    ),
    most=12,
)  # fmt: skip
MAIL_USER = Grammar("a mail address or a user", r"[A-Za-z0-9_.+%][A-Za-z0-9_.+%@-]{0,253}")
DISTRIBUTION = Grammar(
    "how tasks are laid out, such as block:cyclic", r"[A-Za-z*][A-Za-z0-9=:,*]{0,63}"
)
SWITCHES = Grammar("number[@time]", rf"[0-9]{{1,5}}(?:@(?:{TIME.pattern}))?")
YES_NO = either("yes", "no")
