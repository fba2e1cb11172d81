"""One gateway for one state directory: two would send one letter, and settle one key, at once.

Where nothing can be written there is nothing to guard: whatever needs the store says so itself.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from waldur_slurm.errors import AlreadyRunning, StateError
from waldur_slurm.gateway.store.place import ensure_own
from waldur_slurm.service.lock import Holder, only_one


@contextmanager
def only_gateway(state_dir: Path, serves: str) -> Iterator[None]:
    """Hold the state directory's lock, or raise `AlreadyRunning` at once.

    `serves` are the addresses, for who comes second to read. Commands of this host, such as one
    that makes a token, need no lock: each of their writes is whole.
    """

    def refusal(holder: Holder) -> AlreadyRunning:
        since = f" since {holder.since}" if holder.since else ""
        theirs = holder.work.get("serves", "")
        return AlreadyRunning(
            f"{holder} serves{f' {theirs}' if theirs else ''}{since} with what"
            f" {state_dir} keeps; stop it, or give this one a GATEWAY_STATE_DIR of its own"
        )

    with ExitStack() as held:
        try:
            ensure_own(state_dir)
            held.enter_context(only_one(state_dir, {"serves": serves}, refusal, must_sign=False))
        except StateError:
            pass
        yield
