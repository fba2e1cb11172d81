"""The server's secret: made by chance when it is first needed, readable by the gateway alone."""

import os
import re
from pathlib import Path
from secrets import token_hex

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.doors.tokens import Tokens
from waldur_slurm.gateway.store.place import ensure_own
from waldur_slurm.state import sync_names, write_durably

_SECRET = re.compile(r"[0-9a-f]{64}")


def read_secret(path: Path) -> bytes | None:
    """Read it; None where there is none yet."""
    try:
        with path.open(encoding="ascii") as file:
            mode = os.fstat(file.fileno()).st_mode & 0o077
            text = file.read(128).strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StateError(f"cannot read the secret {path}: {error}") from error
    if mode:
        raise StateError(
            f"others may have read the secret {path}: `chmod 600` it; where that is possible,"
            " revoke all tokens, remove it and make new ones"
        )
    if not _SECRET.fullmatch(text):
        raise StateError(f"{path} does not hold what it should; put a backup in its place")
    return bytes.fromhex(text)


def read_or_make_secret(path: Path) -> bytes:
    """Read it, or make it whole; of two processes that make it at once, both return the first's."""
    ensure_own(path.parent)
    found = read_secret(path)
    if found:
        return found
    new = path.with_suffix(f".{token_hex(4)}")
    try:
        write_durably(new, f"{token_hex(32)}\n")
        try:
            os.link(new, path)
        except FileExistsError:
            pass
        finally:
            new.unlink()
        sync_names(path.parent)
    except OSError as error:
        raise StateError(f"cannot write the secret {path}: {error.strerror}") from error
    made = read_secret(path)
    if made is None:
        raise StateError(f"the secret {path} went away as soon as it was made")
    return made


def server_secret(path: Path, tokens: Tokens) -> bytes:
    """Read or make it; one that was lost is not made anew where tokens still need it."""
    found = read_secret(path)
    if found:
        return found
    if tokens.since(0).tokens:
        raise StateError(
            f"{path} is missing, without which no token is known again; put a backup in its place,"
            " or remove the database of tokens beside it and make new ones"
        )
    return read_or_make_secret(path)
