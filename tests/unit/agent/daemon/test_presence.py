"""Providers see the agent from its first good cycle on, and once a day that it is alive."""

from waldur_slurm.agent.daemon.presence import EVERY, Presence


def test_it_is_shown_after_the_first_good_cycle_and_then_daily() -> None:
    now, shown = [0.0], list[bool]()
    presence = Presence(shown.append, monotonic=lambda: now[0])

    presence.note_good_cycle()
    presence.note_good_cycle()
    assert shown == [True]
    now[0] += EVERY.total_seconds()
    presence.note_good_cycle()
    presence.note_good_cycle()

    assert shown == [True, False]
