"""Who may change accounts is known without changing any."""

from tests.contract.site import Site


def test_this_user_may_and_nothing_is_made_by_asking(site: Site) -> None:
    before = site.accounting.read_snapshot()

    assert site.accounting.may_change_accounts()

    assert site.accounting.read_snapshot() == before
