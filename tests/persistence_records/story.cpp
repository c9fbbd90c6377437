#include "tests/persistence_records/story.hpp"

#include <cstdlib>

#include <fmt/format.h>

namespace holdfast::tests {

using namespace core;

std::shared_ptr<const plan> small_hall(std::uint32_t seats, const std::string& name) {
  auto p = std::make_shared<plan>();
  p->name = name;
  p->categories = {{"stalls", ""}, {"gallery", ""}};
  p->allocations = {"public", "members"};
  p->zones = {"house"};
  for (std::uint32_t n = 0; n < seats; ++n) {
    if (n % 10 == 0) p->rows.push_back({0, fmt::format("row {}", n / 10)});
    plan_seat s;
    s.row = n / 10;
    s.number = fmt::format("{}", n % 10 + 1);
    s.identity = fmt::format("seat-{}", n);
    s.category = n % 2;
    s.allocation = n % 10 == 9 ? 1 : 0;
    p->seats.push_back(s);
  }
  p->areas = {{"floor", "area-floor", 0, {30, 10}}, {"balcony", "area-balcony", 1, {12}}};
  const auto ok = check_plan(*p);
  REQUIRE_MESSAGE(ok.ok(), (ok.ok() ? "" : ok.failure().text));
  return p;
}

std::shared_ptr<const session_terms> terms(const std::string& name, std::shared_ptr<const plan> hall) {
  auto t = std::make_shared<session_terms>();
  t->name = name;
  t->currency = "EUR";
  t->organiser_ref = "org-1";
  t->starts_at = 1'700'100'000;
  t->zone = "Europe/Berlin";
  t->rules = default_policy();
  t->rules.channels[1].rules.push_back({key_kind::card, ~std::uint64_t{0}, 20});
  t->seating = std::move(hall);
  return t;
}

std::unique_ptr<journal_log> open_journal(std::shared_ptr<memory_disk> disk, std::uint64_t wall_clock) {
  journal_options o;
  o.wall_clock = wall_clock;
  o.new_journal = {0x1122334455667788, 0x99aabbccddeeff00};
  o.program = "test";
  auto opened = good(journal_log::open(std::make_unique<memory_block_store>(std::move(disk)), o));
  return std::move(opened.journal);
}

box_office::box_office(std::uint64_t seed) : random(seed), journal(open_journal(disk, noon)) {}

void box_office::create(std::uint64_t session, std::shared_ptr<const plan> hall) {
  const auto added = plans.add(hall);
  if (added.fresh) pending_.push_back({session, plan_sequence, now, added.what->bytes});
  record r;
  r.number = sequence{1};
  r.at = log_time{now};
  r.rules_version = rules_version;
  r.head.from = {role::op, 1000};
  auto with = std::make_shared<session_terms>(*terms(fmt::format("night-{}", session), added.what->plan));
  with->rules.ended_holds_max = ended_holds_max;
  r.asked = create_session{std::move(with)};
  r.done = session_created{};
  written w{session, 1, now, {}};
  encode_record(r, w.bytes);
  pending_.push_back(std::move(w));
  sessions_[session] = std::make_unique<engine>(session::create(session_id{session}, r, {}));
}

void box_office::open(std::uint64_t session, std::shared_ptr<const plan> hall) {
  create(session, std::move(hall));
  REQUIRE(operate(session, open_sale{}).refused == refusal::none);
}

namespace {
struct collector final : step_sink {
  std::uint64_t session = 0;
  std::vector<written>* out = nullptr;
  answer last;
  void on_record(const record& r) override {
    written w{session, r.number.value, r.at.value, {}};
    encode_record(r, w.bytes);
    out->push_back(std::move(w));
  }
  void on_view_change(const view_change&) override {}
  void on_answer(std::uint64_t, const answer& said, std::shared_ptr<const seen>) override { last = said; }
};
}  // namespace

answer box_office::ask(std::uint64_t session, role who, command asked, command_id command) {
  request r;
  r.head.from = {who, who == role::op ? 1000U : 17U};
  r.head.channel = who == role::op ? 1 : 0;
  r.head.id = std::holds_alternative<confirm_hold>(asked) ? command_id{} : command;
  if (std::holds_alternative<hold_seats>(asked)) r.head.client_deadline = log_time{now + 30 * second};
  r.asked = std::move(asked);
  collector c;
  c.session = session;
  c.out = &pending_;
  sessions_.at(session)->step({&r, 1}, log_time{now}, c);
  ++(c.last.refused == refusal::none ? accepted : refused);
  return c.last;
}

void box_office::wait(std::uint64_t us) {
  now += us;
  for (auto& [id, e] : sessions_) {
    collector c;
    c.session = id;
    c.out = &pending_;
    e->step({}, log_time{now}, c);
  }
}

void box_office::commit() {
  std::vector<record_ref> refs;
  for (const auto& w : pending_) refs.push_back(w.ref());
  const auto done = journal->append(refs, now);
  REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.failure().text));
  for (auto& [id, e] : sessions_) e->durable(e->state().last());
  all_.insert(all_.end(), std::make_move_iterator(pending_.begin()), std::make_move_iterator(pending_.end()));
  pending_.clear();
}

void box_office::one_command(std::uint64_t session) {
  auto& known = holds_[session];
  const auto& hall = *state(session).terms().seating;
  const auto seats = static_cast<std::uint32_t>(hall.seats.size());
  const auto any_line = [&] {
    return random.chance(75)
               ? seat(static_cast<std::uint32_t>(random.below(seats)), static_cast<price_ref>(random.below(3)))
               : standing(static_cast<std::uint32_t>(random.below(2)), static_cast<std::uint32_t>(1 + random.below(4)),
                          static_cast<price_ref>(random.below(2)));
  };
  const auto reference = [&] {
    base::bytes b;
    base::byte_writer(b).id(random.id());
    return b;
  };
  const auto who = random.chance(80) ? role::shop : role::op;
  const auto kind = random.below(100);
  if (known.empty() || kind < 35) {
    const auto buyer = owner(random.below(60));
    std::vector<line> lines;
    for (auto n = 1 + random.below(3); n > 0; --n) lines.push_back(any_line());
    std::vector<limit_key> keys{{key_kind::account, id(buyer.value.hi)}};
    if (who == role::op || random.chance(30)) keys.push_back({key_kind::card, id(7'000 + random.below(20))});
    const auto command = fresh();
    hold_seats c{buyer, keys, lines, static_cast<interval_ms>((1 + random.below(20)) * 60'000), 1, {}};
    if (random.chance(20)) c.basket = basket_id{id(900 + random.below(9))};
    if (ask(session, who, c, command).refused == refusal::none) known.push_back({buyer, command, lines, {}});
    return;
  }
  auto& h = known[random.below(known.size())];
  const auto some = random.chance(50) ? std::vector<line>{h.lines[random.below(h.lines.size())]} : std::vector<line>{};
  if (kind < 43) {
    const std::vector<line> add{any_line()};
    const auto drop = random.chance(50) ? some : std::vector<line>{};
    if (ask(session, who, change_hold{h.owner, h.id, add, drop, 1}, fresh()).refused == refusal::none)
      h.lines.push_back(add[0]);
  } else if (kind < 48) {
    ask(session, who, extend_hold{h.owner, h.id, static_cast<interval_ms>(random.below(30) * 60'000)}, fresh());
  } else if (kind < 58) {
    const auto attempt = reference();
    const std::vector<limit_key> keys{{key_kind::email, id(8'000 + random.below(30))}};
    if (ask(session, who,
            begin_payment{h.owner, h.id, attempt, 10 * 60'000, random.chance(20) ? keys : std::vector<limit_key>{}},
            fresh())
            .refused == refusal::none)
      h.attempt = attempt;
  } else if (kind < 62) {
    ask(session, who, payment_failed{h.owner, h.id, h.attempt}, fresh());
  } else if (kind < 78) {
    const auto payment = reference();
    const auto amount = static_cast<std::int64_t>(random.below(20'000));
    const auto unknown = random.chance(8);
    const confirm_hold c{unknown ? owner(5'000) : h.owner, h.id, payment, amount, payment_kind::card};
    ask(session, who, c);
    if (random.chance(20)) ask(session, who, c);
  } else if (kind < 84) {
    ask(session, who, release_hold{h.owner, h.id, some, false}, fresh());
  } else if (kind < 89) {
    ask(session, who, cancel_order{h.owner, h.id, some, static_cast<std::int64_t>(random.below(3'000)), false},
        fresh());
  } else if (kind < 91) {
    const auto number =
        static_cast<std::uint32_t>(1 + random.below(1 + state(session).brief(log_time{now}).refunds_total));
    const auto with = reference();
    ask(session, who, settle_refund{refund_no{number}, with}, fresh());
  } else if (kind < 97) {
    const auto first = static_cast<std::uint32_t>(random.below(seats));
    std::vector<place_range> ranges{{place_kind::seat, first, std::min(seats - 1, first + 2), 0, 0}};
    if (random.chance(30))
      ranges.push_back({place_kind::area, 0, 0, static_cast<std::uint32_t>(1 + random.below(3)), 0});
    if (kind < 93) operate(session, block_places{ranges, 3});
    else if (kind < 95) operate(session, unblock_places{ranges});
    else operate(session, allocate_places{{&ranges[0], 1}, static_cast<std::uint8_t>(random.below(2))});
  } else {
    switch (random.below(6)) {
      case 0: operate(session, pause_sale{}); break;
      case 1: operate(session, freeze_sale{}); break;
      case 2: operate(session, close_sale{}); break;
      case 3: operate(session, shift_deadlines{static_cast<interval_ms>(1 + random.below(60'000)), 4}); break;
      default: break;
    }
    // The hall stays open most of the time.
    operate(session, resume_sale{});
    operate(session, open_sale{});
  }
}

void box_office::rush(std::size_t n) {
  std::vector<std::uint64_t> ids;
  for (const auto& [session, e] : sessions_) ids.push_back(session);
  for (std::size_t i = 0; i < n; ++i) {
    one_command(ids[random.below(ids.size())]);
    now += random.below(2 * second);
    if (random.chance(2)) wait(random.below(8 * minute));
    if (random.chance(10)) commit();
  }
  commit();
}

std::map<std::uint64_t, digest> box_office::digests() const {
  std::map<std::uint64_t, digest> all;
  for (const auto& [id, e] : sessions_) all[id] = session_digest(e->state());
  return all;
}

std::shared_ptr<memory_disk> rechained(const std::vector<written>& records, std::size_t per_block) {
  auto disk = std::make_shared<memory_disk>();
  const auto journal = open_journal(disk, noon);
  std::vector<record_ref> refs;
  for (std::size_t i = 0; i < records.size(); ++i) {
    refs.push_back(records[i].ref());
    if (refs.size() < per_block && i + 1 < records.size()) continue;
    const auto done = journal->append(refs, records[i].at);
    REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.failure().text));
    refs.clear();
  }
  good(journal->close(records.back().at));
  return disk;
}

temporary_directory::temporary_directory() {
  std::string name = (std::filesystem::temp_directory_path() / "holdfast-test-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}
temporary_directory::~temporary_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace holdfast::tests
