"""Where jobs lie: users pass through to their own, and nothing else of the gateway's is open."""

import stat
from pathlib import Path

from waldur_slurm.gateway.apps.places import Places

APP = "a9a5fc66-9bed-4a13-874a-d8d7d1756224"
GO = "#!/bin/sh\n#SBATCH --account={{.Account}}\n"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def places(tmp_path: Path) -> Places:
    made = Places(tmp_path / "slurmer", tmp_path / "templates")
    made.prepare()
    made.ensure(APP)
    return made


def test_a_directory_of_mode_0700_lets_users_pass_and_no_more(tmp_path: Path) -> None:
    root = tmp_path / "slurmer"
    root.mkdir(mode=0o700)
    app = places(tmp_path).root / "applications" / APP

    assert [mode(each) for each in (root, app.parent, app)] == [0o711] * 3
    assert mode(app / "jobs") == 0o1733
    assert mode(app / "templates") == 0o700


def test_files_that_only_the_directory_kept_from_others_are_the_gateways_alone(
    tmp_path: Path,
) -> None:
    root = tmp_path / "slurmer"
    root.mkdir(mode=0o700)
    database, kept = root / "slurmer.db", root / "old"
    database.write_text("everybody's jobs")
    database.chmod(0o644)
    kept.mkdir(mode=0o755)
    (root / "link").symlink_to(tmp_path)
    before = mode(tmp_path)

    places(tmp_path)

    assert (mode(database), mode(kept), mode(tmp_path)) == (0o600, 0o700, before)


def test_what_users_cannot_pass_on_their_way_is_named(tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o700)
    made = Places(shut / "slurmer")
    made.prepare()

    closed = made.closed_above()
    assert closed is not None
    assert mode(closed) & 0o001 == 0


def test_templates_are_copied_once_and_stay_as_an_app_has_them(tmp_path: Path) -> None:
    source = tmp_path / "templates"
    source.mkdir()
    (source / "batch.j2").write_text("#!/bin/sh\nfirst\n")
    (source / "batch.tmpl").write_text(GO)
    made = places(tmp_path)
    (source / "batch.j2").write_text("#!/bin/sh\nsecond\n")
    (source / "more.j2").write_text("#!/bin/sh\nmore\n")

    made.ensure(APP)

    batch, more = made.read_template(APP, "batch"), made.read_template(APP, "more")
    assert batch is not None
    assert more is not None
    assert batch.render({}) == "#!/bin/sh\nfirst\n"
    assert made.template_names(APP) == ("batch", "more")
    assert [path.name for path in made.unknown_templates()] == ["batch.tmpl"]


def test_the_stock_template_is_there_until_an_app_has_its_own(tmp_path: Path) -> None:
    made = places(tmp_path)
    stock = made.read_template(APP, "batch")
    assert stock is not None
    assert "command" in stock.parameters

    made.put_template(APP, "batch", "#!/bin/sh\nown\n")

    own = made.read_template(APP, "batch")
    assert own is not None
    assert own.render({}) == "#!/bin/sh\nown\n"
    assert made.read_template(APP, "other") is None
    assert made.read_template(APP, "../../x") is None


def test_a_directory_that_users_pass_already_is_left_as_it_is(tmp_path: Path) -> None:
    root = tmp_path / "slurmer"
    root.mkdir()
    root.chmod(0o755)
    shared = root / "shared"
    shared.write_text("for all")
    shared.chmod(0o644)

    places(tmp_path)

    assert (mode(root), mode(shared)) == (0o755, 0o644)
