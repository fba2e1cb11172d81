"""What lists of hosts look like, for laws here and against the real tool."""

from hypothesis import strategies as st

WORDS = st.from_regex(r"[a-z][a-z_.-]{0,2}", fullmatch=True)
SMALL = st.integers(0, 120)


@st.composite
def _written(draw: st.DrawFn) -> str:
    return f"{draw(SMALL):0{draw(st.sampled_from([1, 1, 1, 2, 3, 5]))}}"


@st.composite
def _names(draw: st.DrawFn) -> str:
    digits = draw(_written())
    shape = draw(st.sampled_from(["{w}{d}", "{w}{d}", "{w}{d}", "{w}", "{d}", "{w}{d}{w}"]))
    return shape.format(w=draw(st.sampled_from(["n", "m", "rack1n"])), d=digits)


HOST_NAMES = _names()


@st.composite
def _ranges(draw: st.DrawFn) -> str:
    first = draw(SMALL)
    start = f"{first:0{draw(st.sampled_from([1, 1, 2, 3]))}}"
    length = draw(st.integers(0, 4))
    return start if length == 0 else f"{start}-{first + length}"


@st.composite
def _brackets(draw: st.DrawFn) -> str:
    return f"[{','.join(draw(st.lists(_ranges(), min_size=1, max_size=3)))}]"


@st.composite
def _items(draw: st.DrawFn) -> str:
    """One to three brackets, each behind a word, so that digits do not stand before digits."""
    pieces = [draw(WORDS) + draw(_brackets()) for _ in range(draw(st.integers(1, 3)))]
    return "".join(pieces)


@st.composite
def _items_with_an_end(draw: st.DrawFn) -> str:
    return draw(_items()) + draw(st.sampled_from(["-ib", "x", "x7", ".c"]))


def _joined(item: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(item, min_size=1, max_size=4).map(",".join)


PLAIN_HOST_LISTS = _joined(_items() | HOST_NAMES)
"""Lists that every version reads: nothing behind the last bracket (22.05 refuses that)."""

HOST_LISTS = _joined(_items() | _items_with_an_end() | HOST_NAMES)
