// Engine against model under random commands.
//
//   HOLDFAST_COMMANDS  commands in all (default 1,200,000; with the address sanitizer 200,000)
//   HOLDFAST_SEEDS     at most so many seeds (default: as many as the commands need)
//   HOLDFAST_SEED      only this one, with its failing story printed
//   HOLDFAST_TALLY     print what was answered how often
#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>

#include "simulation/describe.hpp"
#include "tests/core/duel.hpp"
#include "tests/support/instrumented.hpp"

namespace holdfast::tests {

using namespace core;

namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* v = std::getenv(name);
  return v == nullptr ? otherwise : std::strtoull(v, nullptr, 10);
}

constexpr int steps_per_seed = 400;
constexpr int steps_per_comparison = 40;
constexpr log_time creation{1'699'999'000'000'000};

/// Seeds go round through five kinds of run.
mix mix_of(std::uint64_t seed) {
  mix m;
  switch (seed % 5) {
    case 0: break;
    case 1:  // nothing is forgotten, little expires by itself: every command must look behind itself
      m.forgetting = false;
      m.few_expiries = true;
      m.recovery_shifts = false;
      m.batch_max = 3;
      break;
    case 2:  // money
      m.confirm = 30;
      m.begin = 20;
      m.cancel = 12;
      m.settle = 8;
      m.forgetting = seed % 10 == 2;
      break;
    case 3:  // answers that were lost are asked for again, long after their holds are due, which expire one at a time
      m.hold = 60;
      m.retry = 60;
      m.forgetting = false;
      m.few_expiries = true;
      m.recovery_shifts = false;
      m.batch_max = 3;
      break;
    default:  // a rush: nothing but holds and answers that were lost
      m.hold = 60;
      m.retry = 30;
      m.sale = m.freeze = m.block = 1;
      m.forgetting = seed % 10 == 4;
      break;
  }
  return m;
}

/// What the crowd has been answered, over all seeds: a run that never sells late proves nothing about late sales.
struct tally {
  std::map<std::string, std::uint64_t> times;
  void count(const asked& a, const answer& said) {
    std::string what = name_of(tag_of(a.what)) + (said.repeated ? " again" : "") + " ";
    if (said.refused != refusal::none) what += core::name_of(said.refused);
    else if (said.reason != refund_reason::none) what += "refund due " + std::string(core::name_of(said.reason));
    else what += "yes";
    ++times[what];
  }
};

struct story {
  std::shared_ptr<const session_terms> terms;
  std::unique_ptr<random_commands> crowd;
  std::vector<happening> happened;
  std::size_t commands = 0;
  std::string trouble;  ///< empty: all agreed
};

std::optional<std::string> compare_all(duel& d, const random_commands& crowd) {
  if (auto t = d.compare_state(crowd.recent(), crowd.owners())) return t;
  return d.compare_bytes();
}

story run(std::uint64_t seed, tally& all) {
  const mix m = mix_of(seed);
  story s;
  s.terms = random_terms(seed, m);
  s.crowd = std::make_unique<random_commands>(seed, s.terms, m);
  duel d(s.terms, creation);
  for (int i = 1; i <= steps_per_seed && s.trouble.empty(); ++i) {
    s.happened.push_back(s.crowd->next());
    const auto& h = s.happened.back();
    auto t = d.play(h);
    s.commands += h.batch.size();
    if (!t)
      for (std::size_t k = 0; k < d.said().size() && k < h.batch.size(); ++k) {
        s.crowd->learn(h.batch[k], d.said()[k]);
        all.count(h.batch[k], d.said()[k]);
      }
    if (!t && i % steps_per_comparison == 0) t = compare_all(d, *s.crowd);
    if (t) s.trouble = *t;
  }
  return s;
}

/// What a trouble is about: its words before the first number.
std::string kind_of(const std::string& trouble) { return trouble.substr(0, trouble.find_first_of("0123456789")); }

/// Plays what happened again, from the start, comparing after every step.
std::string play_again(const story& s, const std::vector<happening>& happened) {
  duel d(s.terms, creation);
  for (const auto& h : happened) {
    auto t = d.play(h);
    if (!t) t = compare_all(d, *s.crowd);
    if (t) return *t;
  }
  return {};
}

/// Leaves out steps and commands as long as the rest still fails in the same way.
std::vector<happening> shrink(const story& s, std::string& trouble) {
  auto left = s.happened;
  const auto first = play_again(s, left);
  if (first.empty()) return left;
  trouble = first;
  const auto still_fails = [&](const std::vector<happening>& without) {
    const auto t = play_again(s, without);
    const bool same = !t.empty() && kind_of(t) == kind_of(first);
    if (same) trouble = t;
    return same;
  };
  for (std::size_t piece = left.size() / 2; piece >= 1; piece /= 2)
    for (std::size_t at = 0; at + piece <= left.size();) {
      auto without = left;
      without.erase(without.begin() + static_cast<std::ptrdiff_t>(at), without.begin() + static_cast<std::ptrdiff_t>(at + piece));
      if (still_fails(without)) left = without;
      else at += piece;
    }
  for (std::size_t i = 0; i < left.size(); ++i)
    for (std::size_t k = 0; k < left[i].batch.size();) {
      auto without = left;
      without[i].batch.erase(without[i].batch.begin() + static_cast<std::ptrdiff_t>(k));
      if (still_fails(without)) left = without;
      else ++k;
    }
  return left;
}

void tell(std::uint64_t seed, const story& s) {
  std::string trouble = s.trouble;
  const auto left = shrink(s, trouble);
  std::printf("seed %llu fails: %s\n\nthe shortest story that still fails (HOLDFAST_SEED=%llu):\n", static_cast<unsigned long long>(seed),
              s.trouble.c_str(), static_cast<unsigned long long>(seed));
  for (const auto& h : left) {
    std::printf("at %llu%s\n", static_cast<unsigned long long>(h.now.value),
                h.what == happening::kind::restart ? " restart" : h.what == happening::kind::fault ? " fault" : "");
    for (const auto& a : h.batch) std::printf("  %s: %s\n", text_of(a.head).c_str(), text_of(a.what).c_str());
  }
  const auto& p = s.terms->rules;
  std::printf("policy: pay_min %u id_min %u late %u ended %llu/%llu unknown %u expiries %u\n", p.pay_min, p.id_min, p.late_confirm_max,
              static_cast<unsigned long long>(p.ended_holds_max), static_cast<unsigned long long>(p.ended_holds_hard_max),
              p.unknown_refunds_max, p.expiries_per_step);
  for (const auto& c : p.channels) {
    std::printf("  %s: lines %u holds %u hold %u paying %u lifetime %u ext %u att %u alloc %x rules", c.name.c_str(), c.lines_max,
                c.holds_per_owner_max, c.hold_max, c.paying_max, c.lifetime_max, c.extensions_max, c.attempts_max, c.allocations);
    for (const auto& r : c.rules) std::printf(" (%u %llx %u)", static_cast<unsigned>(r.kind), static_cast<unsigned long long>(r.categories), r.places_max);
    std::printf("\n");
  }
  for (std::size_t i = 0; i < s.terms->seating->seats.size(); ++i)
    std::printf("  seat %zu cat %u alloc %u\n", i, s.terms->seating->seats[i].category, s.terms->seating->seats[i].allocation);
  for (const auto& a : s.terms->seating->areas) {
    std::printf("  area %s cat %u:", a.name.c_str(), a.category);
    for (const auto c : a.capacity) std::printf(" %u", c);
    std::printf("\n");
  }
  std::printf("it ends with: %s\n", trouble.c_str());
  std::fflush(stdout);
}

/// In a run of normal length each of these comes up; the rest is for the stories.
const char* const must_happen[] = {
    "hold_seats yes", "hold_seats again yes", "hold_seats id_reused", "hold_seats over_limit", "hold_seats not_enough", "hold_seats sold_out",
    "hold_seats none_free_now", "hold_seats blocked", "hold_seats not_in_your_channel", "hold_seats too_many_holds",
    "change_hold yes", "change_hold over_limit", "change_hold not_in_hold", "change_hold last_line", "change_hold duplicate_line",
    "extend_hold yes", "extend_hold no_gain", "extend_hold too_many_extensions",
    "begin_payment yes", "begin_payment over_limit", "begin_payment pay_time_short", "begin_payment too_many_attempts",
    "payment_failed yes", "payment_failed not_this_attempt",
    "confirm_hold yes", "confirm_hold payment_differs", "confirm_hold refunds_full", "confirm_hold refund due unknown_hold",
    "confirm_hold refund due already_paid", "confirm_hold refund due released", "confirm_hold refund due too_late",
    "confirm_hold refund due seats_gone", "confirm_hold refund due over_limit", "confirm_hold again refund due seats_gone",
    "release_hold yes", "release_hold not_in_hold", "cancel_order yes", "cancel_order amount_too_high", "settle_refund yes",
    "settle_refund refund_settled", "open_sale yes", "close_sale yes", "pause_sale yes", "resume_sale yes", "freeze_sale yes",
    "block_places yes", "unblock_places yes", "allocate_places yes", "shift_deadlines yes", "clear_fault yes"};

}  // namespace

TEST_CASE("engine and model agree on every answer and on the whole state") {
  const auto only = from_environment("HOLDFAST_SEED", 0);
  const auto wanted = from_environment("HOLDFAST_COMMANDS", instrumented ? 200'000 : 1'200'000);
  const auto seeds = from_environment("HOLDFAST_SEEDS", ~std::uint64_t{0});
  const auto begun = std::chrono::steady_clock::now();
  std::uint64_t commands = 0, played = 0;
  tally all;
  for (std::uint64_t seed = only != 0 ? only : 1; commands < wanted && played < seeds; ++seed, ++played) {
    const auto s = run(seed, all);
    commands += s.commands;
    if (!s.trouble.empty()) tell(seed, s);
    REQUIRE_MESSAGE(s.trouble.empty(), "seed ", seed, ": ", s.trouble);
    if (only != 0) break;
  }
  const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  std::printf("%llu commands from %llu seeds agreed in %.1f s\n", static_cast<unsigned long long>(commands),
              static_cast<unsigned long long>(played), took);
  if (std::getenv("HOLDFAST_TALLY") != nullptr)
    for (const auto& [what, n] : all.times) std::printf("%10llu  %s\n", static_cast<unsigned long long>(n), what.c_str());
  CHECK(played > 0);
  if (commands < 1'000'000) return;
  for (const char* what : must_happen) CHECK_MESSAGE(all.times[what] > 0, "never in this run: ", what);
}

}  // namespace holdfast::tests
