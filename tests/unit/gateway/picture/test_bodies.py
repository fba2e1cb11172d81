"""Ready answers: within a bound of bytes, and never one person's for another."""

from waldur_slurm.gateway.picture.bodies import Bodies, BodyKey


def key(representation: str = "jobs", generation: int = 1, visibility: str = "all") -> BodyKey:
    return BodyKey("lab", generation, representation, visibility, "")


def test_a_body_is_made_once() -> None:
    bodies, made = Bodies(), []

    def make() -> bytes:
        made.append(1)
        return b"x"

    assert bodies.find_or_make(key(), make) == b"x"
    assert bodies.find_or_make(key(), make) == b"x"
    assert len(made) == 1


def test_what_one_may_see_is_not_what_another_is_given() -> None:
    bodies = Bodies()
    bodies.find_or_make(key(visibility="all"), lambda: b"everything")

    assert bodies.find(key(visibility="own:ann")) is None


def test_what_was_not_asked_for_longest_goes_first() -> None:
    bodies = Bodies(most_bytes=10)
    for name in ("a", "b"):
        bodies.find_or_make(key(name), lambda: b"12345")
    bodies.find(key("a"))

    bodies.find_or_make(key("c"), lambda: b"12345")

    assert bodies.find(key("a")) == b"12345"
    assert bodies.find(key("b")) is None
    assert bodies.size == 10


def test_one_that_is_larger_than_all_there_may_be_is_given_and_not_kept() -> None:
    bodies = Bodies(most_bytes=10)

    assert bodies.find_or_make(key(), lambda: b"x" * 11) == b"x" * 11
    assert bodies.find(key()) is None
    assert bodies.size == 0


def test_a_newer_picture_takes_the_place_of_the_one_before() -> None:
    bodies = Bodies()
    bodies.find_or_make(key(generation=1), lambda: b"old")

    bodies.find_or_make(key(generation=2), lambda: b"newer")

    assert bodies.find(key(generation=1)) is None
    assert bodies.size == 5
