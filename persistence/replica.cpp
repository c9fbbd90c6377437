#include "persistence/replica.hpp"

#include <algorithm>
#include <atomic>
#include <span>
#include <thread>

#include <fmt/format.h>

#include "base/planted.hpp"

namespace holdfast::persistence {

namespace {

constexpr std::size_t arena_bytes = 256U << 10U;
constexpr std::size_t sessions_worth_threads = 8;

base::error not_whole(std::string what) { return {base::trouble::bad_bytes, std::move(what)}; }

/// The payload of session 0's snapshot: u64 length and bytes of each plan, in ascending order of their hashes.
base::bytes plans_payload(const plan_library& plans) {
  base::bytes out;
  base::byte_writer w(out);
  for (const auto& hash : plans.hashes()) {
    const auto kept = plans.find_stored(hash);
    w.fixed(static_cast<std::uint64_t>(kept->bytes.size()));
    w.view(kept->bytes);
  }
  return out;
}

base::result<void> load_plans(base::byte_view payload, plan_library& plans) {
  base::byte_reader in(payload);
  while (in.ok() && !in.done()) {
    const auto size = in.fixed<std::uint64_t>();
    if (size > in.left()) in.fail();
    const auto bytes = in.view(in.ok() ? static_cast<std::size_t>(size) : 0);
    if (!in.ok()) return not_whole("the plans of a checkpoint are malformed");
    if (auto ok = plans.add(bytes); !ok) return ok.failure();
  }
  return {};
}

/// The payload of a session's snapshot: 32 bytes hash of its plan, then its state.
void session_payload(const core::session& s, base::bytes& out) {
  out.clear();
  base::byte_writer w(out);
  w.view(plan_hash(*s.terms().seating));
  s.save(w);
}

base::result<core::session> load_session(core::session_id id, base::byte_view payload, const plan_library& plans,
                                         const core::session_options& options) {
  digest plan{};
  if (payload.size() < plan.size()) return not_whole("it is too short");
  std::ranges::copy(payload.first(plan.size()), plan.begin());
  auto seating = plans.find(plan);
  if (!seating) return not_whole("its plan is not in the checkpoint");
  return core::session::load(id, payload.subspan(plan.size()), std::move(seating), options);
}

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

base::result<replica> replica::load(const checkpoint_files& files, const checkpoint& c,
                                    const core::session_options& options) {
  replica r(options);
  r.at_ = c.at.block;
  std::span<const snapshot_entry> rest(c.snapshots);
  if (!rest.empty() && rest.front().session == system_session) {  // what the others need comes first
    auto done = files.load_one(c, rest.front(), [&](const snapshot_entry&, base::byte_view payload) { return load_plans(payload, *r.plans_); });
    if (!done) return done.failure();
    rest = rest.subspan(1);
  }

  // Sessions have nothing to do with each other: each is loaded by whoever is free.
  std::vector<base::result<core::session>> loaded;
  for (std::size_t i = 0; i < rest.size(); ++i) loaded.emplace_back(base::error{});
  std::atomic<std::size_t> next = 0;
  const auto load_some = [&] {
    for (auto i = next++; i < rest.size(); i = next++) {
      auto done = files.load_one(c, rest[i], [&](const snapshot_entry& entry, base::byte_view payload) -> base::result<void> {
        const core::session_id id{entry.session};
        auto s = load_session(id, payload, *r.plans_, options);
        if (!s) return not_whole(fmt::format("snapshot of session {}: {}", id.value, s.failure().text));
        if (s->last().value != entry.sequence)
          return not_whole(
              fmt::format("snapshot of session {} ends at record {}, not {}", id.value, s->last().value, entry.sequence));
        loaded[i] = std::move(s);
        return {};
      });
      if (!done) loaded[i] = done.failure();
    }
  };
  {
    // A few are not worth a thread (and simulated worlds stay in one).
    std::vector<std::jthread> helpers;
    const auto threads = rest.size() < sessions_worth_threads ? 1 : std::thread::hardware_concurrency();
    for (unsigned t = 1; t < threads; ++t) helpers.emplace_back(load_some);
    load_some();
  }
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (!loaded[i]) return loaded[i].failure();  // the first one's, whoever met his first
    r.sessions_.emplace_hint(r.sessions_.end(), rest[i].session, std::move(loaded[i]).value());
  }
  return r;
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
    if (record.sequence == plan_sequence) {
      if (auto ok = plans_->add(record.bytes); !ok) return refuse(record, ok.failure().text);
      continue;
    }
    auto& p = window_[waiting_];
    if (auto ok = decode_record(record, plans_.get(), *arena_, p.record); !ok) return refuse(record, ok.failure().text);
    p.session.value = record.session;
    p.known = find(record.session);
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

base::result<checkpoint> replica::save(checkpoint_files& files, std::uint16_t partition, const base::id128& journal,
                                       const checkpoint* before) const {
  checkpoint c{partition, {journal, at_}, {}};
  const auto reuse = [&](std::uint64_t session, std::uint64_t sequence) {
    if (before == nullptr) return false;
    const auto kept = std::ranges::find(before->snapshots, session, &snapshot_entry::session);
    if (kept == before->snapshots.end()) return false;
    if (kept->sequence != sequence && !planted(bug::checkpoint_with_an_old_snapshot)) return false;
    c.snapshots.push_back(*kept);
    return true;
  };
  const auto write = [&](std::uint64_t session, std::uint64_t sequence, base::byte_view payload) -> base::result<void> {
    auto entry = files.write_snapshot(partition, c.at, session, sequence, payload);
    if (!entry) return entry.failure();
    c.snapshots.push_back(*entry);
    return {};
  };
  // Plans are never removed, so their number tells whether there are new ones.
  const auto plans = plans_->hashes().size();
  if (!reuse(system_session, plans))
    if (auto ok = write(system_session, plans, plans_payload(*plans_)); !ok) return ok.failure();
  base::bytes payload;
  for (const auto& [id, s] : sessions_) {
    if (reuse(id, s.last().value)) continue;
    if (planted(bug::checkpoint_without_a_session) && id == sessions_.rbegin()->first) continue;
    session_payload(s, payload);
    if (auto ok = write(id, s.last().value, payload); !ok) return ok.failure();
  }
  if (auto ok = files.write_checkpoint(c); !ok) return ok.failure();
  return c;
}

}  // namespace holdfast::persistence
