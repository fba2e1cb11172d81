"""How many there are of something, in words: the one place that knows of one and many. Pure."""


def counted(number: int, one: str, many: str = "") -> str:
    """Say `1 job` or `2 jobs`; `many` is there for what takes more than an s.

    Both may be the beginning of a sentence: `counted(n, "job has ended", "jobs have ended")`.
    """
    return f"{number} {one if number == 1 else many or f'{one}s'}"
