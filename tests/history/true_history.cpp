#include "tests/history/true_history.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <queue>
#include <utility>

#include "base/random.hpp"
#include "core/engine.hpp"

namespace holdfast::tests {

using namespace core;
using history::operation;
using history::outcome;

namespace {

constexpr std::uint64_t opening = 1'700'000'000'000'000;
constexpr std::uint64_t mono_at_opening = 5'000'000'000;  // ns

std::shared_ptr<const session_terms> terms_of(const crowd_options& o) {
  auto p = std::make_shared<plan>();
  p->name = "hall";
  p->categories = {{"all", ""}};
  p->allocations = {"public"};
  p->zones = {"main"};
  p->rows = {{0, "A"}};
  for (std::uint32_t i = 0; i < o.seats; ++i) {
    plan_seat s;
    s.number = std::to_string(i + 1);
    s.identity = "s" + s.number;
    p->seats.push_back(s);
  }
  if (o.standing != 0) p->areas = {{"pit", "pit", 0, {o.standing}}};
  auto t = std::make_shared<session_terms>();
  t->name = "true";
  t->currency = "EUR";
  t->seating = p;
  channel_policy open;
  open.name = "public";
  open.lines_max = 8;
  open.holds_per_owner_max = 100;
  open.hold_max = open.paying_max = open.lifetime_max = 600'000;
  open.extensions_max = open.attempts_max = 32;
  if (o.limit != 0) open.rules = {{key_kind::account, ~std::uint64_t{0}, o.limit}};
  t->rules.channels = {open};
  t->rules.pay_min = 1;
  return t;
}

struct buyer {
  id128 owner, account, hold;
  request last;          ///< as it was asked; what it points to lies below
  limit_key key;
  std::array<line, 4> lines;
  std::uint32_t count = 0;
  operation next = operation::hold;
  bool alive = false, again = false;
  bool yes = false;      ///< while it is asked again: the answer
  std::uint64_t asked = 0;
};

/// What was sent again and answered, on its slow way over the first connection.
struct late_copy {
  request said;          ///< what it points to lies below
  limit_key key;
  std::array<line, 4> lines;
};

/// One instant in which something reaches the rules.
struct arrival {
  std::uint64_t at;  ///< ns
  std::uint32_t who;
  late_copy* late = nullptr;
  bool operator>(const arrival& o) const { return at > o.at; }
};

class theatre final : step_sink {
 public:
  explicit theatre(const crowd_options& o) : o_(o), chance_(o.seed), terms_(terms_of(o)), engine_(created()) {
    h_.seats = o.seats;
    h_.session = 1;
    if (o.standing != 0) h_.area_places = {o.standing};
    buyers_.resize(o.at_once);
    request r;
    r.head.from.who = role::op;
    r.head.id = command_id{chance_.id()};
    r.asked = command{open_sale{all_channels}};
    engine_.step({&r, 1}, log_time{opening}, *this);
  }

  history::history run() {
    look(mono_at_opening + 1'000'000);
    for (std::uint32_t b = 0; b < buyers_.size(); ++b) ask(b, mono_at_opening + 2'000'000 + chance_.below(1'000'000));
    auto next_look = o_.operations / 8;
    while (h_.rows.size() < o_.operations && !queue_.empty()) {
      const auto a = queue_.top();
      queue_.pop();
      happen(a);
      if (h_.rows.size() >= next_look) {
        look(now_);
        next_look += o_.operations / 8 + 1;
      }
    }
    if (o_.looks_last)
      for (std::uint64_t i = 1; i <= 2; ++i) look(now_ + 60'000'000'000 * i);
    std::stable_sort(order_.begin(), order_.end());
    history::history sorted;
    sorted.seats = h_.seats;
    sorted.session = h_.session;
    sorted.area_places = h_.area_places;
    for (const auto& [at, i] : order_) sorted.add(h_.rows[i], h_.lines_of(i));
    return sorted;
  }

 private:
  session created() const {
    record r;
    r.number = sequence{1};
    r.at = log_time{opening};
    r.rules_version = rules_version;
    r.head.from.who = role::op;
    r.asked = create_session{terms_};
    r.done = session_created{};
    return session::create(session_id{1}, r, {});
  }

  static log_time log_at(std::uint64_t ns) { return log_time{opening + (ns - mono_at_opening) / 1'000}; }

  void on_record(const record&) override {}
  void on_view_change(const view_change&) override {}
  void on_answer(std::uint64_t, const answer& said, std::shared_ptr<const seen> shown) override {
    said_ = said;
    shown_ = std::move(shown);
  }

  void ask(std::uint32_t b, std::uint64_t at) {
    auto& who = buyers_[b];
    if (!who.alive) {
      who.alive = true;
      who.owner = chance_.id();
      who.account = o_.accounts == 0 ? who.owner : id128{7, 1 + chance_.below(o_.accounts)};
      who.next = operation::hold;
    }
    if (who.next == operation::hold) {
      who.hold = chance_.id();
      who.count = static_cast<std::uint32_t>(chance_.between(1, 3));
      // Some seats are wanted by everybody.
      for (std::uint32_t i = 0; i < who.count; ++i) {
        const auto all = chance_.chance(30) ? std::max(o_.seats / 20, 1U) : o_.seats;
        who.lines[i] = {place_kind::seat, static_cast<std::uint32_t>(chance_.below(all)), 1, 1};
        for (std::uint32_t k = 0; k < i; ++k)
          if (who.lines[k].number == who.lines[i].number) who.count = i;
      }
      if (o_.standing != 0 && chance_.chance(20)) {
        who.count = 1;
        who.lines[0] = {place_kind::area, 0, static_cast<std::uint32_t>(chance_.between(1, 3)), 1};
      }
    }
    who.asked = at;
    queue_.push({at + 1'000 + chance_.below(2'000'000), b});
  }

  void happen(const arrival& a) {
    if (a.late != nullptr) {
      now_ = std::max(now_, a.at);
      engine_.step({&a.late->said, 1}, log_at(now_), *this);
      return;
    }
    auto& who = buyers_[a.who];
    now_ = std::max(now_, a.at);
    auto& r = who.last;
    if (who.again) {
      engine_.step({&r, 1}, log_at(now_), *this);
      return hear(a.who, now_ + 1'000 + chance_.below(2'000'000), log_at(now_ + chance_.below(1'000)));
    }
    r = {};
    r.head.from.who = role::shop;
    if (who.next != operation::confirm) r.head.id = command_id{who.next == operation::hold ? who.hold : chance_.id()};
    const auto now = log_at(now_);
    r.head.client_deadline = who.next == operation::confirm ? log_time{} : log_time{now.value + (o_.resent_percent == 0 ? 1'000'000U : 20'000U)};
    const owner_id owner{who.owner};
    const hold_id hold{who.hold};
    static constexpr std::uint8_t reference[] = {'p', 'a', 'y'};
    switch (who.next) {
      case operation::hold:
        who.key = {key_kind::account, who.account};
        r.asked = command{hold_seats{
            owner, {&who.key, 1}, lines(who.lines.data(), who.count), static_cast<interval_ms>(chance_.between(1, 40)), 1, {}}};
        break;
      case operation::extend: r.asked = command{extend_hold{owner, hold, static_cast<interval_ms>(chance_.between(10, 60))}}; break;
      case operation::begin_payment: r.asked = command{begin_payment{owner, hold, reference, 20, {}}}; break;
      case operation::payment_failed: r.asked = command{payment_failed{owner, hold, reference}}; break;
      case operation::confirm: r.asked = command{confirm_hold{owner, hold, reference, 100, payment_kind::card}}; break;
      case operation::release: r.asked = command{release_hold{owner, hold, {}, false}}; break;
      case operation::look: break;
    }
    engine_.step({&r, 1}, now, *this);
    hear(a.who, now_ + 1'000 + chance_.below(2'000'000), log_at(now_ + chance_.below(1'000)));
  }

  void hear(std::uint32_t b, std::uint64_t at, log_time server) {
    auto& who = buyers_[b];
    const bool yes = said_.refused == refusal::none && said_.outcome != money_outcome::refund_due;
    const bool again = std::exchange(who.again, false);
    const bool unheard = !again && chance_.below(1'000) < o_.unheard_per_mille;
    history::row row;
    row.what = who.next;
    row.invoked = who.asked;
    row.hold = who.hold.lo;
    row.account = who.account.lo;
    row.again = again ? 1 : 0;
    if (!unheard) {
      row.answered = at;
      row.server = server.value;
      row.deadline = said_.granted.value != 0 ? said_.granted.value : said_.deadline.value;
      row.reason = static_cast<std::uint8_t>(said_.reason);
      row.record = said_.tells_of.value;
      row.came = yes ? outcome::yes : outcome::no;
      row.refusal = static_cast<std::uint8_t>(said_.refused);
      row.offending = static_cast<std::uint8_t>(said_.lines);
    }
    if (!again && chance_.chance(o_.resent_percent)) {
      row.resent = 1;
      if (history::may_come_late(row)) row.deadline = who.last.head.client_deadline.value;
      send_late(who, at);
    }
    std::array<history::line_item, 4> items;
    const auto n = who.next == operation::hold ? who.count : 0;
    for (std::uint32_t i = 0; i < n; ++i) items[i] = {who.lines[i].number * 2 + (who.lines[i].kind == place_kind::area ? 1U : 0U), who.lines[i].count};
    add(row, {items.data(), n}, unheard ? at + 50'000'000 : at);
    if (unheard) {
      who.alive = false;
    } else if (again) {
      go_on(who, who.yes);
    } else if (said_.refused == refusal::none && chance_.chance(o_.again_percent)) {
      who.again = true;
      who.yes = yes;
      who.asked = at + 1'000;
      return queue_.push({who.asked + 1'000 + chance_.below(2'000'000), b});
    } else {
      go_on(who, yes);
    }
    ask(b, at + chance_.below(unheard ? 50'000'000 : 3'000'000));
  }

  void send_late(const buyer& who, std::uint64_t answered) {
    auto& l = late_.emplace_back(late_copy{who.last, who.key, who.lines});
    if (auto* c = std::get_if<command>(&l.said.asked))
      if (auto* h = std::get_if<hold_seats>(c)) h->keys = {&l.key, 1}, h->lines = lines(l.lines.data(), who.count);
    // Some after their client's deadline.
    queue_.push({answered + 1'000 + chance_.below(25'000'000), 0, &l});
  }

  void go_on(buyer& who, bool yes) {
    const auto roll = chance_.below(100);
    switch (who.next) {
      case operation::hold:
        if (!yes) break;
        if (roll < 30) who.alive = false;  // walks away
        else who.next = roll < 50 ? operation::release : roll < 60 ? operation::extend : operation::begin_payment;
        break;
      case operation::extend: who.next = operation::begin_payment; break;
      case operation::begin_payment:
        if (!yes) who.alive = false;
        // Few pay, or everything would soon be sold.
        who.next = roll < 90 ? operation::payment_failed : operation::confirm;
        break;
      case operation::payment_failed:
        who.next = operation::release;
        if (roll < 40) who.alive = false;
        break;
      default: who.alive = false;
    }
  }

  void look(std::uint64_t at) {
    now_ = std::max(now_, at + 1'000);
    request r;
    r.head.from.who = role::shop;
    r.asked = core::look{look_seats{}};
    engine_.step({&r, 1}, log_at(now_), *this);
    const auto& all = std::get<seats_seen>(*shown_);
    if (all.expiries_pending) return;
    history::row row;
    row.what = operation::look;
    row.came = outcome::yes;
    row.account = o_.seats;
    row.invoked = at;
    row.answered = now_ + 1'000;
    row.server = log_at(now_).value;
    row.record = said_.tells_of.value;
    std::vector<history::line_item> items((o_.seats + 7) / 8);
    std::copy(all.states.begin(), all.states.end(), reinterpret_cast<unsigned char*>(items.data()));
    add(row, items, row.answered);
  }

  void add(const history::row& row, std::span<const history::line_item> items, std::uint64_t at) {
    order_.emplace_back(at, h_.rows.size());
    h_.add(row, items);
  }

  const crowd_options o_;
  base::random chance_;
  std::shared_ptr<const session_terms> terms_;
  engine engine_;
  std::vector<buyer> buyers_;
  std::deque<late_copy> late_;
  std::priority_queue<arrival, std::vector<arrival>, std::greater<>> queue_;
  history::history h_;
  std::vector<std::pair<std::uint64_t, std::size_t>> order_;
  std::uint64_t now_ = mono_at_opening;
  answer said_;
  std::shared_ptr<const seen> shown_;
};

}  // namespace

history::history true_history(const crowd_options& o) { return theatre(o).run(); }

}  // namespace holdfast::tests
