"""The tour itself, in the order in which things happen at a real site."""

from collections.abc import Sequence

from sandbox.demo import facts
from sandbox.demo.screen import Screen
from sandbox.demo.site import Site

PLAN_HAS_CHANGES = 10
PROJECTS = {
    # project: its allocation, and what is ordered for it
    "Quarks": ("Lattice", {"cpu": 20_000, "mem": 80_000, "gpu": 1_000}),
    "Glaciers": ("Melting", {"cpu": 5_000, "mem": 20_000, "gpu": 100}),
}
CPUS = (96, 64, 32)
GPUS = (4, 2, 1)


def guide(site: Site, screen: Screen) -> None:
    """Walk through one whole round of both directions."""
    sell(site, screen)
    order(site, screen)
    plan(site, screen)
    pull(site, screen)
    work(site, screen)
    push(site, screen)
    rest(site, screen)


def sell(site: Site, screen: Screen) -> None:
    screen.chapter("The provider loads into Waldur what the offering sells")
    run_agent(site, screen, "pull", "--load-components")


def order(site: Site, screen: Screen) -> None:
    screen.chapter("A customer orders allocations in Waldur, and people join its projects")
    academy = site.waldur.make_customer("Academy")
    projects = [site.waldur.make_project(academy, name) for name in PROJECTS]
    for number, person in enumerate(site.people):
        user = site.waldur.make_user(person.removeprefix("wsat-"))
        # Two people in the first project, the third one in the second.
        site.waldur.add_member(projects[number // 2], user)
        site.waldur.set_offering_username(user, person)
    for project, (name, limits) in zip(projects, PROJECTS.values(), strict=True):
        site.waldur.order_create(project, name, limits)
    show_orders(site, screen)


def plan(site: Site, screen: Screen) -> None:
    screen.chapter("What pull would do about it; nothing is changed yet")
    run_agent(site, screen, "pull", "plan", expect=PLAN_HAS_CHANGES)


def pull(site: Site, screen: Screen) -> None:
    screen.chapter("Pull does it: Waldur's orders become accounts in Slurm")
    run_agent(site, screen, "pull", "once")
    show_accounts(site, screen)
    screen.say("And in Waldur the orders are done and know their accounts:")
    show_orders(site, screen)


def work(site: Site, screen: Screen) -> None:
    screen.chapter("The new users run jobs in their accounts")
    allocations = [row["backend_id"] for row in site.waldur.resources()]
    with screen.working("computing"):
        for number, person in enumerate(site.people):
            site.submit(
                person,
                allocations[number // 2],
                f"--cpus-per-task={CPUS[number]}",
                f"--gres=gpu:{GPUS[number]}",
                "--time=1",
            )
        site.cluster.wait_for_jobs()
    show_jobs(facts.jobs(site), screen)


def push(site: Site, screen: Screen) -> None:
    screen.chapter("Push tells Waldur what was used")
    run_agent(site, screen, "push", "plan", expect=PLAN_HAS_CHANGES)
    run_agent(site, screen, "push", "once")
    screen.table(("allocation", "user", *(f"{unit}>" for unit in facts.UNITS)), facts.usage(site))


def rest(site: Site, screen: Screen) -> None:
    screen.chapter("Both sides are in step, so there is nothing left to do")
    run_agent(site, screen, "pull", "plan")
    run_agent(site, screen, "push", "plan")


def run_agent(site: Site, screen: Screen, direction: str, *words: str, expect: int = 0) -> None:
    argv = ("waldur-slurm-agent", "--env-file", f"{direction}.env", *words)
    screen.program(argv, lambda: site.agent(argv, expect))


def show_orders(site: Site, screen: Screen) -> None:
    columns = ("allocation", "order", "account", *(f"{unit}>" for unit in facts.UNITS))
    screen.table(columns, facts.orders(site))


def show_accounts(site: Site, screen: Screen) -> None:
    screen.table(("account in Slurm", "users", "limit in TRES-minutes"), facts.accounts(site))


def show_jobs(jobs: Sequence[facts.Job], screen: Screen) -> None:
    screen.table(
        ("job>", "user", "account", "state", "seconds>", "CPUs>", "memory>", "GPUs>"),
        (
            (
                *(job.number, job.user, job.account, job.state, str(job.seconds)),
                *(job.tres.get(kind, "") for kind in ("cpu", "mem", "gres/gpu")),
            )
            for job in jobs
        ),
    )
