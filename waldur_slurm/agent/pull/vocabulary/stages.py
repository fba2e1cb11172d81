"""In which order a plan's steps come. Values."""

from enum import IntEnum, auto


class Stage(IntEnum):
    """The order of a plan: what gives nothing away first, what takes away last."""

    JUDGE = auto()
    DESCRIPTIONS = auto()
    CUSTOMERS = auto()
    PROJECTS = auto()
    ALLOCATIONS = auto()
    PARENTS = auto()
    LIMITS = auto()
    HOLDS = auto()
    ADOPTIONS = auto()
    JOBS = auto()
    PEOPLE_IN = auto()
    HOMES = auto()
    RELEASES = auto()
    FINAL_USAGE = auto()
    DEFAULTS = auto()
    PEOPLE_OUT = auto()
    LAST_PLACES_OUT = auto()
    ALLOCATIONS_OUT = auto()
    PROJECTS_OUT = auto()
    CUSTOMERS_OUT = auto()
    BACKEND_IDS = auto()
    COMPLETIONS = auto()
    ASSOCIATIONS = auto()
    OFFERING_USERS = auto()
