"""Letters over HTTP: the dead ones seen, and tried again where somebody asks."""

from dataclasses import replace

from tests.gateway_client import Asked
from tests.unit.gateway.post.letters import FACTS, letter
from tests.unit.gateway.site import ADMIN, GatewaySite, somebody
from waldur_slurm.gateway.post.letter import Letter, Stage

LETTERS = "/api/v1/letters"
PORTAL, ANN, BEN = somebody("ann", "ben"), somebody("ann"), somebody("ben")


def dead(message_id: str, **changes: object) -> Letter:
    return letter(
        message_id,
        owner=str(PORTAL),
        stage=Stage.DEAD,
        last_words="550 no such user",
        tries=9,
        **changes,
    )


def test_dead_letters_are_seen_by_who_asked_for_them_and_by_who_sees_the_job() -> None:
    site = GatewaySite()
    site.monitors.outbox.add(dead("anns"))
    site.monitors.outbox.add(dead("bens", facts=replace(FACTS, user="ben")))
    site.monitors.outbox.add(letter("live", owner=str(PORTAL)))

    def seen(query: str, *who: object) -> list[list[str]]:
        return [
            [each["message_id"] for each in site.get(f"{LETTERS}{query}", one).json["letters"]]  # type: ignore[arg-type]  # principals
            for one in who
        ]

    assert seen("?stage=dead", PORTAL, ADMIN, ANN, BEN, somebody("cay")) == [
        ["bens", "anns"],
        ["bens", "anns"],
        ["anns"],
        ["bens"],
        [],
    ]
    assert seen("", PORTAL) == [["live", "bens", "anns"]]
    shown = site.get(f"{LETTERS}/anns", ANN).json
    assert (shown["stage"], shown["last_words"]) == ("dead", "550 no such user")
    assert (shown["tries"], shown["next_try"]) == (9, None)
    assert site.get(f"{LETTERS}/anns", BEN).status == 404


def test_letters_come_page_by_page() -> None:
    site = GatewaySite()
    for number in range(3):
        site.monitors.outbox.add(dead(f"l{number}"))

    first = site.get(f"{LETTERS}?limit=2").json
    second = site.get(f"{LETTERS}?limit=2&cursor={first['next']}").json

    assert [each["message_id"] for each in first["letters"]] == ["l2", "l1"]
    assert [each["message_id"] for each in second["letters"]] == ["l0"]
    assert second["next"] is None


def again(site: GatewaySite, message_id: str, who: object = PORTAL) -> int:
    asked = Asked(f"{LETTERS}/{message_id}/again", "POST")
    return site.client(who).ask(asked).status  # type: ignore[arg-type]  # a principal


def test_a_dead_letter_is_tried_again_under_its_own_name() -> None:
    site = GatewaySite()
    site.monitors.outbox.add(dead("one"))
    site.monitors.outbox.add(letter("live", owner=str(PORTAL)))

    assert again(site, "one", BEN) == 404
    assert again(site, "one", ANN) == 403
    assert again(site, "one") == 200
    assert again(site, "one") == 409
    assert again(site, "live") == 409

    found = site.monitors.outbox.kept["one"]
    assert (found.stage, found.tries, found.message_id) == (Stage.WAITING, 0, "one")


def test_a_dead_letter_that_is_no_longer_allowed_stays_dead() -> None:
    site = GatewaySite(letters_allowed="")
    site.monitors.outbox.add(dead("one"))

    assert again(site, "one") == 403
    assert site.monitors.outbox.kept["one"].stage is Stage.DEAD
