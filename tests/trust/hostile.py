"""Text that is meant to be misread, for every grammar that a text of ours passes."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.trust.size import IS_CAMPAIGN, size

Test = TypeVar("Test", bound=Callable[..., object])

TEXTS = (
    "a,b",
    "br[1-3]",
    "pi|pe",
    "key=value",
    'it\'s "quoted" and `back`',
    "two\nlines\r\nof: text\n",
    "nul\0inside",
    "\x1b[31;1mred\x1b]0;title\x07\x9b2J\x7f",
    "--immediate",
    "-i",
    "where account=root",
    "root",
    "../../../etc/passwd",
    "$(touch /tmp/owned) `id`; rm -rf / & | > x",
    "!!python/object/apply:os.system ['id']",
    "&a [*a]",
    "{0.__class__} %s%n ${HOME} {{7*7}}",
    "\u202egnirts\u202c \u200b\u2066\ufeff",
    "caf\u00e9 \u0130\u00df \U0001f600 \U000e0001",
    "# comment",
    "a:Fairshare=99:MaxJobs=0",
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "<3>not the priority",
    " ",
    "",
    "0",
    "-1",
    "NaN",
    "9" * 5000,
    "1e999999999",
    "\u0663\u0664",
    "x" * 6_000,
)
"""One of each kind."""

ANY_TEXT = st.sampled_from(TEXTS) | st.text(max_size=50)


def fuzzed(short: int, long: int) -> Callable[[Test], Test]:
    """So many examples: always the same ones in `make test`, other ones in each campaign."""

    def decorate(test: Test) -> Test:
        return settings(
            max_examples=size(short, long),
            derandomize=not IS_CAMPAIGN,
            database=None,
            deadline=None,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )(test)

    return decorate


def refusal_of(kind: type[Exception], act: Callable[[], object]) -> str:
    """Let `act` end well or with an error of this kind alone; return the error's words."""
    try:
        act()
    except kind as refused:
        return str(refused)
    return ""
