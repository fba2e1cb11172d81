"""The command line of the sandbox; a part is imported when it is asked for."""

import importlib
import sys

PARTS = {
    "slurm": "a private Slurm with accounting, in one directory",
    "kube": "a private Kubernetes, in one directory",
    "docker": "the same in a container: its engine and its images",
    "waldur": "a stand-in for a Waldur marketplace",
    "mail": "a mail relay that keeps what it is handed",
    "demo": "a tour of the agent, the gateway or the operator, on a site of its own",
}


def usage() -> str:
    rows = "\n".join(f"  {name:<8} {meaning}" for name, meaning in PARTS.items())
    return (
        "usage: python3 -m sandbox PART ...\n\n"
        f"parts:\n{rows}\n\n"
        "python3 -m sandbox PART --help tells more.\n"
    )


def main(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        sys.stdout.write(usage())
        return 0 if argv else 2
    part, *rest = argv
    if part not in PARTS:
        sys.stderr.write(f"There is no part {part!r}.\n{usage()}")
        return 2
    code: int = importlib.import_module(f"sandbox.{part}.cli").main(rest)
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
