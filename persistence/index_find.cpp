#include "persistence/index_find.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <memory_resource>
#include <tuple>

#include <fmt/format.h>
#include <rocksdb/db.h>

#include "persistence/index_story.hpp"
#include "persistence/record_codec.hpp"

namespace holdfast::persistence {

namespace {

using namespace index_bytes;

/// Candidates followed at a time: enough of them share blocks, so that a block is read once for all.
constexpr std::size_t candidates_at_a_time = 128;
constexpr record_position the_end{std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<std::uint32_t>::max()};

record_position after(record_position p) { return {p.block, p.record + 1}; }

class postings {
 public:
  postings(rocksdb::DB& db, std::span<const posting> gathered)
      : at_(db.NewIterator(rocksdb::ReadOptions())), gathered_(gathered) {}

  /// Under one subject, from `from` on and before `end`, in order.
  base::result<std::vector<record_position>> list(const subject& of, record_position from, record_position end,
                                                  std::size_t most = std::numeric_limits<std::size_t>::max()) {
    std::vector<record_position> all;
    seek({of, from}, false);
    for (posting p; all.size() < most && read(of, p) && p.at < end; at_->Next()) all.push_back(p.at);
    if (auto ok = health(); !ok) return ok.failure();
    for (auto p = std::ranges::lower_bound(gathered_, posting{of, from});
         p != gathered_.end() && all.size() < most && p->of == of && p->at < end; ++p)
      all.push_back(p->at);
    return all;
  }
  /// The last under one subject that is not after `at`.
  base::result<std::optional<record_position>> last(const subject& of, record_position at) {
    const auto beyond = std::ranges::upper_bound(gathered_, posting{of, at});
    if (beyond != gathered_.begin() && (beyond - 1)->of == of) return std::optional((beyond - 1)->at);
    seek({of, at}, true);
    posting p;
    const bool found = read(of, p);
    if (auto ok = health(); !ok) return ok.failure();
    return found ? std::optional(p.at) : std::nullopt;
  }

 private:
  void seek(const posting& p, bool backwards) {
    const posting_key key(p);
    const rocksdb::Slice to(key.text());
    if (backwards) at_->SeekForPrev(to);
    else at_->Seek(to);
  }
  bool read(const subject& of, posting& p) const {
    return at_->Valid() && decode({at_->key().data(), at_->key().size()}, p) && p.of == of;
  }
  [[nodiscard]] base::result<void> health() const {
    const auto s = at_->status();
    if (s.ok()) return {};
    return base::error{s.IsCorruption() ? base::trouble::corrupt : base::trouble::io, "index: read: " + s.ToString()};
  }
  std::unique_ptr<rocksdb::Iterator> at_;
  std::span<const posting> gathered_;  ///< younger than all that is in the database
};

/// Records that were asked for, copied from their blocks.
class records {
 public:
  explicit records(const journal& j) : journal_(j) {}

  void want(record_position p) { kept_.try_emplace(p); }
  /// Reads whatever was wanted since the last time, each block once.
  base::result<void> read() {
    for (auto at = kept_.begin(); at != kept_.end();) {
      if (!at->second.bytes.empty()) {
        ++at;
        continue;
      }
      const auto number = at->first.block;
      auto done = journal_.scan(number, number, [&](const block_view& block) -> base::result<bool> {
        std::uint32_t n = 0;
        for (const auto& r : block) {
          if (at == kept_.end() || at->first.block != number) break;
          if (at->first.record == n++) (at++)->second.keep(r);
        }
        return true;
      });
      if (!done) return done;
      if (at != kept_.end() && at->first.block == number)
        return base::error{base::trouble::corrupt,
                           fmt::format("index: block {} has no record {}", number, at->first.record)};
    }
    return {};
  }
  /// One that was read; valid as long as this object.
  base::result<core::record> decode(record_position p) { return decode_record(kept_.at(p).ref(), nullptr, arena_); }
  [[nodiscard]] core::session_id session(record_position p) const { return core::session_id{kept_.at(p).session}; }

 private:
  struct kept {
    std::uint64_t session = 0, sequence = 0, log_time = 0;
    base::bytes bytes;
    void keep(const record_ref& r) {
      session = r.session;
      sequence = r.sequence;
      log_time = r.log_time;
      bytes.assign(r.bytes.begin(), r.bytes.end());
    }
    [[nodiscard]] record_ref ref() const { return {session, sequence, log_time, bytes}; }
  };
  const journal& journal_;
  std::map<record_position, kept> kept_;
  std::pmr::monotonic_buffer_resource arena_{64U << 10U};
};

/// One that a query named, and the hold that it belongs to.
struct lead {
  record_position found;
  record_position origin;  ///< of a settlement the refund's record, else `found`
  record_position root;    ///< where the hold was placed, or the refund of an unknown one recorded
  hold_story story;
  std::vector<record_position> rest;
};

/// Some candidates of one query, brought on together: what each step needs of the journal is read before the next.
class search {
 public:
  search(postings& p, const journal& j, const index_query& q) : postings_(p), records_(j), query_(q) {}

  base::result<void> run(const std::vector<record_position>& candidates, std::vector<index_row>& out) {
    if (auto ok = keep_those_named(candidates); !ok) return ok;
    if (auto ok = go_to_roots(); !ok) return ok;
    if (auto ok = tell(); !ok) return ok;
    if (auto ok = tell_settlements(); !ok) return ok;
    const auto* basket = std::get_if<by_basket>(&query_);
    const bool alone = std::holds_alternative<by_reference>(query_);
    for (auto& l : leads_)
      for (auto& t : l.story.rows()) {
        if (alone && t.at != l.found) continue;
        if (basket != nullptr && t.row.basket != basket->basket) continue;
        out.push_back(std::move(t.row));
      }
    return {};
  }

 private:
  base::result<void> keep_those_named(const std::vector<record_position>& candidates) {
    for (const auto& c : candidates) records_.want(c);
    if (auto ok = records_.read(); !ok) return ok;
    for (const auto& c : candidates) {
      const auto r = records_.decode(c);
      if (!r) return r.failure();
      if (!names(query_, *r)) continue;  // another one with the same hash
      lead l{c, c, c, hold_story(records_.session(c)), {}};
      if (const auto* settled = std::get_if<core::settle_refund>(&r->asked)) {
        const auto of = postings_.list(of_refund(l.story.session(), settled->number), {}, c, 1);
        if (!of) return of.failure();
        if (of->empty()) return lost("refund", settled->number.value, c);
        l.origin = of->front();
        records_.want(l.origin);
      }
      leads_.push_back(std::move(l));
    }
    return records_.read();
  }

  base::result<void> go_to_roots() {
    for (auto& l : leads_) {
      const auto r = records_.decode(l.origin);
      if (!r) return r.failure();
      const auto hold = core::subject_of(r->done);
      l.root = l.origin;
      if (hold.value == 0) continue;
      // The number may have been given out before and after: the hold is the newest one placed by then.
      const auto placed = of_hold(table::placed, l.story.session(), hold);
      const auto root = postings_.last(placed, l.origin);
      if (!root) return root.failure();
      if (!*root) return lost("hold", hold.value, l.origin);
      l.root = **root;
      const auto next = postings_.list(placed, after(l.root), the_end, 1);
      if (!next) return next.failure();
      auto rest = postings_.list(of_hold(table::on_hold, l.story.session(), hold), after(l.root),
                                 next->empty() ? the_end : next->front());
      if (!rest) return rest.failure();
      l.rest = std::move(*rest);
    }
    return {};
  }

  base::result<void> tell() {
    for (const auto& l : leads_) {
      records_.want(l.root);
      for (const auto& p : l.rest) records_.want(p);
    }
    if (auto ok = records_.read(); !ok) return ok;
    for (auto& l : leads_) {
      const auto add = [&](record_position p) -> base::result<void> {
        const auto r = records_.decode(p);
        if (!r) return r.failure();
        return l.story.add(p, *r);
      };
      if (auto ok = add(l.root); !ok) return ok;
      for (const auto& p : l.rest)
        if (auto ok = add(p); !ok) return ok;
    }
    return {};
  }

  base::result<void> tell_settlements() {
    for (auto& l : leads_) {
      l.rest.clear();
      for (const auto n : l.story.refunds()) {
        // The first posting is the refund's own record.
        const auto all = postings_.list(of_refund(l.story.session(), n), {}, the_end);
        if (!all) return all.failure();
        for (std::size_t i = 1; i < all->size(); ++i) l.rest.push_back((*all)[i]);
      }
      for (const auto& p : l.rest) records_.want(p);
    }
    if (auto ok = records_.read(); !ok) return ok;
    for (auto& l : leads_)
      for (const auto& p : l.rest) {
        const auto r = records_.decode(p);
        if (!r) return r.failure();
        if (auto ok = l.story.add_settlement(p, *r); !ok) return ok;
      }
    return {};
  }

  static base::error lost(const char* what, std::uint32_t number, record_position at) {
    return {base::trouble::corrupt, fmt::format("index: {} {}, named by record {} of block {}, is not in it", what, number,
                                                at.record, at.block)};
  }

  postings& postings_;
  records records_;
  const index_query& query_;
  std::vector<lead> leads_;
};

}  // namespace

base::result<journal_index::found> find_in(rocksdb::DB& db, std::span<const posting> gathered, const journal& j,
                                           const index_query& q, std::size_t most, record_position from) {
  postings all(db, gathered);
  const auto named = of_query(q);
  journal_index::found f;
  for (bool more = true; more && f.rows.size() < most;) {
    // One more than is followed, to know where the next begins.
    const auto at_a_time = std::min(most - f.rows.size(), candidates_at_a_time);
    auto candidates = all.list(named, from, the_end, at_a_time + 1);
    if (!candidates) return candidates.failure();
    more = candidates->size() > at_a_time;
    f.next.reset();
    if (more) {
      f.next = from = candidates->back();
      candidates->pop_back();
    }
    if (auto ok = search(all, j, q).run(*candidates, f.rows); !ok) return ok.failure();
  }
  const auto order = [](const index_row& r) { return std::tuple(r.session, r.number, r.hold); };
  std::ranges::sort(f.rows, {}, order);
  return f;
}

}  // namespace holdfast::persistence
