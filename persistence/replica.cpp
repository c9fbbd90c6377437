#include "persistence/replica.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.hpp"

namespace holdfast::persistence {

namespace {

constexpr std::size_t arena_bytes = 256U << 10U;

}  // namespace

digest session_digest(const core::session& s) {
  base::bytes state;
  base::byte_writer w(state);
  s.save(w);
  return sha256().of(state);
}

replica::replica(const core::session_options& options)
    : options_(options),
      plans_(std::make_shared<plan_library>()),
      arena_(std::make_unique<std::pmr::monotonic_buffer_resource>(arena_bytes)) {
  window_.resize(window);
}

replica::place* replica::find(std::uint64_t id) {
  if (id == last_id_ && last_found_ != nullptr) return last_found_;
  const auto session = sessions_.find(id);
  if (session == sessions_.end()) return nullptr;
  auto& p = places_[id];
  p.session = &session->second;
  last_id_ = id;
  return last_found_ = &p;
}

base::result<void> replica::apply(const block_view& block) {
  const auto refuse = [&](const record_ref& record, const std::string& why) {
    return base::error{base::trouble::corrupt, fmt::format("block {}, session {}, record {}: {}", block.header.number,
                                                           record.session, record.sequence, why)};
  };
  for (const auto& record : block) {
    if (record.session == system_session) continue;
    if (record.sequence == plan_sequence) {  // each part has to know it before the records after it
      if (auto ok = plans_->add(record.bytes); !ok) return refuse(record, ok.failure().text);
      continue;
    }
    if (record.session % parts_ != part_) continue;
    auto& p = window_[waiting_];
    if (auto ok = decode_record(record, plans_.get(), *arena_, p.record); !ok) return refuse(record, ok.failure().text);
    p.session.value = record.session;
    p.known = find(record.session);
    if (p.known == nullptr && asleep_) {
      if (auto ok = wake(record.session); !ok) return ok;
      p.known = find(record.session);
    }
    if (++waiting_ == window)
      if (auto ok = apply_window(block.header.number); !ok) return ok;
  }
  if (auto ok = apply_window(block.header.number); !ok) return ok;
  at_ = block.mark();
  return {};
}

/// Asks for all memory that the window will need before any of it is needed: most of a replay is waiting for memory,
/// and waits for independent things pass at the same time. Changes nothing but that commands by number get their names
/// early.
void replica::prefetch_window() {
  // A hold number that is given out in this window means another hold before and after: such records wait for their
  // turn.
  std::uint64_t given_out = 0;
  for (std::size_t i = 0; i < waiting_; ++i) {
    auto& p = window_[i];
    p.by_number = false;
    if (p.known == nullptr) continue;
    const auto hold = hold_of(p.record.done);
    if (std::holds_alternative<core::hold_placed>(p.record.done)) {
      given_out |= std::uint64_t{1} << hold.value % 64;
      p.known->session->look_ahead(p.record.head, p.record.asked, p.ahead);
    } else if (hold.value != 0 && hold.value <= p.known->holds && (given_out >> hold.value % 64 & 1U) == 0) {
      p.by_number = p.known->session->state_of(hold) != core::hold_state::none;
    }
  }
  for (std::size_t i = 0; i < waiting_; ++i) {
    auto& p = window_[i];
    if (!p.by_number) continue;
    p.known->session->complete(p.record);
    p.known->session->look_ahead(p.record.head, p.record.asked, p.ahead);
  }
  const auto each_ahead = [this](auto&& fetch) {
    for (std::size_t i = 0; i < waiting_; ++i)
      if (auto& p = window_[i]; p.known != nullptr && (p.by_number || std::holds_alternative<core::hold_placed>(p.record.done)))
        fetch(*p.known->session, p, i);
  };
  each_ahead([](const core::session& s, const pending& p, std::size_t i) { s.fetch_entries(p.record.asked, p.ahead, i); });
  each_ahead([](const core::session& s, const pending& p, std::size_t) { s.fetch_holds(p.record.asked, p.ahead); });
  each_ahead([](const core::session& s, const pending& p, std::size_t) { s.fetch_parts(p.record.asked, p.ahead); });
}

base::result<void> replica::apply_window(std::uint64_t block) {
  prefetch_window();
  for (std::size_t i = 0; i < waiting_; ++i) {
    auto& p = window_[i];
    auto* known = p.known != nullptr ? p.known : find(p.session.value);
    const auto expected = known == nullptr ? 1 : known->session->last().value + 1;
    const bool creates = std::holds_alternative<core::create_session>(p.record.asked);
    if (p.record.number.value != expected || creates != (known == nullptr))
      return base::error{base::trouble::corrupt,
                         fmt::format("block {}, session {}: record {} comes where record {} belongs", block,
                                     p.session.value, p.record.number.value, expected)};
    if (creates) {
      const auto& terms = *std::get<core::create_session>(p.record.asked).terms;
      if (auto ok = core::check_policy(terms.rules); !ok)
        return base::error{base::trouble::corrupt,
                           fmt::format("block {}, session {}: {}", block, p.session.value, ok.failure().text)};
      sessions_.emplace(p.session.value, core::session::create(p.session, p.record, options_));
      continue;
    }
    if (!p.by_number) known->session->complete(p.record);
    known->session->apply(p.record);
    if (const auto* placed = std::get_if<core::hold_placed>(&p.record.done))
      known->holds = std::max(known->holds, placed->hold.value);
  }
  records_ += waiting_;
  waiting_ = 0;
  arena_->release();
  return {};
}

std::vector<replica> replica::split(replica whole, std::size_t n) {
  HOLDFAST_CHECK(!whole.asleep_ && whole.parts_ == 1, "who sleeps or is shared out is not shared out");
  std::vector<replica> parts;
  for (std::size_t i = 0; i < n; ++i) {
    auto& part = parts.emplace_back(whole.options_);
    part.plans_ = whole.plans_;
    part.at_ = whole.at_;
    part.part_ = i;
    part.parts_ = n;
  }
  parts.front().records_ = whole.records_;
  while (!whole.sessions_.empty()) {
    auto node = whole.sessions_.extract(whole.sessions_.begin());
    auto& own = parts[node.key() % n].sessions_;
    own.insert(own.end(), std::move(node));
  }
  return parts;
}

replica replica::join(std::vector<replica> parts) {
  replica whole(parts.front().options_);
  whole.plans_ = parts.front().plans_;
  whole.at_ = parts.front().at_;
  for (auto& part : parts) {
    HOLDFAST_CHECK(part.at_ == whole.at_, "parts of one replica stand at different blocks");
    whole.records_ += part.records_;
    whole.sessions_.merge(part.sessions_);
  }
  return whole;
}

}  // namespace holdfast::persistence
