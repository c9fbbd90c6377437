#include "persistence/index.hpp"

#include <algorithm>
#include <atomic>
#include <memory_resource>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_writer.h>

#include "persistence/files.hpp"
#include "persistence/rocksdb_assertions.hpp"
#include "persistence/rocksdb_io_watch.hpp"
#include "persistence/index_find.hpp"
#include "persistence/index_posting.hpp"
#include "persistence/record_codec.hpp"

namespace holdfast::persistence {

namespace {

using namespace index_bytes;

/// Postings gathered in memory before they are written: 32 bytes each. What a crash takes is gathered again.
constexpr std::size_t gathered_max = 1'000'000;
/// Tables that lie over each other before some are merged: a look-up asks each, merging costs more than writing did.
constexpr int tables_max = 16;

base::error trouble_of(const rocksdb::Status& s, const char* what) {
  const auto kind = s.IsCorruption() ? base::trouble::corrupt : s.IsBusy() ? base::trouble::busy : base::trouble::io;
  if (kind == base::trouble::io) assertions_mean::from_now_on(blame::disk);
  return {kind, fmt::format("index: {}: {}", what, s.ToString())};
}

rocksdb::Options db_options() {
  rocksdb::Options o;
  o.create_if_missing = true;
  o.compaction_style = rocksdb::kCompactionStyleUniversal;
  o.level0_file_num_compaction_trigger = tables_max;
  // Nothing is written over, so merging everything would free nothing.
  o.compaction_options_universal.max_size_amplification_percent = 1'000'000;
  o.max_background_jobs = 2;
  o.max_open_files = 32;  // rocksdb_block_store.cpp says why there is a bound
  o.keep_log_file_num = 2;
  o.info_log_level = rocksdb::ERROR_LEVEL;
  o.listeners = {std::make_shared<io_watch>()};
  o.compression = rocksdb::kLZ4Compression;  // half of a posting is zeros
  return o;
}

std::string_view position_key() { return {"", 1}; }

}  // namespace

struct journal_index::state {
  std::filesystem::path directory;
  base::id128 journal;
  std::string rebuilt;
  std::unique_ptr<rocksdb::DB> db;
  block_mark at;  ///< the last block whose postings are gathered or written
  std::atomic<std::uint64_t> position{0};  ///< its number
  std::uint64_t written = 0;
  std::vector<posting> gathered;
  std::pmr::monotonic_buffer_resource arena{64U << 10U};

  base::result<void> open_db();
  base::result<bool> read_position();
  base::result<void> begin_anew(std::string why);
  base::result<void> add_block(const block_view& block);
  void sort() {
    if (!std::ranges::is_sorted(gathered)) std::ranges::sort(gathered);
  }
  base::result<void> write();
  base::result<void> write_table(const std::string& name);
};

base::result<void> journal_index::state::open_db() {
  rocksdb::DB* raw = nullptr;
  const assertions_mean here(blame::disk);
  const auto s = rocksdb::DB::Open(db_options(), directory.string(), &raw);
  if (!s.ok()) return trouble_of(s, "open");
  db.reset(raw);
  return {};
}

/// False: what is there is not of this journal or format.
base::result<bool> journal_index::state::read_position() {
  std::string value;
  const auto s = db->Get(rocksdb::ReadOptions(), position_key(), &value);
  if (s.IsNotFound()) {
    // Never anything but empty: the position is written together with the first postings.
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
  position = written = number;
  return true;
}

base::result<void> journal_index::state::begin_anew(std::string why) {
  db.reset();
  gathered.clear();
  position = written = 0;
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

/// Postings do not go through RocksDB's memory: nobody reads them on the way, and keeping millions of random keys in
/// order there costs many times what sorting them once does. A table of whole blocks with the position after them is
/// added in one atomic, synced step, so after a crash the position never says more than the postings that are there.
base::result<void> journal_index::state::write() {
  if (at.number == written) return {};
  sort();
  // By another name it may be a table of the database already, if a crash came between linking and unlinking: never
  // written over, only removed.
  const auto name = directory / "postings.new";
  std::error_code ec;
  std::filesystem::remove(name, ec);
  if (ec) return base::error{base::trouble::io, fmt::format("index: cannot remove {}: {}", name.string(), ec.message())};
  if (auto ok = write_table(name.string()); !ok) return ok;
  rocksdb::IngestExternalFileOptions how;
  how.move_files = true;
  how.write_global_seqno = false;
  if (const auto s = db->IngestExternalFile({name.string()}, how); !s.ok()) return trouble_of(s, "add a table");
  gathered.clear();
  written = at.number;
  return {};
}

base::result<void> journal_index::state::write_table(const std::string& name) {
  rocksdb::SstFileWriter out{rocksdb::EnvOptions(), db->GetOptions()};
  auto s = out.Open(name);
  base::bytes b;
  base::byte_writer w(b);
  w.fixed(format_version);
  w.id(journal);
  w.fixed(at.number);
  w.view(at.hash);
  if (s.ok()) s = out.Put(position_key(), base::as_text(b));
  const posting* before = nullptr;
  for (const auto& p : gathered) {
    if (!s.ok()) break;
    if (before == nullptr || *before != p) s = out.Put(posting_key(p).text(), rocksdb::Slice());
    before = &p;
  }
  if (s.ok()) s = out.Finish();
  if (!s.ok()) return trouble_of(s, "write a table");
  return {};
}

base::result<void> journal_index::state::add_block(const block_view& block) {
  if (at.number != 0 && (block.header.number != at.number + 1 || block.header.previous != at.hash))
    return base::error{base::trouble::corrupt,
                       fmt::format("index: block {} does not continue block {}", block.header.number, at.number)};
  const auto before = gathered.size();
  record_position here{block.header.number, 0};
  for (const auto& framed : block) {
    const auto where = here;
    ++here.record;
    if (framed.session == system_session || framed.sequence == plan_sequence) continue;
    arena.release();
    const auto r = decode_record(framed, nullptr, arena);
    if (!r) {
      gathered.resize(before);
      return base::error{r.failure().kind, fmt::format("index: block {}, session {}, record {}: {}", where.block,
                                                       framed.session, framed.sequence, r.failure().text)};
    }
    post(core::session_id{framed.session}, *r, where, gathered);
  }
  at = block.mark();
  position = at.number;
  return gathered.size() < gathered_max ? base::result<void>() : write();
}

base::result<void> journal_index::add(const block_view& block) { return state_->add_block(block); }

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
  if (done) return to < durable;
  if (done.failure().kind != base::trouble::corrupt || s.at.number != began || began == 0) return done.failure();
  // The very first block did not fit: another history of the same journal, as after a restore of the data directory.
  if (auto ok = s.begin_anew(done.failure().text); !ok) return ok.failure();
  return true;
}

base::result<journal_index::found> journal_index::find(const journal& j, const index_query& q, std::size_t most,
                                                       record_position from) {
  // Not written for this: a sync would make the journal's own wait.
  state_->sort();
  return find_in(*state_->db, state_->gathered, j, q, most, from);
}

base::result<void> journal_index::flush() { return state_->write(); }

std::string_view name_of_event(const index_row& r) { return event_name(r.event); }

}  // namespace holdfast::persistence
