// Known defects. A build with HOLDFAST_PLANTED_BUGS (preset `planted`) has them all and plants the one that the environment variable
// HOLDFAST_PLANT names, so that scripts/planted-bugs can show which harness finds it (docs/TESTING.md, "Planted bugs"). In every other
// build `planted` is false while compiling, and not a byte of them is in the program.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace holdfast {

// PLANT(name, room, of reliability's twelve defects that every naive version has, what is wrong). scripts/planted-bugs reads these lines;
// tests/house looks that each is planted somewhere in its room.
#define HOLDFAST_PLANTED_BUGS_ALL(PLANT) \
  /* the rules */ \
  PLANT(limit_off_by_one, core, 7, "a limit key may take one place more than its rule says") \
  PLANT(limit_leaks_at_expiry, core, 7, "an expired hold goes on counting for its limit keys") \
  PLANT(late_payment_over_limit, core, 7, "a late sale does not look at the limits") \
  PLANT(late_payment_sells_next_owners_seat, core, 4, "money for an expired hold sells its seats though others have them by now") \
  PLANT(late_payment_has_no_end, core, 5, "money for an expired hold sells at any time") \
  PLANT(deadline_instant_is_in_time, core, 5, "at the very instant of its deadline a hold still lives") \
  PLANT(released_hold_still_expires, core, 4, "the timer of a hold that was given back stays set, and takes the seat from its next owner") \
  PLANT(holds_of_anybody, core, 12, "who knows the id of a hold may give it back, whoever owns it") \
  PLANT(several_seats_held_in_part, core, 8, "of a hold with several lines the last one is not taken") \
  PLANT(id_forgotten_at_release, core, 6, "the id of a hold that was given back is decided afresh") \
  PLANT(content_without_places, core, 6, "same id, other seats: taken for the same command") \
  PLANT(ghost_hold_from_late_frame, core, 6, "a command is carried out though its client deadline is over") \
  PLANT(repeat_tells_present_deadline, core, 6, "a command sent again is not told the first answer") \
  PLANT(repeat_waits_for_first_record, core, 2, "a repeated answer shows the present state of the hold and does not wait for it") \
  PLANT(confirm_again_is_second_payment, core, 6, "the same payment sent again is taken for another one") \
  PLANT(presale_open_to_all, core, 0, "a channel that is not open yet may hold") \
  PLANT(extend_beyond_lifetime, core, 0, "a hold can be extended for ever") \
  PLANT(grace_every_time, core, 0, "each failed payment gives the hold some more time, not only the first") \
  PLANT(order_paid_back_twice, core, 0, "what an order gave back is forgotten, so it may be given back again") \
  PLANT(area_drawn_public_first, core, 0, "an area line takes public places before the channel's own") \
  PLANT(refusal_waits_for_nothing, core, 2, "a refusal leaves before the record that it tells of is durable") \
  PLANT(refusal_forgets_the_holder, core, 2, "who is refused for a held seat does not wait for the record by which the hold lives on") \
  PLANT(allocation_forgets_the_holder, core, 2, "an operator refused for a held seat does not wait for the record by which the hold lives on") \
  PLANT(refusal_before_the_forgetting, core, 2, "a refusal leaves before the forgetting of its id is durable") \
  PLANT(refusal_forgets_the_shift, core, 2, "a refusal that shows a deadline does not wait for the shift that moved it") \
  PLANT(look_waits_for_nothing, core, 2, "a look shows what is not durable") \
  PLANT(extension_forgotten, core, 0, "an extension is answered and recorded, and the deadline stays") \
  PLANT(extension_missing_for_areas, core, 0, "an extended hold is still found due in the list of its area") \
  PLANT(key_list_breaks_in_the_middle, core, 0, "a hold taken out of the middle of a key's list leaves a link to itself behind") \
  PLANT(owner_list_breaks_in_the_middle, core, 0, "a hold taken out of the middle of an owner's list leaves a link to itself behind") \
  PLANT(area_loses_a_place, core, 0, "several places of an area come back one short") \
  PLANT(withdrawn_seat_comes_back_free, core, 0, "a seat that was withdrawn while it was held comes back for sale") \
  PLANT(freeze_eats_carts, core, 10, "the time that a sale was frozen is not given back") \
  PLANT(ids_forgotten_too_young, core, 6, "an ended hold's id is forgotten though a late frame may still name it") \
  PLANT(expired_holds_refuse_buyers, core, 5, "what is due and not expired yet stands in the way of a buyer") \
  PLANT(repeat_finds_its_hold_alive, core, 5, "who asks again is told of a hold that is due and not expired yet as if it lived") \
  PLANT(expired_holds_fill_limits, core, 7, "what is due and not expired yet counts for the limit of a buyer") \
  PLANT(timer_leaves_the_rest, core, 0, "what a step left over to expire waits until somebody asks") \
  PLANT(view_hides_what_came_back, core, 0, "the funnel goes on saying sold_out for a seat that came back") \
  PLANT(snapshot_forgets_grace, core, 9, "a snapshot does not know that a hold has had its time of grace") \
  /* the journal */ \
  PLANT(record_loses_its_note, persistence, 0, "a record does not keep the note of its command") \
  PLANT(record_loses_an_expiry, persistence, 0, "of several holds that expire together the last one is not recorded") \
  PLANT(chain_link_not_checked, persistence, 1, "a block that does not continue the one before it is accepted") \
  PLANT(epoch_not_checked, persistence, 0, "the block of a server that was replaced is accepted") \
  PLANT(block_hash_not_checked, persistence, 1, "a flipped bit in a block is believed") \
  PLANT(block_without_chain, persistence, 9, "a block is written without the hash of the one before it") \
  PLANT(witness_before_the_block, persistence, 2, "the witness names a block that is not written yet") \
  PLANT(failed_write_tried_again, persistence, 3, "a write that failed is tried once more") \
  PLANT(failed_journal_goes_on, persistence, 3, "after a failed write the journal takes the next one") \
  PLANT(witness_ignored_at_start, persistence, 1, "a start takes what the store has, though more was acknowledged") \
  PLANT(witness_in_one_slot, persistence, 1, "the witness is written over itself instead of beside itself") \
  PLANT(witness_never_synced, persistence, 1, "the witness stays in the page cache") \
  PLANT(checkpoint_beyond_the_journal, persistence, 1, "a journal shorter than a checkpoint of it is accepted") \
  PLANT(wall_clock_at_start, persistence, 10, "log time begins with the wall clock, though the journal is ahead of it") \
  PLANT(outage_not_given_back, persistence, 10, "an outage eats carts") \
  PLANT(deadlines_begin_anew_at_start, persistence, 10, "each start gives holds more time than the server was away") \
  PLANT(outage_given_back_twice, persistence, 10, "an outage is given back twice over") \
  PLANT(recovery_without_the_last_block, persistence, 1, "recovery stops one block before the end") \
  PLANT(checkpoint_without_a_session, persistence, 9, "a checkpoint leaves out the newest session") \
  PLANT(checkpoint_without_sleepers, persistence, 9, "a checkpoint leaves out the sessions that nothing has happened to") \
  PLANT(checkpoint_with_an_old_snapshot, persistence, 9, "a checkpoint names the snapshot that a session had at the checkpoint before") \
  PLANT(guard_admits_second_sale, persistence, 0, "the second line of defence lets a sold seat be sold again") \
  PLANT(index_leaves_out_expiries, persistence, 0, "who looks for a hold does not find that it expired") \
  PLANT(audit_believes_records, persistence, 0, "the auditor does not decide again") \
  PLANT(audit_keeps_no_book, persistence, 0, "the auditor's own book sees nothing wrong") \
  PLANT(sync_left_out, persistence, 2, "blocks are written and not synced") \
  PLANT(second_server_let_in, persistence, 0, "a data directory in use is taken by another server") \
  /* the wire */ \
  PLANT(frame_in_two_reads_is_lost, protocol, 0, "the beginning of a frame that came with the end of another is dropped") \
  PLANT(buyer_without_limits, protocol, 7, "the limit keys of a buyer's handshake do not get into his holds") \
  /* between the rules and the journal */ \
  PLANT(answer_before_durable, actors, 2, "an answer does not travel with its record, but at once") \
  PLANT(answers_before_the_write, actors, 2, "the journal lets the answers of a block go before it has written it") \
  PLANT(batches_in_reverse, actors, 9, "what came last is written first") \
  PLANT(answers_change_places, actors, 0, "two requests of a batch get each other's answer") \
  PLANT(view_ahead_of_the_journal, actors, 2, "the funnel refuses because of a sale that is not durable") \
  PLANT(timer_fires_once, actors, 0, "after its first wake-up a session is not woken again") \
  PLANT(answers_after_the_failure, actors, 3, "once the journal has failed, looks and refusals are still answered") \
  PLANT(log_clock_follows_wall_clock, actors, 10, "who sets the wall clock moves all deadlines") \
  PLANT(session_asks_the_wall_clock, actors, 10, "a session decides by the wall clock") \
  /* sockets */ \
  PLANT(credit_never_given_back, gateway, 11, "an answered request goes on counting as in flight") \
  PLANT(credit_given_back_twice, gateway, 11, "each answer lets two more requests in") \
  PLANT(session_without_bound, gateway, 11, "any number of requests may wait for a session") \
  PLANT(money_told_busy, gateway, 0, "a payment is refused because others are in flight") \
  PLANT(slow_reader_kept, gateway, 11, "who does not take his answers is not cut off") \
  PLANT(slow_frame_starts_anew, gateway, 11, "a byte now and then keeps an unfinished frame alive") \
  PLANT(output_without_bound, gateway, 11, "a connection is read from though its answers pile up") \
  PLANT(reads_on_after_bad_frame, gateway, 0, "what follows a broken request is carried out") \
  PLANT(answers_go_to_who_comes_next, gateway, 0, "the late answer of a closed connection goes to the one that took its place") \
  PLANT(funnel_judges_retries, gateway, 6, "a winner whose answer was lost is told that his own seat is gone") \
  PLANT(stops_with_answers_owed, gateway, 0, "a server that is stopped closes before its last answers are there") \
  /* what checks others */ \
  PLANT(checker_blind_to_seats, history, 0, "the exact search is content with every order") \
  PLANT(checker_blind_to_lost_holds, history, 0, "a hold that is gone before its deadline is nothing to the checker") \
  PLANT(checker_blind_to_limits, history, 0, "who has more than the limit is not noticed") \
  PLANT(checker_alarms_for_nothing, history, 0, "the checker takes a hold for over as soon as it is")

/// `none` is the truth.
enum class bug : std::uint8_t {
  none,
#define HOLDFAST_PLANT(name, room, naive, text) name,
  HOLDFAST_PLANTED_BUGS_ALL(HOLDFAST_PLANT)
#undef HOLDFAST_PLANT
};

#ifdef HOLDFAST_PLANTED_BUGS

namespace planting {

/// Who misspells a bug would prove that nobody finds it: so the program ends, with the list.
inline bug chosen_by_environment() {
  const char* wanted = std::getenv("HOLDFAST_PLANT");
  if (wanted == nullptr || *wanted == 0) return bug::none;
#define HOLDFAST_PLANT(name, room, naive, text) \
  if (std::string_view(wanted) == #name) return bug::name;
  HOLDFAST_PLANTED_BUGS_ALL(HOLDFAST_PLANT)
#undef HOLDFAST_PLANT
  std::fprintf(stderr, "HOLDFAST_PLANT names no bug: '%s'. There are:\n", wanted);
#define HOLDFAST_PLANT(name, room, naive, text) std::fprintf(stderr, "  %-34s %s\n", #name, text);
  HOLDFAST_PLANTED_BUGS_ALL(HOLDFAST_PLANT)
#undef HOLDFAST_PLANT
  std::_Exit(64);
}

inline const bug chosen = chosen_by_environment();

}  // namespace planting

[[nodiscard]] inline bool planted(bug b) { return b == planting::chosen; }

#else

[[nodiscard]] constexpr bool planted(bug) { return false; }

#endif

}  // namespace holdfast
