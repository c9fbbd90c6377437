#include <atomic>
#include <thread>

#include "tests/persistence/journal_contract.hpp"

namespace holdfast::tests {

namespace {

class memory_place final : public place {
 public:
  memory_place() : disk_(std::make_shared<memory_disk>()) {}
  explicit memory_place(const memory_disk& d) : disk_(std::make_shared<memory_disk>(d)) {}

  std::unique_ptr<block_store> store() override { return std::make_unique<memory_block_store>(disk_); }
  std::unique_ptr<place> after_power_cut() override {
    auto left = std::make_unique<memory_place>(*disk_);
    left->disk_->power_cut();
    return left;
  }

 private:
  std::shared_ptr<memory_disk> disk_;
};

}  // namespace

HOLDFAST_JOURNAL_CONTRACT("memory", std::make_unique<memory_place>())

TEST_CASE("a snapshot maker scans what is durable while the journal grows") {
  memory_place p;
  auto o = open_at(p, noon);
  std::atomic<std::uint64_t> durable = o.journal->last_block().number;
  std::atomic<bool> done = false;
  std::uint64_t seen = 0;
  bool in_order = true;
  std::thread reader([&] {
    std::uint64_t next = 1;
    while (!done || next <= durable) {
      const std::uint64_t to = durable;
      if (next > to) { std::this_thread::yield(); continue; }
      const auto ok = o.journal->scan(next, to, [&](const block_view& b) -> base::result<bool> {
        in_order = in_order && b.header.number == next++;
        ++seen;
        return true;
      });
      in_order = in_order && ok.ok();
      if (!in_order) return;
    }
  });
  for (std::uint64_t i = 1; i <= 2'000; ++i) durable = good(write(*o.journal, {nth(i)}, noon + i)).block;
  done = true;
  reader.join();
  CHECK(in_order);
  CHECK(seen == 2'001);
}

}  // namespace holdfast::tests
