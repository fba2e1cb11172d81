"""What pages are made of is read once, when the gateway starts."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.places import PROJECT
from tests.unit.gateway.web.pages.pages_site import PagesSite
from waldur_slurm.gateway.web.pages import rendering

TEMPLATES = PROJECT / "waldur_slurm" / "gateway" / "web" / "pages" / "templates"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The templates of a gateway that was not started yet."""
    place = shutil.copytree(TEMPLATES, tmp_path / "templates")
    monkeypatch.setattr(rendering, "files", lambda _package: tmp_path)
    rendering._templates.cache_clear()
    yield place
    rendering._templates.cache_clear()


@pytest.mark.parametrize("upgrade", ["removes", "changes"])
def test_an_upgrade_beneath_a_running_gateway_changes_no_page(
    installed: Path, upgrade: str
) -> None:
    anns = PagesSite().signed_in()
    for template in installed.iterdir():
        if upgrade == "removes":
            template.unlink()
        else:
            template.write_text("{{ of_the_next_release }}")

    for page in ("/ui/overview", "/ui/queue", "/ui/nodes", "/ui/no-such-page"):
        answer = anns.get(page)
        assert answer.status == (404 if "no-such" in page else 200), answer.text
        assert "</html>" in answer.text


@pytest.mark.parametrize("template", sorted(path.name for path in TEMPLATES.iterdir()))
def test_every_template_is_one_that_can_be_compiled(template: str) -> None:
    """A gateway compiles each when a page first needs it, which is late to find a mistake."""
    assert rendering._templates().get_template(template).name == template
