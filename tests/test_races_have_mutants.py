"""A race that never goes wrong proves nothing: every test that lets things meet names its twin with the guard off."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# What makes a test a race: calls of these let several do something at once, or kill somebody in the middle.
SIDE_BY_SIDE = {"Thread", "ThreadPoolExecutor", "at_once", "in_background", "together", "elsewhere", "Popen"}
GUARD_SWITCHES = {"is_guarded", "guarded", "guards"}  # arguments that run one test with its guard on and off

# By file: the race, and the test that takes away the guard the race relies on and sees it fail.
TWINS = {
    "carriers/test_scan_races.py": {
        "test_scans_written_at_once_move_the_parcel_once": (
            "test_without_the_parcels_lock_it_is_delivered_again_and_again"
        ),
        "test_denied_ten_times_at_once_it_is_said_once": "test_without_the_parcels_lock_it_is_said_again_and_again",
        "test_two_webhooks_at_once_and_several_workers_are_one_delivery": (
            "test_without_the_messages_id_it_is_stored_again_and_again"
        ),
    },
    "concurrency/test_additions_at_once.py": {
        "test_pressed_ten_times_at_once_one_thing_is_added": "test_without_the_carts_lock_it_is_added_again",
    },
    "concurrency/test_buying_at_once.py": {
        "test_the_last_unit_goes_to_one_of_two_buyers": "test_without_the_stock_guard_the_last_unit_is_sold_twice",
        "test_fifty_units_go_to_fifty_of_two_hundred_buyers": "test_without_the_stock_guard_more_is_sold_than_there_is",
        "test_the_same_form_twenty_times_at_once_is_one_order_one_session_and_one_charge": (
            "test_without_the_carts_lock_the_same_form_is_several_orders"
        ),
        "test_however_many_hear_of_a_payment_at_once_it_is_placed_once": (
            "test_without_the_payments_lock_it_is_placed_again_and_again"
        ),
        "test_buyers_of_the_same_things_never_lock_each_other_out": "test_without_an_order_of_locks_they_do",
    },
    "concurrency/test_dividing_at_once.py": {
        "test_divided_by_two_at_once_it_is_divided_as_one_of_them_says": (
            "test_without_the_orders_lock_it_is_divided_by_both"
        ),
        "test_divided_while_pieces_are_cancelled_none_is_sent_that_was_cancelled": (
            "test_without_the_orders_lock_a_piece_that_was_cancelled_is_in_a_parcel"
        ),
        "test_divided_while_it_is_picked_what_is_fetched_is_what_the_parcel_holds": (
            "test_without_the_orders_lock_something_fetched_is_taken_out_of_its_parcel"
        ),
        "test_taken_back_while_one_of_the_two_is_picked_it_is_one_or_the_other": (
            "test_without_the_orders_lock_an_emptied_parcel_is_picked"
        ),
    },
    "concurrency/test_forgetting_at_once.py": {
        "test_forgetting_and_undoing_at_once_each_does_what_it_says": (
            "test_without_the_customers_lock_a_forgetting_says_less_than_it_did"
        ),
    },
    "concurrency/test_giving_back_at_once.py": {
        "test_received_and_looked_at_at_once_it_is_once": "test_without_locks_it_is_received_again_and_again",
        "test_a_returns_money_given_back_at_once_goes_once": "test_without_locks_a_returns_money_goes_again_and_again",
        "test_other_goods_sent_at_once_go_once": "test_without_locks_other_goods_go_again_and_again",
        "test_other_goods_that_cost_more_are_asked_to_be_paid_once": (
            "test_without_locks_other_goods_that_cost_more_are_asked_for_again_and_again"
        ),
        "test_money_or_other_goods_at_once_is_one_of_both": "test_without_locks_both_go",
        "test_the_last_piece_sent_in_exchange_at_once_goes_to_one_buyer": (
            "test_without_the_stock_guard_the_last_piece_goes_to_several_in_exchange"
        ),
        "test_a_withdrawals_money_given_back_at_once_goes_once": (
            "test_without_locks_a_withdrawals_money_goes_again_and_again"
        ),
    },
    "concurrency/test_handing_over_at_once.py": {
        "test_handed_over_six_times_at_once_it_leaves_once": (
            "test_without_the_parcels_lock_it_leaves_again_and_again"
        ),
    },
    "concurrency/test_gift_note_at_once.py": {
        "test_changed_while_packing_begins_the_packer_reads_the_note_that_stays": (
            "test_without_the_orders_lock_the_packer_reads_a_note_that_does_not_stay"
        ),
    },
    "concurrency/test_gifts_at_once.py": {
        "test_adding_and_marking_at_once_loses_nothing": "test_without_the_carts_lock_something_is_lost",
        "test_two_tabs_of_a_visitor_never_put_in_more_than_there_is": (
            "test_without_the_lock_of_the_visitors_cart_they_do"
        ),
    },
    "concurrency/test_issuing_at_once.py": {
        "test_issued_at_once_numbers_have_no_gap_and_none_twice": "test_without_the_series_lock_they_break",
        "test_one_order_issued_eight_times_at_once_has_one_invoice": "test_without_the_orders_lock_it_is_tried_again",
    },
    "concurrency/test_labels_at_once.py": {
        "test_made_by_three_workers_at_once_one_label_is_bought": "test_without_the_turn_several_are_bought",
    },
    "concurrency/test_line_marks.py": {
        "test_marked_and_unmarked_at_once_the_journal_says_each_change_once_and_the_last_one_stands": (
            "test_without_the_orders_lock_it_does_not"
        ),
    },
    "concurrency/test_fresh_links.py": {
        "test_a_link_pressed_four_times_at_once_lets_one_in": "test_without_the_lock_it_lets_several_in",
    },
    "concurrency/test_late_money_at_once.py": {
        "test_late_money_meets_who_buys_the_last_of_it": (
            "test_without_the_payments_lock_it_is_taken_in_again_and_again"
        ),
    },
    "concurrency/test_sending_again_at_once.py": {
        "test_sent_again_eight_times_at_once_it_goes_back_once": (
            "test_without_the_orders_lock_only_the_database_stands_between"
        ),
    },
    "concurrency/test_some_of_an_order_at_once.py": {
        "test_the_same_lines_cancelled_eight_times_at_once_are_cancelled_once": (
            "test_without_the_orders_lock_they_are_cancelled_again_and_again"
        ),
        "test_one_line_changed_to_eight_sizes_at_once_is_promised_one": (
            "test_without_the_orders_lock_it_is_promised_several"
        ),
        "test_changed_while_it_is_picked_it_is_one_or_the_other": (
            "test_without_the_orders_lock_another_size_is_picked_than_the_line_says"
        ),
        "test_cancelled_while_its_parcel_leaves_it_is_one_or_the_other": (
            "test_without_the_orders_lock_it_leaves_and_is_cancelled_too"
        ),
        "test_two_refund_the_same_goods_at_once_and_they_are_refunded_once": (
            "test_without_the_orders_lock_more_goes_back_than_was_paid"
        ),
    },
    "concurrency/test_sending_ahead_at_once.py": {
        "test_chosen_while_staff_divide_it_too_it_is_divided_once": (
            "test_without_the_orders_lock_it_is_divided_by_both"
        ),
        "test_chosen_while_it_is_cancelled_no_parcel_of_it_waits": (
            "test_without_the_orders_lock_a_parcel_of_a_cancelled_order_waits"
        ),
        "test_chosen_while_it_is_shipped_what_is_fetched_is_what_leaves": (
            "test_without_the_orders_lock_something_fetched_does_not_leave"
        ),
    },
    "concurrency/test_splitting_at_once.py": {
        "test_sent_ahead_six_times_at_once_it_is_divided_once": (
            "test_without_the_orders_lock_it_is_divided_again_and_again"
        ),
        "test_divided_while_what_is_here_is_cancelled_no_parcel_is_empty": (
            "test_without_the_orders_lock_an_empty_parcel_waits_to_be_picked"
        ),
        "test_divided_while_it_is_picked_what_is_fetched_is_what_the_parcel_holds": (
            "test_without_the_orders_lock_something_fetched_is_taken_out_of_its_parcel"
        ),
        "test_taken_back_six_times_at_once_it_is_taken_back_once": (
            "test_without_the_orders_lock_it_is_taken_back_again_and_again"
        ),
        "test_taken_back_while_a_part_is_picked_it_is_one_or_the_other": (
            "test_without_the_orders_lock_a_kettle_that_is_not_here_is_in_a_parcel_being_picked"
        ),
    },
    "concurrency/test_staff_orders_at_once.py": {
        "test_the_same_form_eight_times_at_once_is_one_order": (
            "test_without_the_forms_key_it_is_entered_again_and_again"
        ),
        "test_marked_paid_eight_times_as_its_time_runs_out_it_is_paid_once_or_ended": (
            "test_without_the_orders_lock_it_is_paid_again_or_ended_as_well"
        ),
    },
    "concurrency/test_receiving_at_once.py": {
        "test_goods_received_at_once_are_given_out_once_each": (
            "test_without_the_records_lock_goods_are_given_out_by_what_was_there_before"
        ),
        "test_who_buys_while_goods_come_does_not_get_what_others_wait_for": (
            "test_without_the_mark_on_what_is_promised_who_buys_takes_what_others_wait_for"
        ),
        "test_cancelled_while_goods_come_it_is_told_of_nothing_and_the_next_has_them": (
            "test_without_the_orders_lock_one_that_is_no_more_is_told_that_its_goods_came"
        ),
    },
    "concurrency/test_returning_at_once.py": {
        "test_asked_for_by_eight_at_once_no_more_goes_back_than_was_bought": (
            "test_without_the_orders_lock_more_goes_back_than_was_bought"
        ),
    },
    "concurrency/test_unlike_steps_at_once.py": {
        "test_withdrawn_from_while_they_are_sent_back_no_more_pieces_go_than_were_bought": (
            "test_without_the_orders_lock_a_piece_is_withdrawn_from_and_sent_back"
        ),
        "test_withdrawn_from_while_they_are_cancelled_no_more_pieces_go_than_were_bought": (
            "test_without_the_orders_lock_a_piece_is_withdrawn_from_and_cancelled"
        ),
        "test_sent_back_while_their_money_goes_back_it_is_one_or_the_other": (
            "test_without_the_orders_lock_they_are_sent_back_for_money_that_went_back"
        ),
        "test_a_returns_money_while_goodwill_is_given_is_no_more_than_was_paid": (
            "test_without_the_orders_lock_a_return_and_goodwill_are_more_than_was_paid"
        ),
        "test_a_withdrawals_money_while_goodwill_is_given_is_no_more_than_was_paid": (
            "test_without_the_orders_lock_a_withdrawal_and_goodwill_are_more_than_was_paid"
        ),
    },
    "concurrency/test_withdrawing_at_once.py": {
        "test_declared_twenty_times_at_once_it_is_one": "test_without_the_orders_lock_it_is_declared_again_and_again",
        "test_stated_twenty_times_at_once_it_is_one": (
            "test_without_its_row_and_the_orders_lock_a_statement_is_several_withdrawals"
        ),
    },
    "delays/test_delay_races.py": {
        "test_the_buyer_waits_while_the_job_ends_it": "test_without_the_lock_it_ends_although_they_wait",
        "test_staff_ship_while_the_job_ends_it": "test_without_the_lock_it_leaves_and_ends",
        "test_what_four_workers_saw_is_told_once": "test_without_the_lock_four_workers_break_over_it",
        "test_staff_ship_while_the_job_tells": "test_without_the_lock_a_choice_is_offered_about_what_has_left",
    },
    "notifications/test_races.py": {
        "test_many_noes_while_much_is_being_sent": "test_without_the_last_question_many_are_sent_what_they_refused",
        "test_no_while_waiting_to_be_tried_again": "test_without_the_last_question_a_no_while_waiting_is_too_late",
        "test_three_relays_at_once_queue_each_mail_once_and_in_order": (
            "test_without_their_order_three_relays_swap_the_news"
        ),
        "test_a_worker_killed_in_the_middle_of_a_batch_loses_nothing": (
            "test_without_leases_what_a_killed_worker_held_is_lost"
        ),
    },
    "notifications/test_side_by_side.py": {
        "test_a_newsletter_fanned_out_by_two_at_once_reaches_each_reader_once": (
            "test_the_same_drafts_queued_twice_at_once_are_queued_once"
        ),
    },
    "orders/test_staff_races.py": {
        "test_two_approve_the_same_order": "test_two_approve_without_the_lock_and_make_two_parcels",
        "test_two_ship_the_same_parcel": "test_two_ship_without_the_lock_and_the_parcel_leaves_twice",
        "test_one_ships_while_the_other_cancels": "test_without_the_lock_it_leaves_and_is_cancelled_too",
        "test_two_parcels_shipped_with_one_number": "test_two_parcels_without_the_numbers_lock_share_it_unasked",
        "test_one_ships_with_the_number_that_the_other_corrects_to": (
            "test_without_the_numbers_lock_ship_and_correction_share_it_unasked"
        ),
        "test_two_correct_the_same_parcel": "test_two_correct_without_the_lock_and_the_log_tells_two_stories",
        "test_one_corrects_while_the_other_ships_the_parcel": (
            "test_one_corrects_without_the_lock_while_the_other_ships_and_is_not_heard"
        ),
    },
    "orders/test_workbench_races.py": {
        "test_the_rule_and_staff_approve_the_same_order_once": (
            "test_the_rule_and_staff_without_the_lock_make_parcels_of_their_own"
        ),
        "test_an_address_is_not_changed_once_picking_has_begun": (
            "test_without_the_orders_lock_an_address_is_changed_while_it_is_picked"
        ),
        "test_two_begin_the_same_parcel": ("test_two_begin_the_same_parcel_without_its_lock_and_both_think_it_theirs"),
        "test_one_thing_scanned_twice_at_once_is_in_the_parcel_once": (
            "test_without_the_parcels_lock_more_is_in_it_than_it_holds"
        ),
        "test_a_parcel_closed_twice_at_once_is_packed_once": (
            "test_closed_twice_at_once_without_its_lock_it_is_packed_again"
        ),
    },
    "reliability/test_kill.py": {
        "test_fifty_orders_survive_kill_9_of_web_worker_and_beat": "test_without_the_reconciler_their_orders_are_lost",
        "test_a_thousand_orders_survive_kill_9_of_web_worker_and_beat": (
            "test_without_the_reconciler_their_orders_are_lost"
        ),
        "test_who_paid_is_found_though_browser_and_webhook_are_gone": (
            "test_without_the_reconciler_their_orders_are_lost"
        ),
    },
}
# Files whose threads only stand for people who are in the shop meanwhile; what they prove is no race.
NO_RACES = {"reliability/test_hanging.py": "something hangs for good, and others go on"}
FOLDERS = ("concurrency", "reliability")  # whatever stands here is a race, however it is written
RACE_FILES = ("**/*races*.py", "**/test_side_by_side.py")


def race_files() -> list[Path]:
    found = {path for folder in FOLDERS for path in (TESTS / folder).glob("test_*.py")}
    found |= {path for pattern in RACE_FILES for path in TESTS.glob(pattern)}
    return sorted(found - {Path(__file__)} - {TESTS / name for name in NO_RACES})


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


def calls(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield each.id
        elif isinstance(each, ast.Attribute):
            yield each.attr


def is_race(name: str, defined: dict[str, ast.FunctionDef], seen: frozenset[str] = frozenset()) -> bool:
    """Whether it, or a function of its module that it uses, lets several do something at once."""
    used = set(calls(defined[name]))
    if used & SIDE_BY_SIDE:
        return True
    return any(is_race(each, defined, seen | {name}) for each in (used & defined.keys()) - seen - {name})


def arguments(node: ast.FunctionDef) -> set[str]:
    return {argument.arg for argument in node.args.args}


def guards_itself(node: ast.FunctionDef) -> bool:
    return bool(arguments(node) & GUARD_SWITCHES)


def key_of(path: Path) -> str:
    return str(path.relative_to(TESTS))


@pytest.mark.parametrize("path", race_files(), ids=key_of)
def test_every_race_has_a_twin_with_its_guard_off(path):
    defined, twins = functions(path), TWINS.get(key_of(path), {})
    races = {name for name in defined if name.startswith("test_") and is_race(name, defined)}
    mutants = {name for name in races if takes_a_guard_away(defined, name)}
    assert sorted(races - twins.keys() - mutants) == []


@pytest.mark.parametrize("file", TWINS)
def test_every_twin_is_there_and_takes_a_guard_away(file):
    defined = functions(TESTS / file)
    for race, mutant in TWINS[file].items():
        assert {race, mutant} <= defined.keys()
        assert takes_a_guard_away(defined, mutant), mutant
        assert not takes_a_guard_away(defined, race) or guards_itself(defined[race]), race


def takes_a_guard_away(defined: dict[str, ast.FunctionDef], name: str) -> bool:
    """Runs with the guard on and off, or replaces a guard and then demands that it goes wrong."""
    node = defined[name]
    replaces = "monkeypatch" in arguments(node) and "raises" in set(calls(node))
    return guards_itself(node) or replaces or "without" in name


def test_a_race_without_a_twin_is_found():
    source = """
def test_two_at_once():
    run()

def run():
    at_once([])
"""
    defined = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    assert is_race("test_two_at_once", defined)
    assert not takes_a_guard_away(defined, "test_two_at_once")
