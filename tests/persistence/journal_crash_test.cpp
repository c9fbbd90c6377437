// A crash or an error at every step that the journal takes, on every kind of remains. What was told is never lost.
#include "base/random.hpp"
#include "persistence/journal_check.hpp"
#include "tests/persistence/fixture.hpp"

namespace holdfast::tests {

namespace {

constexpr std::uint64_t appends = 12;

struct outcome {
  std::vector<note> told;  ///< acknowledged
  std::vector<note> tried; ///< and the one under way
  bool failed = false;
};

/// One life of a server: open, append `appends` notes after those already there, close. Ends at the first error.
outcome live(const std::shared_ptr<memory_disk>& disk, std::uint64_t now) {
  outcome out;
  out.failed = true;
  auto o = journal_log::open(std::make_unique<memory_block_store>(disk), options_at(now));
  if (!o) return out;
  out.told = out.tried = read_all(*o->journal);
  for (std::uint64_t i = 0; i < appends; ++i) {
    now += 30 * ms;
    const auto next = nth(out.told.size() + 1);
    out.tried.push_back(next);
    const auto done = write(*o->journal, {next}, now);
    if (!done) {
      // Sticky: the disk works again, the journal does not.
      CHECK(!write(*o->journal, {next}, now + 1).ok());
      CHECK(!o->journal->tick(now + second).ok());
      CHECK(!o->journal->close(now).ok());
      CHECK(o->journal->failure().has_value());
      return out;
    }
    out.told.push_back(next);
    if (!o->journal->tick(now + 1)) return out;
  }
  out.failed = !o->journal->close(now).ok();
  return out;
}

bool starts_with(const std::vector<note>& all, const std::vector<note>& part) {
  return all.size() >= part.size() && std::equal(part.begin(), part.end(), all.begin());
}

using moment = memory_disk::moment;
constexpr moment moments[] = {moment::before, moment::after, moment::torn};

}  // namespace

TEST_CASE("a crash at every step, then a power cut or a kill: everything told is there, and the journal goes on") {
  std::uint64_t cases = 0;
  for (const auto when : moments)
    for (const bool crash : {true, false})
      for (const bool power_cut : {true, false})
        for (std::uint64_t step = 1;; ++step) {
          const auto disk = std::make_shared<memory_disk>();
          const auto first = live(disk, noon);  // a life without trouble before
          REQUIRE(!first.failed);
          disk->plan({disk->steps() + step, when, crash});
          const auto second_life = live(disk, noon + second);
          if (!second_life.failed) break;  // the plan lies beyond the end
          ++cases;
          power_cut ? disk->power_cut() : disk->kill();
          const auto o = journal_log::open(std::make_unique<memory_block_store>(disk), options_at(noon + 2 * second));
          REQUIRE_MESSAGE(o.ok(), "step " << step << ": " << (o.ok() ? "" : o.failure().text));
          const auto found = read_all(*o->journal);
          const auto& told = second_life.told.empty() ? first.told : second_life.told;
          const auto& tried = second_life.tried.empty() ? first.tried : second_life.tried;
          REQUIRE(starts_with(found, told));
          REQUIRE(starts_with(tried, found));  // a prefix of what was tried, nothing invented
          REQUIRE(!live(disk, noon + 3 * second).failed);
        }
  CHECK(cases > 300);
}

TEST_CASE("a crash at every step of the creation: the next start creates or continues") {
  for (const auto when : moments)
    for (const bool power_cut : {true, false})
      for (std::uint64_t step = 1;; ++step) {
        const auto disk = std::make_shared<memory_disk>();
        disk->plan({step, when, true});
        const auto life = live(disk, noon);
        if (!life.failed) break;
        power_cut ? disk->power_cut() : disk->kill();
        const auto again = live(disk, noon + second);
        REQUIRE_MESSAGE(!again.failed, "step " << step);
        REQUIRE(starts_with(again.told, life.told));
      }
}

TEST_CASE("a crash during the recovery from a crash, five deep") {
  base::random random(20'240'607);
  for (int round = 0; round < 400; ++round) {
    const auto disk = std::make_shared<memory_disk>();
    std::vector<note> told;
    std::uint64_t now = noon;
    for (int depth = 0; depth < 5; ++depth) {
      disk->plan({disk->steps() + random.between(1, 40), moments[random.below(3)], random.chance(70)});
      const auto life = live(disk, now += second);
      if (!life.told.empty()) told = life.told;
      random.chance(50) ? disk->power_cut() : disk->kill();
    }
    const auto o = good(journal_log::open(std::make_unique<memory_block_store>(disk), options_at(now + second)));
    REQUIRE(starts_with(read_all(*o.journal), told));
  }
}

TEST_CASE("the slot of the witness that a start has read is on the disk before the other one is written over") {
  const auto disk = std::make_shared<memory_disk>();
  REQUIRE(!live(disk, noon).failed);
  // A power cut tore one slot; the next start healed it, and was killed before it synced.
  const auto newest = [&](const auto& slots) {
    sha256 hasher;
    return good(read_witness(slots, hasher)).newest.writes % witness_slots;
  };
  const auto healed = newest(disk->witness->written);
  disk->witness->synced.at(healed)[50] ^= 1;
  const auto told = live(disk, noon + second).told;
  disk->kill();
  // The start after that one dies when it has written over the other slot, half of it; then the power goes.
  for (std::uint64_t step = 1; step < 12; ++step) {
    const auto copy = std::make_shared<memory_disk>(*disk);
    copy->witness->synced.at(newest(copy->witness->written)) = base::bytes(witness_bytes);
    copy->plan({copy->steps() + step, moment::torn, true});
    static_cast<void>(live(copy, noon + 2 * second));
    copy->witness->synced.at(1 - newest(disk->witness->written)) = copy->witness->written.at(1 - newest(disk->witness->written));
    copy->power_cut();
    const auto o = journal_log::open(std::make_unique<memory_block_store>(copy), options_at(noon + 3 * second));
    CHECK_MESSAGE(o.ok(), "step " << step << ": " << (o.ok() ? "" : o.failure().text));
    if (o) CHECK(starts_with(read_all(*o->journal), told));
  }
}

TEST_CASE("a store that forgets a synced block is caught by the witness") {
  const auto disk = std::make_shared<memory_disk>();
  REQUIRE(!live(disk, noon).failed);
  disk->blocks.erase(std::prev(disk->blocks.end()));
  const auto o = journal_log::open(std::make_unique<memory_block_store>(disk), options_at(noon + second));
  REQUIRE(!o.ok());
  CHECK(o.failure().kind == base::trouble::corrupt);
}

}  // namespace holdfast::tests
