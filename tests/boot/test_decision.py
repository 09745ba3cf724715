"""Every row of the decision table in docs/formats/control-block.md, and what each must not do."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from bootloader.decide import decide
from bootloader.shared.control import State


def state(
    active: str | None = "a",
    a: str = "good",
    b: str = "good",
    **fields: Any,
) -> Any:
    """Release 1 in slot a, release 2 in slot b, both of security version 1."""
    made = State()
    made.active = active
    for release, (name, slot_state) in enumerate((("a", a), ("b", b)), start=1):
        slot = made.slots[name]
        slot.state, slot.release, slot.image_size = slot_state, release, 1000
        slot.security_version = 1
        slot.crashes_allowed, slot.unconfirmed_boots_allowed = 2, 4
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_row_1_without_a_record_there_is_only_recovery() -> None:
    new, slot, why = decide(None, "power-on")
    assert (new, slot) == (None, None)
    assert why == "boot records lost"


def test_row_2_a_held_key_leads_to_recovery_and_changes_nothing_else() -> None:
    before = state()
    new, slot, _ = decide(before, "power-on", forced=True)
    assert slot is None
    assert new.boot_count == before.boot_count
    assert new.active == "a"


def test_row_3_a_request_leads_to_recovery_once() -> None:
    new, slot, why = decide(state(request="recovery"), "soft")
    assert (slot, why, new.request) == (None, "asked for", None)
    assert decide(new, "soft")[1] == "a"


def test_row_4_no_active_slot_is_recovery() -> None:
    assert decide(state(active=None), "power-on")[1] is None


def test_row_5_a_damaged_image_gives_way_to_the_other_slot() -> None:
    new, slot, _ = decide(state(), "power-on", damaged=("a",))
    assert (slot, new.active, new.slots["a"].state) == ("b", "b", "bad")
    assert (new.failed_release, new.failure_reason) == (1, "image damaged in flash")


def test_row_5_with_both_images_damaged_it_is_recovery_and_no_slot_is_given_up() -> None:
    new, slot, why = decide(state(), "power-on", damaged=("a", "b"))
    assert slot is None
    assert "damaged" in why
    assert new.slots["a"].state == new.slots["b"].state == "good"
    assert decide(new, "power-on")[1] == "a", "it reads well again"


@pytest.mark.parametrize("given_up", ["empty", "bad", "ready"])
def test_row_6_a_slot_that_is_not_bootable_gives_way(given_up: str) -> None:
    assert decide(state(a=given_up), "power-on")[1] == "b"
    assert decide(state(a=given_up, b="empty"), "power-on")[1] is None


def test_row_7_an_active_slot_under_the_security_version_gives_way() -> None:
    before = state(security_version=2)
    assert decide(before, "power-on")[1] is None
    before.slots["b"].security_version = 2
    assert decide(before, "power-on")[1] == "b"


def test_row_8_a_trial_that_crashed_as_often_as_allowed_is_rolled_back() -> None:
    before = state(active="b", b="trial")
    before.crash("OSError: 5")
    assert decide(before, "soft")[1] == "b", "one crash is allowed"
    before.crash("OSError: 6")
    new, slot, _ = decide(before, "soft")
    assert (slot, new.active, new.slots["b"].state) == ("a", "a", "bad")
    assert (new.failed_release, new.failure_reason) == (2, "OSError: 6")
    assert new.crashes == new.unconfirmed_boots == 0


def test_row_8_a_watchdog_reset_counts_as_a_crash() -> None:
    before = state(active="b", b="trial", crashes=1)
    new, slot, _ = decide(before, "watchdog")
    assert slot == "a"
    assert new.failed_release == 2
    assert new.failure_reason


@pytest.mark.parametrize("other", ["empty", "bad"])
def test_row_10_without_a_way_back_a_crashing_trial_goes_on_trying(other: str) -> None:
    new, slot, _ = decide(state(active="b", a=other, b="trial", crashes=200), "soft")
    assert (slot, new.slots["b"].state) == ("b", "trial")
    assert not new.trial_failed


def test_row_8_of_two_images_that_nothing_ever_confirmed_the_second_gets_its_trial() -> None:
    new, slot, _ = decide(state(active="b", a="ready", b="trial", crashes=2), "soft")
    assert (slot, new.slots["a"].state, new.slots["b"].state) == ("a", "trial", "bad")
    assert (new.crashes, new.unconfirmed_boots) == (0, 1)
    new.crashes = 9
    again, slot, _ = decide(new, "soft")
    assert (slot, again.slots["b"].state) == ("a", "bad"), "the one that failed does not come back"


def test_an_image_that_nobody_chose_is_no_way_back_from_a_confirmed_release() -> None:
    assert decide(state(b="ready", crashes=9), "soft")[1] == "a"
    assert decide(state(b="ready"), "soft", damaged=("a",))[1] is None


@pytest.mark.parametrize(
    ("before", "failed"),
    [
        (state(active="b", b="trial", crashes=2), True),
        (state(active="b", b="trial", unconfirmed_boots=4), True),
        (state(crashes=5), False),
        (state(a="bad"), False),
    ],
)
def test_only_a_trial_that_failed_is_told_of_as_such(before: Any, failed: bool) -> None:
    new, slot, _ = decide(before, "soft")
    assert new.failure_reason
    assert new.trial_failed == failed
    assert slot != before.active
    new.crash("of the other release")
    assert new.trial_failed == failed, "what goes first is told first"


def test_a_crash_in_a_trial_that_goes_on_is_no_failed_trial() -> None:
    before = state(active="b", b="trial")
    before.crash("once")
    assert not before.trial_failed
    assert not decide(before, "soft")[0].trial_failed


def test_a_policy_of_zero_still_gives_a_trial_its_first_boot() -> None:
    before = state(active="b", b="trial")
    before.slots["b"].crashes_allowed = before.slots["b"].unconfirmed_boots_allowed = 0
    new, slot, _ = decide(before, "soft")
    assert slot == "b"
    assert decide(new, "power-on")[1] == "a"


@pytest.mark.parametrize("cause", ["power-on", "brownout", "soft"])
def test_row_9_a_plain_restart_in_a_trial_is_no_crash_and_has_its_own_limit(cause: str) -> None:
    current = state(active="b", b="trial")
    for boots in range(1, 5):
        current, slot, _ = decide(current, cause)
        assert (slot, current.unconfirmed_boots, current.crashes) == ("b", boots, 0)
    current, slot, _ = decide(current, cause)
    assert (slot, current.slots["b"].state) == ("a", "bad")
    assert (current.failed_release, current.failure_reason) == (2, "not confirmed in time")


def test_row_10_with_no_way_back_an_unconfirmed_trial_goes_on_trying() -> None:
    before = state(active="b", a="empty", b="trial", unconfirmed_boots=200)
    assert decide(before, "power-on")[1] == "b"


def test_row_11_a_boot_of_a_trial_is_recorded_before_it_happens() -> None:
    before = state(active="b", b="trial", boot_count=7)
    new, slot, why = decide(before, "soft")
    assert (slot, why, new.boot_count, new.unconfirmed_boots) == ("b", None, 8, 1)
    assert (before.boot_count, before.unconfirmed_boots) == (7, 0), "the old record is not touched"


def test_row_12_a_confirmed_release_that_crashes_five_times_in_a_row_gives_way() -> None:
    assert decide(state(crashes=4), "soft")[1] == "a"
    new, slot, _ = decide(state(crashes=5), "soft")
    assert (slot, new.slots["a"].state, new.failed_release) == ("b", "bad", 1)


@pytest.mark.parametrize("other", ["empty", "trial", "bad", "ready"])
def test_row_13_with_no_good_slot_to_go_to_a_crashing_release_goes_on(other: str) -> None:
    assert decide(state(b=other, crashes=200), "soft")[1] == "a"


def test_row_13_a_good_slot_under_the_security_version_is_no_way_back() -> None:
    before = state(crashes=9, security_version=2)
    before.slots["a"].security_version = 2
    assert decide(before, "soft")[1] == "a"


def test_row_13_a_damaged_other_image_is_no_way_back() -> None:
    assert decide(state(crashes=9), "soft", damaged=("b",))[1] == "a"


@pytest.mark.parametrize("cause", ["power-on", "brownout", "soft", "watchdog"])
def test_row_14_a_good_release_boots(cause: str) -> None:
    new, slot, why = decide(state(boot_count=41), cause)
    assert (slot, why, new.boot_count) == ("a", None, 42)
    assert new.crashes == (1 if cause == "watchdog" else 0)


def test_power_cuts_do_not_end_a_row_of_crashes() -> None:
    current = state(crashes=3)
    current, _, _ = decide(current, "power-on")
    assert current.crashes == 3


SLOT_STATES = ("empty", "good", "trial", "bad", "ready")
CAUSES = ("power-on", "watchdog", "soft", "brownout")


def test_in_every_situation_only_an_image_that_may_run_is_booted() -> None:
    """All combinations: what boots is intact, good or on trial, and of no lower security version;
    the security version never moves; recovery is chosen only if nothing can boot or it was asked
    for; the boot count rises by one with a boot and not otherwise."""
    situations = 0
    for active, a, b, a_version, crashes, boots, cause, damaged in itertools.product(
        ("a", "b", None),
        SLOT_STATES,
        SLOT_STATES,
        (0, 1, 2),
        (0, 1, 2, 5),
        (0, 4),
        CAUSES,
        ((), ("a",), ("b",), ("a", "b")),
    ):
        before = state(active, a, b, security_version=1, crashes=crashes, unconfirmed_boots=boots)
        before.slots["a"].security_version = a_version
        new, slot, _ = decide(before, cause, damaged=damaged)
        situations += 1
        assert new.security_version == 1
        assert new.boot_count == (1 if slot else 0)
        if slot:
            assert slot == new.active
            assert slot not in damaged
            assert new.slots[slot].state in ("good", "trial")
            assert new.slots[slot].security_version >= 1
        elif active:
            other = before.slots["b" if active == "a" else "a"]
            other_name = "b" if active == "a" else "a"
            assert other.state != "good" or other.security_version < 1 or other_name in damaged, (
                "recovery although the other slot would boot"
            )
        for name in ("a", "b"):
            change = (before.slots[name].state, new.slots[name].state)
            if name != active and change == ("ready", "trial"):
                assert active and before.slots[active].state == "trial"
            elif change[0] != change[1]:
                assert (name, change[1]) == (active, "bad")
    assert situations == 3 * 25 * 3 * 4 * 2 * 4 * 4


def test_every_sequence_of_causes_ends_in_a_slot_that_is_not_the_crashing_trial() -> None:
    """Whatever mix of crashes and unplugged mains a trial meets, it is over within its limits."""
    for causes in itertools.product(CAUSES, repeat=6):
        current = state(active="b", b="trial")
        for cause in causes:
            current, slot, _ = decide(current, cause)
            assert slot is not None
            if slot == "a":
                break
        crashes = causes.count("watchdog")
        if crashes >= 2 or len(causes) > 4:
            assert current.active == "a", causes
