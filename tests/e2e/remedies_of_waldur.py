"""Remedies for what Waldur is or does."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import requests

from sandbox.waldur import Fault, Waldur
from tests.e2e.remedy_cases import PEOPLE, Case, set_right, setting
from tests.e2e.remedy_scene import TRES, Scene, named_setting


def stop_waldur(scene: Scene) -> None:
    scene.waldur.kill()


def start_waldur_again(scene: Scene, advice: str) -> None:
    found = re.search(r"\((curl -v \S+)\)", advice)
    assert found, advice
    assert scene.type(found[1]).returncode != 0
    scene.waldur.restart()
    scene.must(found[1])


def set_the_address(scene: Scene, advice: str) -> None:
    scene.put(**{named_setting(advice): advice.rpartition("such as ")[2]})


def keep_the_token_in_a_file(scene: Scene) -> None:
    (scene.place / "token").write_text("0" * 40)
    scene.put(WALDUR_API_TOKEN="", WALDUR_API_TOKEN_FILE=str(scene.place / "token"))


def put_the_token_there(scene: Scene, advice: str) -> None:
    found = re.match(r"put into (\S+) the token", advice)
    assert found, advice
    Path(found[1]).write_text(scene.waldur.tokens.provider)


def serve_what_is_for_no_agent(scene: Scene) -> None:
    store, uuid = scene.waldur.store, scene.waldur.offering_uuid
    row = store.named("offerings", uuid)
    values = {name: value for name, value in row.items() if name not in ("id", "uuid")}
    with store.transaction():
        other = store.insert("offerings", **(values | {"type": "Marketplace.Basic"}))
    scene.put(WALDUR_OFFERING_UUID=other["uuid"])


def fault(
    route: str, status: int = 403, nth: int | Literal["all"] = "all"
) -> Callable[[Scene], None]:
    return lambda scene: scene.waldur.fault(Fault(route, "status", nth, status))


def allow(scene: Scene, _advice: str) -> None:
    """What the token may not, or Waldur does not, it may and does again."""
    scene.waldur.clear_faults()
    scene.waldur.permit_bulk_memberships(True)


def offering(**columns: str) -> Callable[[Scene], None]:
    return lambda s: s.waldur.change("offerings", s.waldur.offering_uuid, **columns)


def token_of(token: Callable[[Waldur], str], **settings: str) -> Callable[[Scene], None]:
    return lambda s: s.put(WALDUR_API_TOKEN=token(s.waldur), **settings)


def make_an_owner(scene: Scene, _advice: str) -> None:
    scene.make_owner(scene.settings["WALDUR_API_TOKEN"])


def relabel(scene: Scene) -> None:
    component = scene.waldur.components()[0]
    scene.waldur.change("components", component["uuid"], name="Something else")


def load_the_components(scene: Scene, advice: str) -> None:
    command = advice.partition(" shows how;")[0]
    assert f"--env-file '{scene.env_file}'" in command
    scene.must(command)
    scene.must(command.removesuffix(" --dry-run"))


def sell_less(scene: Scene) -> None:
    before, _, after = TRES.partition("gres/gpu:")
    scene.tres_file.write_text(before + after[after.index("mem:") :])


def spell_otherwise(scene: Scene) -> None:
    scene.waldur.change("components", scene.component("gres/gpu"), type="gpu")


def write_the_component(scene: Scene, advice: str) -> None:
    found = re.match(r"write `(component: \w+)` below (\S+) in the TRES file", advice)
    assert found, advice
    text = TRES.replace(f"{found[2]}:\n", f"{found[2]}:\n  {found[1]}\n")
    scene.tres_file.write_text(text)


def take_the_price(scene: Scene) -> None:
    """Of a limit that holds for an allocation's life, which today's Waldur books at once."""
    gpu = scene.component("gres/gpu")
    scene.waldur.change("components", gpu, billing_type="limit", limit_period="total")
    scene.waldur.set_trait("every_component_has_a_price", False)
    scene.waldur.set_price("gres/gpu", None)


def set_the_price(scene: Scene, advice: str) -> None:
    found = re.search(r"POST (\S+) with (\{.*\})", advice)
    assert found, advice
    token = {"Authorization": f"Token {scene.waldur.tokens.provider}"}
    url = scene.waldur.url + found[1]
    assert requests.post(url, json=json.loads(found[2]), headers=token, timeout=30).ok
    scene.waldur.change("components", scene.component("gres/gpu"), billing_type="usage")


def name_all(scene: Scene, _advice: str) -> None:
    """Each offering user without a name gets that of somebody on this host."""
    named = {row["username"] for row in scene.waldur.offering_users()}
    free = [name for name in PEOPLE if name not in named]
    for row in scene.waldur.offering_users():
        if not row["username"]:
            scene.waldur.set_offering_username(row["user"], free.pop())


def forget_the_member(scene: Scene) -> None:
    scene.waldur.forget_offering_user(scene.allocation()[1])


def make_the_offering_user(scene: Scene, advice: str) -> None:
    assert "set service_provider_can_create_offering_user in the offering's plugin_opt" in advice
    scene.waldur.let_offering_make_users(True)
    known = {row["user"] for row in scene.waldur.offering_users()}
    for row in scene.waldur.store.rows("SELECT * FROM roles WHERE scope_type = 'project'"):
        if row["user"] not in known:
            scene.waldur.set_offering_username(row["user"], "wsat-kim")


def hide_a_team(scene: Scene) -> None:
    name_all_of_a_new_team(scene)
    scene.waldur.permit_bulk_memberships(False)
    fault("GET marketplace-provider-resources/*/team/")(scene)


def name_all_of_a_new_team(scene: Scene) -> None:
    if not scene.waldur.resources():
        scene.allocation()
        name_all(scene, "")


def unname(scene: Scene) -> None:
    name_all_of_a_new_team(scene)
    scene.waldur.change("resources", scene.waldur.resources()[0]["uuid"], name=None)


def correct_the_name(scene: Scene, _advice: str) -> None:
    scene.waldur.change("resources", scene.waldur.resources()[0]["uuid"], name="a name")


def take_dates_away(scene: Scene) -> None:
    scene.front.takes_dates_away = True


def leave_dates(scene: Scene, _advice: str) -> None:
    scene.front.takes_dates_away = False


APPROVE = "right to approve and complete orders"
OWN = "in Waldur, make the user an owner of the service provider's organization"

WALDUR = (
    Case("see that WALDUR_API_URL is right", "Waldur", stop_waldur, start_waldur_again),
    Case(
        "set WALDUR_API_URL to the address",
        "Waldur",
        lambda s: s.put(WALDUR_API_URL=s.front.url.removesuffix("api/")),
        set_the_address,
    ),
    Case("set WALDUR_API_TOKEN to", "token", setting(WALDUR_API_TOKEN="0" * 40), set_right),
    Case("put into ", "token", keep_the_token_in_a_file, put_the_token_there),
    Case("the offering's UUID", "offering", setting(WALDUR_OFFERING_UUID="0" * 32), set_right),
    Case("to an offering that is for agents", "offering", serve_what_is_for_no_agent, set_right),
    Case(
        "tell whoever runs Waldur what it answered",
        "Waldur",
        fault("GET marketplace-provider-offerings/*/", 400),
        allow,
    ),
    Case(
        "make it available again",
        "offering",
        offering(state="Unavailable"),
        lambda s, _: offering(state="Active")(s),
        "warning",
    ),
    Case(
        "activate it in Waldur",
        "offering",
        offering(state="Draft"),
        lambda s, _: offering(state="Active")(s),
        "warning",
    ),
    Case(OWN, APPROVE, token_of(lambda w: w.tokens.manager), make_an_owner, "warning"),
    Case(
        "see that the token's user owns the service provider",
        "offering",
        token_of(lambda w: w.tokens.stranger),
        make_an_owner,
    ),
    Case(
        OWN,
        "right to read and correct usage",
        token_of(lambda w: w.make_provider_manager("meg"), WALDUR_SYNC_DIRECTION="push"),
        make_an_owner,
    ),
    Case(
        "sell it in the TRES file",
        "components",
        sell_less,
        lambda s, _: s.tres_file.write_text(TRES),
        "warning",
    ),
    Case("write `component: ", "components", spell_otherwise, write_the_component, "warning"),
    Case("set a price for each", "prices", take_the_price, set_the_price),
    Case("--load-components --dry-run", "components", relabel, load_the_components, "warning"),
    Case(
        "be allowed to read the offering's users",
        "people",
        fault("GET marketplace-offering-users/"),
        allow,
    ),
    Case(
        "be allowed to read marketplace-slurm-periodic-usage-policies/",
        "usage policy",
        fault("GET marketplace-slurm-periodic-usage-policies/"),
        allow,
        "warning",
    ),
    Case("see that no proxy takes its Date", "clock", take_dates_away, leave_dates, "warning"),
    Case(
        "let both follow the same time",
        "clock",
        lambda s: s.waldur.set_clock(datetime.now(UTC) + timedelta(hours=1)),
        lambda s, _: s.waldur.set_clock(None),
        "warning",
    ),
    Case("give them one in Waldur", "people", Scene.allocation, name_all, "warning"),
    Case("give them what they lack", "members", Scene.allocation, name_all, "warning"),
    Case(" to true; who was a member", "members", forget_the_member, make_the_offering_user),
    Case(
        "be allowed to read the teams",
        "members",
        fault("GET marketplace-provider-resources/", nth=2),
        allow,
    ),
    Case("use the token of an owner", "members", hide_a_team, allow),
    Case("correct it in Waldur, or tell", "resource ", unname, correct_the_name, "warning"),
)
