// The decision at a start, row by row: docs/JOURNAL.md has the same table.
#include "persistence/journal_check.hpp"

#include "persistence/journal_meta.hpp"
#include "tests/persistence/fixture.hpp"

namespace holdfast::tests {

namespace {

/// A disk with 10 blocks in two epochs; block 6 starts the second.
std::shared_ptr<memory_disk> ten_blocks(const base::id128& id = journal_id) {
  auto disk = std::make_shared<memory_disk>();
  std::uint64_t i = 0;
  for (int epoch = 0; epoch < 2; ++epoch) {
    auto options = options_at(noon + static_cast<std::uint64_t>(epoch) * second);
    options.new_journal = id;
    auto o = good(journal_log::open(std::make_unique<memory_block_store>(disk), options));
    for (int block = 0; block < 4; ++block) good(write(*o.journal, {nth(++i)}, options.wall_clock + i));
    good(o.journal->close(options.wall_clock + i));
  }
  REQUIRE(disk->blocks.size() == 10);
  return disk;
}

base::result<journal_state> check(const std::shared_ptr<memory_disk>& disk, std::vector<checkpoint_mark> checkpoints = {}) {
  memory_block_store store(disk);
  return check_journal(store, {0, std::move(checkpoints)});
}

void refused(const std::shared_ptr<memory_disk>& disk, std::string_view because, std::vector<checkpoint_mark> checkpoints = {}) {
  const auto steps = disk->steps();
  const auto r = check(disk, checkpoints);
  REQUIRE_MESSAGE(!r.ok(), because);
  CHECK(r.failure().kind == base::trouble::corrupt);
  CHECK_MESSAGE(says(r.failure().text, because), r.failure().text);
  CHECK_MESSAGE(says(r.failure().text, "nothing was changed"), r.failure().text);
  auto options = options_at(noon + second);
  options.checkpoints = checkpoints;
  CHECK(!journal_log::open(std::make_unique<memory_block_store>(disk), options).ok());
  CHECK(disk->steps() == steps);  // not one step of writing
}

block_mark mark_of(const memory_disk& disk, std::uint64_t number) {
  sha256 hasher;
  return good(decode_block(disk.blocks.at(number).bytes, hasher)).mark();
}

/// The witness says that only the blocks up to `number` were acknowledged.
void acknowledged_up_to(memory_disk& disk, std::uint64_t number, std::uint64_t epoch) {
  sha256 hasher;
  witness w{0, 100, journal_id, epoch, number == 0 ? block_mark{0, genesis_hash(journal_id, hasher)} : mark_of(disk, number), noon};
  for (auto& slot : disk.witness->written) {
    encode_witness(w, hasher, slot);
    ++w.writes;
  }
}

}  // namespace

TEST_CASE("an undamaged journal is good, from the start or from a checkpoint") {
  const auto disk = ten_blocks();
  const auto all = good(check(disk));
  CHECK(all.exists);
  CHECK(all.tip.block == mark_of(*disk, 10));
  CHECK(all.tip.epoch == 2);
  CHECK(all.warnings.empty());
  for (std::uint64_t n = 1; n <= 10; ++n) {
    const auto s = good(check(disk, {{journal_id, mark_of(*disk, n)}}));
    CHECK(s.checkpoints == std::vector<std::size_t>{0});
    CHECK(s.tip.block == mark_of(*disk, 10));
  }
}

TEST_CASE("nothing at all is a new journal") {
  CHECK(!good(check(std::make_shared<memory_disk>())).exists);
}

TEST_CASE("missing blocks are refused, wherever they are missing") {
  for (std::uint64_t n = 1; n <= 10; ++n) {
    const auto disk = ten_blocks();
    disk->blocks.erase(n);
    refused(disk, n == 10 ? "the journal ends at block 9, but block 10 was acknowledged"
                          : n == 1 ? "the journal begins at block 2, but should begin at block 1" : fmt::format("block {} is missing", n));
  }
  const auto disk = ten_blocks();
  disk->blocks.clear();
  refused(disk, "the journal ends at block 0, but block 10 was acknowledged");
}

TEST_CASE("every bit of every block") {
  const auto whole = ten_blocks();
  for (const auto& [number, file] : whole->blocks)
    for (std::size_t bit = 0; bit < file.bytes.size() * 8; ++bit) {
      const auto disk = std::make_shared<memory_disk>(*whole);
      disk->blocks.at(number).bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      const auto r = check(disk);
      REQUIRE(!r.ok());
      REQUIRE(r.failure().kind == base::trouble::corrupt);
      REQUIRE(says(r.failure().text, fmt::format("block {} is damaged", number)));
    }
}

TEST_CASE("whole blocks in the wrong place are refused") {
  auto disk = ten_blocks();
  std::swap(disk->blocks.at(4).bytes, disk->blocks.at(5).bytes);
  refused(disk, "block 4 is damaged: it calls itself block 5");
  // The same block of another journal, itself without fault.
  disk = ten_blocks();
  disk->blocks.at(3).bytes = ten_blocks({1, 2})->blocks.at(3).bytes;
  refused(disk, "block 3 is damaged: it does not continue the block before it");
}

TEST_CASE("a block after the acknowledged ones is kept, another one in their place is refused") {
  auto disk = ten_blocks();
  acknowledged_up_to(*disk, 8, 2);
  CHECK(good(check(disk)).tip.block.number == 10);
  // The witness is behind a checkpoint, as after a power cut.
  CHECK(good(check(disk, {{journal_id, mark_of(*disk, 9)}})).tip.block.number == 10);
  acknowledged_up_to(*disk, 0, 0);
  CHECK(good(check(disk)).tip.block.number == 10);

  // A history of the same journal that took another turn at block 7: a chain without fault.
  const auto branch = [] {
    auto d = std::make_shared<memory_disk>();
    std::uint64_t i = 0;
    for (int epoch = 0; epoch < 2; ++epoch) {
      const auto wall = noon + static_cast<std::uint64_t>(epoch) * second;
      auto o = good(journal_log::open(std::make_unique<memory_block_store>(d), options_at(wall)));
      for (int block = 0; block < 4; ++block) {
        auto n = nth(++i);
        if (i >= 5) n.text += " otherwise";
        good(write(*o.journal, {n}, wall + i));
      }
      good(o.journal->close(wall + i));
    }
    return d;
  }();
  disk = ten_blocks();
  disk->blocks = branch->blocks;
  refused(disk, "block 10 is not the one that was acknowledged");
  refused(disk, "block 10 is not the one that was acknowledged", {{journal_id, mark_of(*disk, 3)}});
  acknowledged_up_to(*disk, 10, 1);
  refused(disk, "block 10 is not the one that was acknowledged");  // right hash, wrong epoch
}

TEST_CASE("the witness gone, damaged, or another journal's") {
  auto disk = ten_blocks();
  disk->witness.reset();
  refused(disk, "the witness file is missing");
  disk->blocks.clear();
  disk->meta.reset();
  refused(disk, "the witness file is missing");  // the store's own files are still there

  disk = ten_blocks();
  disk->witness->written[0][50] ^= 1;
  auto one_bad = good(check(disk));
  CHECK(one_bad.warnings.size() == 1);
  disk->witness->written[1][50] ^= 1;
  refused(disk, "both slots of the witness are damaged");
  disk->witness->written = {};
  refused(disk, "both slots of the witness are damaged");

  disk = ten_blocks();
  disk->witness = ten_blocks({1, 2})->witness;
  refused(disk, "the witness belongs to journal");
}

TEST_CASE("after one damaged slot both are whole again") {
  const auto disk = ten_blocks();
  for (const std::size_t slot : {0, 1}) {
    disk->witness->written[slot][50] ^= 1;
    auto o = good(journal_log::open(std::make_unique<memory_block_store>(disk), options_at(noon + second)));
    CHECK(says(o.report.warnings.at(0), "one slot of the witness"));
    good(write(*o.journal, {nth(90)}, noon + 2 * second));
    CHECK(good(check(disk)).warnings.empty());
    CHECK(good(check(disk)).acknowledged->block == o.journal->last_block());
  }
}

TEST_CASE("the store or its meta record gone") {
  auto disk = ten_blocks();
  disk->blocks.clear();
  disk->meta.reset();
  disk->created = false;
  refused(disk, "the journal ends at block 0, but block 10 was acknowledged");
  disk = ten_blocks();
  disk->meta.reset();
  refused(disk, "no meta record");
  disk = ten_blocks();
  (*disk->meta)[9] ^= 4;
  refused(disk, "meta record is damaged");
  disk = ten_blocks();
  disk->meta = ten_blocks({1, 2})->meta;
  refused(disk, "the blocks to journal");
}

TEST_CASE("checkpoints: newer than the journal refuses, others that do not fit are left out") {
  const auto disk = ten_blocks();
  const block_mark beyond{11, {}};
  refused(disk, "the journal ends at block 10, but a checkpoint was made at block 11", {{journal_id, beyond}});
  block_mark wrong = mark_of(*disk, 7);
  wrong.hash[0] ^= 1;
  const auto s = good(check(disk, {{{1, 2}, beyond}, {journal_id, wrong}, {journal_id, mark_of(*disk, 5)}, {journal_id, mark_of(*disk, 2)}}));
  CHECK(s.checkpoints == std::vector<std::size_t>{2, 3});
  CHECK(s.warnings.size() == 2);
  CHECK(s.tip.block.number == 10);

  const auto empty = std::make_shared<memory_disk>();
  refused(empty, "journal and witness are missing, but a checkpoint was made at block 5", {{journal_id, mark_of(*disk, 5)}});
}

TEST_CASE("a crafted chain cannot smuggle in a start") {
  // Blocks with right hashes that break a rule of the chain.
  const auto disk = ten_blocks();
  sha256 hasher;
  const auto tail = good(decode_block(disk->blocks.at(10).bytes, hasher));
  const auto forge = [&](std::uint64_t epoch, std::uint64_t time, std::uint64_t session) {
    auto forged = std::make_shared<memory_disk>(*disk);
    block_encoder e;
    e.begin({0, 11, epoch, time, 0, tail.hash});
    e.add({session, 1, time, base::as_bytes("forged")});
    const auto b = e.finish(hasher);
    forged->blocks[11] = {base::bytes(b.begin(), b.end()), true, false};
    return forged;
  };
  const auto now = tail.header.log_time;
  CHECK(good(check(forge(2, now, 1))).tip.block.number == 11);
  refused(forge(3, now, 1), "block 11 is damaged: its epoch does not follow");
  refused(forge(1, now, 1), "block 11 is damaged: its epoch does not follow");
  refused(forge(2, now - 1, 1), "block 11 is damaged: its log time runs backwards");
  refused(forge(2, now, system_session), "block 11 is damaged: its system record does not decode");
}

}  // namespace holdfast::tests
