"""Teams that order an allocation each, and whether all that they ordered is there."""

from benchmarks.site import Site

OWN = "root"
TEAMS_OF_A_CUSTOMER = 10


class NotFilled(Exception):
    """The agent did not bring Slurm and Waldur to where the orders want them."""


def order_for_teams(site: Site, first: int, teams: int, users_each: int) -> None:
    """A project with its people, whose user names are known, and one order for each team."""
    waldur = site.waldur
    with waldur.store.transaction():
        for team in range(first, first + teams):
            if (team - first) % TEAMS_OF_A_CUSTOMER == 0:
                customer = waldur.make_customer(f"Science {team}")
            project = waldur.make_project(customer, f"Project {team}")
            for member in range(users_each):
                user = waldur.make_user(f"home-{team}-{member}")
                waldur.set_offering_username(user, f"u{team}m{member}")
                waldur.add_member(project, user)
            waldur.order_create(project, "work", {"cpu": 10})


def check_all_is_there(site: Site, teams: int, users_each: int) -> None:
    if said := what_is_wrong(site, teams, users_each):
        raise NotFilled(said)


def what_is_wrong(site: Site, teams: int, users_each: int) -> str:
    """Nothing once every order is done and everybody is in Slurm, and nobody too much."""
    undone = [order for order in site.waldur.orders() if order["state"] != "done"]
    listed = site.cluster.must("sacctmgr", "-nP", "show", "assoc", "format=user", timeout=120)
    people = sum(1 for user in listed.split() if user != OWN)
    if not undone and people == teams * users_each:
        return ""
    return f"{people} associations of {teams * users_each}, {len(undone)} orders not done"
