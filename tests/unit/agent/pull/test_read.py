"""What is read is put in one fixed order, in which all passes of a cycle go through it."""

from tests.fakes.pull import Site, new_site


def two_of_one_name() -> Site:
    """The two resources' uuids begin with the same digits, so that both want the same account."""
    site = new_site()
    project = site.waldur.make_project()
    for _ in range(2):
        site.waldur.place_create(project, "alloc", {"gpu": 1})
    return site


def test_names_fall_the_same_way_in_whatever_order_waldur_lists() -> None:
    one, other = two_of_one_name(), two_of_one_name()
    other.waldur.resources = dict(reversed(other.waldur.resources.items()))

    assert one.plan().plan == other.plan().plan
