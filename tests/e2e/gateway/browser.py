"""A real browser, Debian's own, in front of a dashboard that is served in this process.

Where it is missing, tests that need it are skipped with the reason; in CI they fail.
"""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has none
from playwright.sync_api import Browser, Page, Response, sync_playwright
from starlette.types import ASGIApp

from sandbox.slurm.ports import claim_ports
from tests.fixtures_slurm import skip_here

PROGRAM = shutil.which("chromium") or ""
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 800}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start it without its sandbox, which root has no use for."""
    if not PROGRAM:
        skip_here("NO BROWSER HERE, so this promise was not tested. Missing: chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serve an application on a port of its own until the body ends; gives its address."""
    claimed = claim_ports(1)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=claimed.first, log_level="error", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        yield f"http://127.0.0.1:{claimed.first}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(30)
        claimed.claim.close()


@dataclass
class Look:
    """One who looks: a window of his own, and all that went wrong or came over the wire in it."""

    page: Page
    base: str
    wrong: list[str] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._note)
        self.page.on("response", lambda answer: self.answers.append(answer))

    def _note(self, message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.wrong.append(message.text)

    def go(self, path: str) -> None:
        self.page.goto(f"{self.base}{path}")

    def sign_in(self, token: str, path: str = "/ui/queue") -> None:
        """Come in by the page that was wanted."""
        self.go(path)
        self.page.get_by_label("Token").fill(token)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"**{path}")

    def serious(self) -> list[str]:
        """Say what axe finds that keeps somebody out."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{each['id']}: {each['help']}: {node['html'][:200]}"
            for each in found
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"][:3]
        ]

    def transferred(self) -> int:
        """Count the bytes of all bodies and headers that came, as they came over the wire."""
        sizes = (answer.request.sizes() for answer in self.answers)
        return sum(each["responseBodySize"] + each["responseHeadersSize"] for each in sizes)


@contextmanager
def looking(browser: Browser, base: str, **window: Any) -> Iterator[Look]:
    """Open a window; nothing is to have gone wrong in it when it is closed."""
    context = browser.new_context(**{"viewport": WIDE, **window})
    context.set_default_timeout(20_000)
    try:
        look = Look(context.new_page(), base)
        yield look
        assert look.wrong == []
    finally:
        context.close()
