// Replicas and checkpoints: all sessions at once, each when it is needed, and what a checkpoint writes.
#include <algorithm>
#include <atomic>
#include <thread>

#include <fmt/format.h>

#include "base/planted.hpp"
#include "persistence/replica.hpp"

namespace holdfast::persistence {

namespace {

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

/// The snapshots of sessions; the one of session 0 comes before them, where there is one.
std::span<const snapshot_entry> replica::sessions_of(const checkpoint& c) {
  const std::span<const snapshot_entry> all(c.snapshots);
  return all.empty() || all.front().session != system_session ? all : all.subspan(1);
}

base::result<core::session> replica::read_session(const checkpoint_files& files, const checkpoint& c, const snapshot_entry& entry,
                                                  const plan_library& plans, const core::session_options& options, base::bytes& buffer) {
  base::result<core::session> read = base::error{};
  auto done = files.load_one(c, entry, buffer, [&](const snapshot_entry&, base::byte_view payload) -> base::result<void> {
    const core::session_id id{entry.session};
    auto s = load_session(id, payload, plans, options);
    if (!s) return not_whole(fmt::format("snapshot of session {}: {}", id.value, s.failure().text));
    if (s->last().value != entry.sequence)
      return not_whole(fmt::format("snapshot of session {} ends at record {}, not {}", id.value, s->last().value, entry.sequence));
    read = std::move(s);
    return {};
  });
  if (!done) return done.failure();
  return read;
}

base::result<replica> replica::load(const checkpoint_files& files, const checkpoint& c,
                                    const core::session_options& options) {
  replica r(options);
  r.at_ = c.at.block;
  const auto entries = sessions_of(c);
  base::bytes buffer;
  if (entries.size() != c.snapshots.size()) {
    auto done = files.load_one(c, c.snapshots.front(), buffer, [&](const snapshot_entry&, base::byte_view payload) { return load_plans(payload, *r.plans_); });
    if (!done) return done.failure();
  }
  // Sessions have nothing to do with each other: each is loaded by whoever is free.
  std::vector<base::result<core::session>> loaded;
  for (std::size_t i = 0; i < entries.size(); ++i) loaded.emplace_back(base::error{});
  std::atomic<std::size_t> next = 0;
  const auto load_some = [&] {
    base::bytes file;
    for (auto i = next++; i < entries.size(); i = next++) loaded[i] = read_session(files, c, entries[i], *r.plans_, options, file);
  };
  {
    // A few are not worth a thread (and simulated worlds stay in one).
    std::vector<std::jthread> helpers;
    const auto threads = entries.size() < sessions_worth_threads ? 1 : std::thread::hardware_concurrency();
    for (unsigned t = 1; t < threads; ++t) helpers.emplace_back(load_some);
    load_some();
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!loaded[i]) return loaded[i].failure();  // the first one's, whoever met his first
    r.sessions_.emplace_hint(r.sessions_.end(), entries[i].session, std::move(loaded[i]).value());
  }
  return r;
}

base::result<replica> replica::load_asleep(const checkpoint_files& files, const checkpoint& c,
                                           const core::session_options& options) {
  replica r(options);
  r.at_ = c.at.block;
  auto& all = r.asleep_.emplace(sleepers{files, {c.partition, c.at, {}}, {}}).entries;
  auto done = files.load(c, [&](const snapshot_entry& entry, base::byte_view payload) -> base::result<void> {
    if (entry.session == system_session) return load_plans(payload, *r.plans_);
    all.emplace(entry.session, entry);
    return {};
  });
  if (!done) return done.failure();
  return r;
}

base::result<void> replica::wake(std::uint64_t id) {
  const auto at = asleep_->entries.find(id);
  if (at == asleep_->entries.end()) return {};
  base::bytes file;
  auto s = read_session(asleep_->files, asleep_->newest, at->second, *plans_, options_, file);
  if (!s) return s.failure();
  sessions_.emplace(id, std::move(s).value());
  asleep_->entries.erase(at);
  return {};
}

void replica::rest(const checkpoint_files& files, const checkpoint& c) {
  if (!asleep_) asleep_.emplace(sleepers{files, {}, {}});
  asleep_->newest = {c.partition, c.at, {}};
  for (const auto& entry : sessions_of(c)) {
    if (entry.block == c.at.block.number || sessions_.erase(entry.session) == 0) continue;
    places_.erase(entry.session);
    asleep_->entries.emplace(entry.session, entry);
  }
  last_found_ = nullptr;
}

base::result<checkpoint> replica::save(checkpoint_files& files, std::uint16_t partition, const base::id128& journal,
                                       const checkpoint* before) const {
  checkpoint c{partition, {journal, at_}, {}};
  const auto reuse = [&](std::uint64_t session, std::uint64_t sequence) {
    if (before == nullptr) return false;
    const auto kept = std::ranges::lower_bound(before->snapshots, session, {}, &snapshot_entry::session);
    if (kept == before->snapshots.end() || kept->session != session) return false;
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
  if (asleep_ && !planted(bug::checkpoint_without_sleepers))
    for (const auto& [id, entry] : asleep_->entries) c.snapshots.push_back(entry);
  std::ranges::sort(c.snapshots, {}, &snapshot_entry::session);
  if (auto ok = files.write_checkpoint(c); !ok) return ok.failure();
  return c;
}

}  // namespace holdfast::persistence
