"""What a view hands back: an answer, or a problem that ends it; in the words Waldur uses."""

from dataclasses import dataclass, field
from typing import Any

NOTHING = object()

NOT_FOUND_PAGE = """
<!doctype html>
<html lang="en">
<head>
  <title>Not Found</title>
</head>
<body>
  <h1>Not Found</h1><p>The requested resource was not found on this server.</p>
</body>
</html>
"""

SERVER_ERROR_PAGE = """
<!doctype html>
<html lang="en">
<head>
  <title>Server Error (500)</title>
</head>
<body>
  <h1>Server Error (500)</h1><p></p>
</body>
</html>
"""


@dataclass(frozen=True)
class Answer:
    status: int = 200
    data: Any = NOTHING
    page: str | None = None
    """An HTML page in the place of JSON."""
    headers: dict[str, str] = field(default_factory=dict)


class Problem(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def refused(status: int, data: Any) -> Problem:
    return Problem(Answer(status, data))


def invalid(**errors: Any) -> Problem:
    """400, by field: `invalid(state="...")`."""
    return refused(400, {key: _listed(value) for key, value in errors.items()})


def invalid_list(text: str) -> Problem:
    return refused(400, [text])


def conflict(text: str) -> Problem:
    return refused(409, {"detail": text})


def wrong_state(*valid: str) -> Problem:
    return conflict(f"Valid states for operation: {', '.join(valid)}.")


def forbidden() -> Problem:
    return refused(403, {"detail": "You do not have permission to perform this action."})


def not_allowed(what: str) -> Problem:
    return refused(405, {"detail": f'Method "{what}" not allowed.'})


def unauthenticated(text: str) -> Problem:
    return Problem(Answer(401, {"detail": text}, headers={"WWW-Authenticate": "Token"}))


def no_such_page() -> Problem:
    return Problem(Answer(404, page=NOT_FOUND_PAGE))


def server_error() -> Problem:
    return Problem(Answer(500, page=SERVER_ERROR_PAGE))


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value
