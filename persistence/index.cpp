#include "persistence/index.hpp"

#include <algorithm>
#include <atomic>
#include <memory_resource>
#include <unordered_map>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include "persistence/files.hpp"
#include "persistence/index_row.hpp"
#include "persistence/record_codec.hpp"

namespace holdfast::persistence {

namespace {

using namespace index_bytes;

/// While the index catches up, blocks are gathered until their rows have so many bytes.
constexpr std::size_t batch_bytes = 4U << 20U;
/// Holds kept in memory, so that a confirm soon after its hold reads nothing.
constexpr std::size_t cached_holds_max = 200'000;

base::byte_view bytes_of(const rocksdb::Slice& s) { return base::as_bytes(std::string_view(s.data(), s.size())); }
base::error trouble_of(const rocksdb::Status& s, const char* what) {
  const auto kind = s.IsCorruption() ? base::trouble::corrupt : s.IsBusy() ? base::trouble::busy : base::trouble::io;
  return {kind, fmt::format("index: {}: {}", what, s.ToString())};
}

rocksdb::Options db_options() {
  rocksdb::Options o;
  o.create_if_missing = true;
  o.write_buffer_size = 32U << 20U;
  o.max_write_buffer_number = 3;
  o.max_background_jobs = 2;
  o.keep_log_file_num = 2;
  o.info_log_level = rocksdb::ERROR_LEVEL;
  o.compression = rocksdb::kNoCompression;  // most of it is random ids
  o.avoid_flush_during_shutdown = false;
  return o;
}

/// Lost work is done again, so nothing of this needs a log. Memtables are flushed in the order of writing: after a
/// crash the position never says more than the rows that are there.
rocksdb::WriteOptions no_log() {
  rocksdb::WriteOptions w;
  w.disableWAL = true;
  return w;
}

}  // namespace

struct journal_index::state {
  std::filesystem::path directory;
  base::id128 journal;
  std::string rebuilt;
  std::unique_ptr<rocksdb::DB> db;
  std::atomic<std::uint64_t> position{0};  ///< written
  block_mark at;                           ///< in the batch
  // A batch holds whole blocks, so that after a crash no block is applied to its own result.
  rocksdb::WriteBatch batch;
  // By key; whatever the batch has not written yet is in here too.
  std::unordered_map<std::string, hold_entry> holds;
  std::unordered_map<std::string, refund_entry> refunds;
  std::pmr::monotonic_buffer_resource arena{64U << 10U};

  base::result<void> open_db();
  base::result<bool> read_position();
  base::result<void> begin_anew(std::string why);
  base::result<void> add_block(const block_view& block);
  base::result<void> write_batch();

  base::result<hold_entry*> hold(core::session_id s, core::hold_no n);
  base::result<void> add_record(const record_ref& framed);
  base::result<void> add_on_hold(index_row row, const core::record& r);
  void put(const index_row& row);
};

base::result<void> journal_index::state::open_db() {
  rocksdb::DB* raw = nullptr;
  const auto s = rocksdb::DB::Open(db_options(), directory.string(), &raw);
  if (!s.ok()) return trouble_of(s, "open");
  db.reset(raw);
  return {};
}

/// False: what is there is not of this journal or format.
base::result<bool> journal_index::state::read_position() {
  std::string value;
  const std::string key(1, static_cast<char>(table::meta));
  const auto s = db->Get(rocksdb::ReadOptions(), key, &value);
  if (s.IsNotFound()) {
    // Never anything but empty: the position is written together with the first rows.
    const std::unique_ptr<rocksdb::Iterator> any(db->NewIterator(rocksdb::ReadOptions()));
    any->SeekToFirst();
    return !any->Valid();
  }
  if (!s.ok()) return trouble_of(s, "read");
  base::byte_reader in(base::as_bytes(value));
  if (in.fixed<std::uint16_t>() != format_version || in.id() != journal) return false;
  const auto number = in.fixed<std::uint64_t>();
  const auto last = in.view(sizeof(digest));
  if (!in.done()) return false;
  at.number = number;
  std::ranges::copy(last, at.hash.begin());
  position = number;
  return true;
}

base::result<void> journal_index::state::begin_anew(std::string why) {
  db.reset();
  batch.Clear();
  holds.clear();
  refunds.clear();
  position = 0;
  at = {};
  rebuilt = std::move(why);
  // Not DestroyDB: it needs a manifest that it can read.
  std::error_code ec;
  std::filesystem::remove_all(directory, ec);
  if (ec)
    return base::error{base::trouble::io, fmt::format("index: cannot remove {}: {}", directory.string(), ec.message())};
  if (auto ok = make_directory(directory); !ok) return ok;
  return open_db();
}

base::result<std::unique_ptr<journal_index>> journal_index::open(const std::filesystem::path& directory,
                                                                 const base::id128& journal) {
  auto s = std::make_unique<state>();
  s->directory = directory;
  s->journal = journal;
  if (auto ok = make_directory(directory); !ok) return ok.failure();
  auto opened = s->open_db();
  auto fits = opened ? s->read_position() : base::result<bool>(opened.failure());
  if (!fits && fits.failure().kind != base::trouble::corrupt) return fits.failure();
  if (!fits || !*fits) {
    auto ok = s->begin_anew(!fits ? fits.failure().text : "it belonged to another journal or format");
    if (!ok) return ok.failure();
  }
  return std::unique_ptr<journal_index>(new journal_index(std::move(s)));
}

journal_index::journal_index(std::unique_ptr<state> s) : state_(std::move(s)) {}
journal_index::~journal_index() = default;

const std::string& journal_index::rebuilt() const { return state_->rebuilt; }
std::uint64_t journal_index::position() const { return state_->position.load(); }

base::result<void> journal_index::state::write_batch() {
  if (at.number == position) return {};
  base::bytes b;
  base::byte_writer w(b);
  w.fixed(format_version);
  w.id(journal);
  w.fixed(at.number);
  w.view(at.hash);
  batch.Put(std::string(1, static_cast<char>(table::meta)), std::string(base::as_text(b)));
  const auto s = db->Write(no_log(), &batch);
  batch.Clear();
  refunds.clear();
  if (holds.size() > cached_holds_max) holds.clear();
  if (!s.ok()) return trouble_of(s, "write");
  position = at.number;
  return {};
}

base::result<void> journal_index::state::add_block(const block_view& block) {
  if (at.number != 0 && (block.header.number != at.number + 1 || block.header.previous != at.hash))
    return base::error{base::trouble::corrupt,
                       fmt::format("index: block {} does not continue block {}", block.header.number, at.number)};
  for (const auto& record : block) {
    if (record.session == system_session || record.sequence == plan_sequence) continue;
    arena.release();
    if (auto ok = add_record(record); !ok)
      return base::error{ok.failure().kind,
                         fmt::format("index: block {}, session {}, record {}: {}", block.header.number, record.session,
                                     record.sequence, ok.failure().text)};
  }
  at = block.mark();
  if (batch.GetDataSize() < batch_bytes) return {};
  return write_batch();
}

base::result<void> journal_index::add(const block_view& block) {
  if (auto ok = state_->add_block(block); !ok) return ok;
  return state_->write_batch();
}

base::result<bool> journal_index::catch_up(const journal& j, std::uint64_t durable, std::uint64_t blocks_max) {
  auto& s = *state_;
  if (s.at.number > durable)
    if (auto ok = s.begin_anew("it was ahead of the journal"); !ok) return ok.failure();
  const auto began = s.at.number;
  const auto from = began == 0 ? j.first_block() : began + 1;
  const auto to = std::min(durable, from + blocks_max - 1);
  if (from > to) return false;
  auto done = j.scan(from, to, [&](const block_view& block) -> base::result<bool> {
    if (auto ok = s.add_block(block); !ok) return ok.failure();
    return true;
  });
  if (done) done = s.write_batch();
  if (done) return to < durable;
  if (done.failure().kind != base::trouble::corrupt || s.at.number != began || began == 0) return done.failure();
  // The very first block did not fit: another history of the same journal, as after a restore of the data directory.
  if (auto ok = s.begin_anew(done.failure().text); !ok) return ok.failure();
  return true;
}

base::result<hold_entry*> journal_index::state::hold(core::session_id session, core::hold_no n) {
  const auto key = hold_key(session, n);
  if (const auto kept = holds.find(key); kept != holds.end()) return &kept->second;
  std::string value;
  const auto s = db->Get(rocksdb::ReadOptions(), key, &value);
  if (!s.ok() && !s.IsNotFound()) return trouble_of(s, "read");
  hold_entry e;
  if (!s.ok() || !decode(base::as_bytes(value), e))
    return base::error{base::trouble::corrupt, fmt::format("hold {} is not in the index", n.value)};
  return &holds.insert_or_assign(key, std::move(e)).first->second;
}

void journal_index::state::put(const index_row& row) {
  const auto value = encode(row);
  const auto under = [&](const index_query& q) {
    auto key = prefix(q);
    append_row_key(key, row.session, row.number, row.hold);
    batch.Put(key, value);
  };
  if (!row.owner.value.zero()) under(by_owner{row.owner});
  if (!row.reference.empty()) under(by_reference{row.reference});
  if (!row.basket.value.zero()) under(by_basket{row.basket});
  if (!row.hold_id.value.zero()) under(by_hold{row.hold_id});
  for (const auto& l : row.lines) under(by_place{row.session, l.kind, l.number});
}

base::result<void> journal_index::state::add_record(const record_ref& framed) {
  auto decoded = decode_record(framed, nullptr, arena);
  if (!decoded) return decoded.failure();
  const auto& r = *decoded;
  index_row row;
  row.session.value = framed.session;
  row.number = r.number;
  row.at = r.at;
  row.event = static_cast<std::uint8_t>(r.done.index());
  row.from = r.head.from;
  row.channel = r.head.channel;
  row.command = r.head.id;
  row.note.assign(r.head.note.begin(), r.head.note.end());

  if (const auto* e = std::get_if<core::holds_expired>(&r.done)) {
    for (const auto n : e->holds) {
      auto h = hold(row.session, n);
      if (!h) return h.failure();
      auto one = row;
      one.hold = n;
      one.owner = (*h)->owner;
      one.hold_id = (*h)->id;
      one.basket = (*h)->basket;
      one.lines = (*h)->lines;
      put(one);
    }
    return {};
  }
  if (const auto* c = std::get_if<core::settle_refund>(&r.asked)) {
    const auto key = refund_key(row.session, c->number);
    refund_entry e;
    if (const auto kept = refunds.find(key); kept != refunds.end()) {
      e = kept->second;
    } else {
      std::string value;
      const auto s = db->Get(rocksdb::ReadOptions(), key, &value);
      if (!s.ok() && !s.IsNotFound()) return trouble_of(s, "read");
      if (!s.ok() || !decode(base::as_bytes(value), e))
        return base::error{base::trouble::corrupt, fmt::format("refund {} is not in the index", c->number.value)};
    }
    row.hold = e.hold;
    row.owner = e.owner;
    row.hold_id = e.id;
    row.refund = c->number;
    row.reference.assign(c->reference.begin(), c->reference.end());
    put(row);
    return {};
  }
  const auto seats_of = [&](core::ranges ranges) {
    for (const auto& range : ranges) {
      for (std::uint64_t n = range.first; n <= range.last; ++n)
        row.lines.push_back({range.kind, static_cast<std::uint32_t>(n), std::max(range.count, 1U), 0});
    }
  };
  // A range may name many seats, so each gets a row that names itself alone.
  const auto put_each = [&] {
    const auto lines = std::move(row.lines);
    for (const auto& l : lines) {
      row.lines.assign(1, l);
      put(row);
    }
  };
  if (const auto* b = std::get_if<core::block_places>(&r.asked)) {
    seats_of(b->ranges);
    put_each();
  } else if (const auto* u = std::get_if<core::unblock_places>(&r.asked)) {
    seats_of(u->ranges);
    put_each();
  } else if (const auto* a = std::get_if<core::allocate_places>(&r.asked)) {
    seats_of(a->ranges);
    put_each();
  } else {
    row.hold = hold_of(r.done);
    return add_on_hold(std::move(row), r);
  }
  return {};
}

base::result<void> journal_index::state::add_on_hold(index_row row, const core::record& r) {
  if (const auto* c = std::get_if<core::hold_seats>(&r.asked)) {
    hold_entry e{c->owner, r.head.id, c->basket, {c->lines.begin(), c->lines.end()}};
    row.owner = e.owner;
    row.hold_id = e.id;
    row.basket = e.basket;
    row.lines = e.lines;
    const auto key = hold_key(row.session, row.hold);
    batch.Put(key, encode(e));
    holds.insert_or_assign(key, std::move(e));
    put(row);
    return {};
  }
  hold_entry* h = nullptr;
  if (row.hold.value != 0) {
    auto found = hold(row.session, row.hold);
    if (!found) return found.failure();
    h = *found;
    row.owner = h->owner;
    row.hold_id = h->id;
    row.basket = h->basket;
  }
  const auto keep = [&] { batch.Put(hold_key(row.session, row.hold), encode(*h)); };
  const auto drop = [&](core::lines lines) {
    for (const auto& l : lines)
      for (auto& k : h->lines)
        if (k.kind == l.kind && k.number == l.number && k.price == l.price) k.count -= std::min(k.count, l.count);
    std::erase_if(h->lines, [](const auto& k) { return k.count == 0; });
  };
  if (const auto* change = std::get_if<core::change_hold>(&r.asked)) {
    drop(change->drop);
    h->lines.insert(h->lines.end(), change->add.begin(), change->add.end());
    row.lines.assign(change->drop.begin(), change->drop.end());
    row.lines.insert(row.lines.end(), change->add.begin(), change->add.end());
    keep();
  } else if (const auto* begin = std::get_if<core::begin_payment>(&r.asked)) {
    row.reference.assign(begin->attempt.begin(), begin->attempt.end());
  } else if (const auto* failed = std::get_if<core::payment_failed>(&r.asked)) {
    row.reference.assign(failed->attempt.begin(), failed->attempt.end());
  } else if (const auto* confirm = std::get_if<core::confirm_hold>(&r.asked)) {
    row.amount = confirm->amount;
    row.reference.assign(confirm->payment.begin(), confirm->payment.end());
    if (const auto* sold = std::get_if<core::hold_confirmed>(&r.done)) {
      row.late = sold->late;
      row.lines = h->lines;
    } else if (const auto* refund = std::get_if<core::refund_recorded>(&r.done)) {
      row.refund = refund->number;
      row.reason = refund->reason;
      if (h == nullptr) {
        row.owner = confirm->owner;
        row.hold_id = confirm->hold;
      }
    }
  } else if (const auto* release = std::get_if<core::release_hold>(&r.asked)) {
    row.lines =
        release->lines.empty() ? h->lines : std::vector<core::line>(release->lines.begin(), release->lines.end());
    if (!release->lines.empty()) {
      drop(release->lines);
      keep();
    }
  } else if (const auto* cancel = std::get_if<core::cancel_order>(&r.asked)) {
    row.lines = cancel->lines.empty() ? h->lines : std::vector<core::line>(cancel->lines.begin(), cancel->lines.end());
    row.amount = cancel->amount;
    row.refund = std::get<core::order_cancelled>(r.done).number;
    if (row.refund.value != 0) row.reason = core::refund_reason::cancelled;
    drop(row.lines);
    keep();
  } else if (row.hold.value == 0) {
    return {};  // the sale as a whole
  }
  if (row.refund.value != 0) {
    const auto key = refund_key(row.session, row.refund);
    const refund_entry e{row.hold, row.owner, row.hold_id};
    batch.Put(key, encode(e));
    refunds.insert_or_assign(key, e);
  }
  put(row);
  return {};
}

base::result<journal_index::found> journal_index::find(const index_query& q, std::size_t most,
                                                       std::pair<core::session_id, core::sequence> after) const {
  const auto fixed = prefix(q);
  const auto end = after_all(fixed);
  const rocksdb::Slice upper(end);
  rocksdb::ReadOptions read;
  if (!end.empty()) read.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> at(state_->db->NewIterator(read));
  auto from = fixed;
  append_row_key(from, after.first, core::sequence{after.second.value + 1},
                 {});  // sessions begin at 1, so {} is before all
  found f;
  for (at->Seek(from); at->Valid(); at->Next()) {
    const auto key = bytes_of(at->key());
    if (key.size() != fixed.size() + 20) return base::error{base::trouble::corrupt, "index: a row has a malformed key"};
    std::uint64_t number[2] = {};
    std::uint32_t hold = 0;
    for (std::size_t i = 0; i < 16; ++i) number[i / 8] = number[i / 8] << 8U | key[fixed.size() + i];
    for (std::size_t i = 16; i < 20; ++i) hold = hold << 8U | key[fixed.size() + i];
    index_row row;
    if (!decode(bytes_of(at->value()), row)) return base::error{base::trouble::corrupt, "index: a row is malformed"};
    row.session.value = number[0];
    row.number.value = number[1];
    row.hold.value = hold;
    // A record is never torn apart: its rows have one sequence, and the next page begins after it.
    if (f.rows.size() >= most && (row.session != f.rows.back().session || row.number != f.rows.back().number)) {
      f.more = true;
      break;
    }
    f.rows.push_back(std::move(row));
  }
  if (!at->status().ok()) return trouble_of(at->status(), "read");
  return f;
}

base::result<void> journal_index::flush() {
  const auto s = state_->db->Flush(rocksdb::FlushOptions());
  if (!s.ok()) return trouble_of(s, "flush");
  return {};
}

std::string_view name_of_event(const index_row& r) { return event_name(r.event); }

}  // namespace holdfast::persistence
