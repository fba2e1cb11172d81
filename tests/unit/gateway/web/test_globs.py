"""Which files a glob means, and where it has to be looked for them."""

import pytest

from waldur_slurm.gateway.web.native.globs import DEEPEST, parse_glob


@pytest.mark.parametrize(
    ("text", "folder", "depth"),
    [
        ("*", (), 1),
        ("out/*.csv", ("out",), 1),
        ("a/b/c.txt", ("a", "b"), 1),
        ("a/*/c.txt", ("a",), 2),
        ("**/*.log", (), DEEPEST),
        ("a/**", ("a",), DEEPEST),
        ("caf\udcff/*", ("caf\udcff",), 1),
    ],
)
def test_it_is_looked_no_further_than_where_something_may_fit(
    text: str, folder: tuple[str, ...], depth: int
) -> None:
    glob = parse_glob(text)

    assert (glob.folder, glob.depth) == (folder, depth)


@pytest.mark.parametrize(
    ("text", "path", "fits"),
    [
        ("*", "a", True),
        ("*", "a/b", False),
        ("*", ".hidden", True),
        ("?.csv", "1.csv", True),
        ("?.csv", "12.csv", False),
        ("[ab].csv", "b.csv", True),
        ("[!ab].csv", "b.csv", False),
        ("*.csv", "A.CSV", False),
        ("**", "a", True),
        ("**", "a/b/c", True),
        ("**/*.log", "x.log", True),
        ("**/*.log", "a/b/x.log", True),
        ("**/*.log", "a/b/x.txt", False),
        ("*/**/z", "a/z", True),
        ("*/**/z", "a/b/c/z", True),
        ("*/**/z", "z", False),
        ("r*/out", "run/out", True),
        ("r*/out", "run/in/out", False),
        ("*", "a\nb", True),
        ("*", "caf\udcff", True),
    ],
)
def test_what_fits(text: str, path: str, fits: bool) -> None:
    assert parse_glob(text).fits(path) == fits


@pytest.mark.parametrize(
    "text",
    ["", "/etc/*", "../*", "a/../b", "a//b", "./a", "a/", "**/x/**", "a\0", "x" * 1025,
     "/".join("a" * 65)],
)  # fmt: skip
def test_what_leads_anywhere_else_is_no_glob(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(at most|names below)"):
        parse_glob(text)


def test_a_glob_of_many_stars_is_judged_at_once() -> None:
    assert not parse_glob("*a" * 500).fits("a" * 255 + "b")
