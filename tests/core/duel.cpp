#include "tests/core/duel.hpp"

#include <algorithm>

#include "simulation/agreement.hpp"
#include "simulation/describe.hpp"

namespace holdfast::tests {

using namespace core;

namespace {

constexpr session_options options{};
constexpr std::uint64_t look_ticket = ~std::uint64_t{0};

base::bytes bytes_of(const session& s) {
  base::bytes b;
  base::byte_writer w(b);
  s.save(w);
  return b;
}

/// The command as a decoded record has it: owner and hold stripped where the event names the hold.
command by_number(const command& c, const event& done) {
  const bool stray = std::holds_alternative<refund_recorded>(done) && std::get<refund_recorded>(done).hold.value == 0;
  command out = c;
  if (stray) return out;
  std::visit([](auto& x) {
    if constexpr (requires { x.hold; x.owner; }) x.owner = {}, x.hold = {};
    else if constexpr (requires { x.order; }) x.owner = {}, x.order = {};
  }, out);
  return out;
}

}  // namespace

record created_record(const std::shared_ptr<const session_terms>& terms, log_time at) {
  record r;
  r.number = sequence{1};
  r.at = at;
  r.rules_version = rules_version;
  r.head.from = {role::op, 0};
  r.asked = create_session{terms};
  r.done = session_created{};
  return r;
}

duel::duel(std::shared_ptr<const session_terms> terms, log_time created)
    : terms_(std::move(terms)),
      now_(created),
      model_(*terms_),
      witness_(*terms_),
      shadow_(session::create(id, created_record(terms_, created), options)),
      engine_(session::create(id, created_record(terms_, created), options)),
      view_(terms_->seating, terms_->rules),
      places_(terms_->seating->places()) {}

void duel::on_record(const record& r) {
  if (r.at != now_) trouble_ = "a record of another time than the step's";
  if (auto t = witness_.on_record(r); !t.empty()) trouble_ = t;
  record decoded = r;
  decoded.asked = by_number(r.asked, r.done);
  shadow_.complete(decoded);
  if (text_of(decoded.asked) != text_of(r.asked)) trouble_ = "complete() made '" + text_of(decoded.asked) + "' of '" + text_of(r.asked) + "'";
  if (!std::holds_alternative<holds_expired>(r.done) && !std::holds_alternative<clear_fault>(r.asked)) {
    // What an auditor does: decide again and compare.
    const auto again = shadow_.decide(decoded.head, decoded.asked, r.at);
    if (!again.accepted || again.done.index() != r.done.index()) trouble_ = "the record is not what is decided again: " + text_of(r.asked);
  } else if (const auto* e = std::get_if<holds_expired>(&r.done); e != nullptr && !shadow_.may_expire(e->holds, r.at)) {
    trouble_ = "expired what may not expire";
  }
  shadow_.apply(decoded);
}

void duel::on_view_change(const view_change& c) { view_.apply({&c, 1}, witness_.last()); }

void duel::on_answer(std::uint64_t ticket, const answer& said, std::shared_ptr<const seen> shown) {
  if (ticket == look_ticket) {
    look_said_ = said;
    shown_ = std::move(shown);
    return;
  }
  if (ticket != said_.size()) trouble_ = "answers come in another order than the questions";
  said_.push_back(said);
  if (ticket < asked_.size())
    if (auto t = witness_.judge(asked_[ticket], said); !t.empty())
      trouble_ = text_of(asked_[ticket].what) + "\n  answered " + text_of(said) + "\n  " + t;
}

std::optional<std::string> duel::play(const happening& h) {
  now_ = h.now;
  said_.clear();
  asked_.clear();
  if (h.what == happening::kind::step) return play_step(h);

  std::optional<log_time> fault;
  if (h.what == happening::kind::fault) {
    // What is due at that moment is expired before, so that both stand at the same place.
    if (auto t = play_step({happening::kind::step, h.now, {}})) return t;
    if (auto t = drain()) return t;
    model_.expire(h.now);
    if (model_.see_session().faulted) return std::nullopt;  // it writes nothing, so nothing more can go wrong: its clock stands since the first
    model_.fault(h.now);
    fault = h.now;
  } else if (model_.see_session().faulted) {
    return std::nullopt;  // a restart does not heal
  }
  const auto bytes = bytes_of(engine_.state());
  auto loaded = session::load(id, bytes, terms_->seating, options);
  if (!loaded) return "a saved session does not load: " + loaded.failure().text;
  if (bytes_of(*loaded) != bytes) return "saved, loaded and saved again gives other bytes";
  engine_ = core::engine(std::move(loaded).value(), fault);
  return std::nullopt;
}

std::optional<std::string> duel::play_step(const happening& h) {
  {
    batch_arena arena;
    std::vector<request> requests;
    for (std::size_t i = 0; i < h.batch.size(); ++i) {
      asked_.push_back(h.batch[i]);
      const auto a = deep_copy(h.batch[i], arena);
      requests.push_back({i, a.head, a.what});
    }
    engine_.step(requests, h.now, *this);
  }
  if (!trouble_.empty()) return trouble_;
  if (said_.size() != h.batch.size()) return "not every command got an answer";

  model_.expire(h.now);
  for (std::size_t i = 0; i < h.batch.size(); ++i) {
    const auto& a = h.batch[i];
    // The only answer that tells that holds are left to expire; the model leaves none.
    if (said_[i].refused == refusal::busy && std::holds_alternative<shift_deadlines>(a.what) && a.head.from.who == role::op) continue;
    const auto second = model_.decide(a.head, a.what, h.now);
    if (!same_body(said_[i], second))
      return "at " + std::to_string(h.now.value) + " command " + std::to_string(i) + " of the batch\n  " + text_of(a.head) + "\n  " +
             text_of(a.what) + "\n  engine " + text_of(said_[i]) + "\n  model  " + text_of(second);
  }
  if (auto c = model_.contradiction(); !c.empty()) return "the model contradicts itself: " + c;
  auto t = conservation();
  model_.expire(h.now);  // as the look's step did
  return t;
}

std::shared_ptr<const seen> duel::look(const core::look& l, answer* said) {
  request r;
  r.ticket = look_ticket;
  r.head.from = {role::op, 0};
  r.asked = l;
  shown_.reset();
  engine_.step({&r, 1}, now_, *this);
  if (said != nullptr) *said = look_said_;
  return shown_;
}

std::optional<std::string> duel::conservation() {
  const auto shown = look(look_session{});
  if (!shown) return "look_session was refused";
  const auto& n = std::get<session_seen>(*shown).places;
  if (n.free + n.held + n.paying + n.sold + n.blocked != places_) return "places are not conserved";
  if (n.withdrawn > n.held + n.paying + n.sold) return "more places are withdrawn than occupied";
  if (look_said_.waits_for != last()) return "a whole-session look does not wait for the last record";
  return std::nullopt;
}

std::optional<std::string> duel::drain() {
  for (int i = 0; i < 10'000; ++i) {
    const auto next = engine_.next_deadline();
    if (!next || *next > now_) return std::nullopt;
    said_.clear();
    engine_.step({}, now_, *this);
    if (!trouble_.empty()) return trouble_;
  }
  return "due holds are left over for ever";
}

std::optional<std::string> duel::compare_state(const std::deque<asked>& recent, const std::vector<owner_id>& owners) {
  model_.expire(now_);
  if (auto t = drain()) return t;
  const auto deadline = engine_.next_deadline();
  if ((deadline ? deadline->value : 0) != model_.next_deadline().value_or(0)) return "engine and model wait for different deadlines";
  const looker ask = [this](const core::look& l, answer* said) { return look(l, said); };
  if (auto t = compare_places(ask, model_)) return t;
  if (auto t = compare_holds(ask, model_)) return t;
  if (auto t = compare_view()) return t;
  return compare_memory(ask, model_, recent, owners);
}

std::optional<std::string> duel::compare_view() {
  sale_view fresh(terms_->seating, terms_->rules);
  std::vector<view_change> changes;
  engine_.state().describe_view(changes);
  fresh.apply(changes, last());

  return simulation::compare_view(view_, fresh, model_);
}

std::optional<std::string> duel::compare_bytes() {
  engine_.state().verify();
  const auto live = bytes_of(engine_.state());
  if (live != bytes_of(shadow_)) return "the replayed state has other bytes than the live one";
  auto loaded = session::load(id, live, terms_->seating, options);
  if (!loaded) return "a saved session does not load: " + loaded.failure().text;
  if (bytes_of(*loaded) != live) return "the loaded state has other bytes than the live one";
  return std::nullopt;
}

}  // namespace holdfast::tests
