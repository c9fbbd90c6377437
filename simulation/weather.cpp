#include "simulation/weather.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace holdfast::simulation {

weather weather_of(std::uint64_t seed) {
  weather w;
  switch (seed % 8) {
    case 0:  // nothing breaks but the network
      w.crash = w.broken_write = 0;
      break;
    case 1:  // one crash after the other
      w.crash = 4;
      w.storm = 15;
      w.crash_in_recovery = 50;
      break;
    case 2:  // a bad disk
      w.broken_write = 4;
      break;
    case 3:  // a slow disk: much is decided that is not durable yet
      w.flush = 12;
      w.crash = 2;
      break;
    case 4:  // a bad network
      w.lost = 20;
      w.late = 20;
      w.twice = 15;
      break;
    default: break;
  }
  return w;
}

void cut_power(persistence::memory_disk& disk, base::random& chance) {
  for (auto at = disk.blocks.begin(); at != disk.blocks.end();) {
    auto& b = at->second;
    if (!b.synced && (b.torn || chance.chance(50))) {
      at = disk.blocks.erase(at);
      continue;
    }
    b.synced = true;
    ++at;
  }
  if (disk.witness) {
    auto& w = *disk.witness;
    // A slot lies in one sector, and disks write sectors whole: that one of them tears all the same is harder than life. It was
    // the process's own write that tore, or it is this one.
    persistence::sha256 hasher;
    const bool whole = std::ranges::all_of(w.written, [&](const auto& slot) { return persistence::decode_witness(slot, hasher).ok(); });
    const auto torn = whole && chance.chance(20) ? chance.below(persistence::witness_slots) : persistence::witness_slots;
    for (std::size_t i = 0; i < persistence::witness_slots; ++i) {
      if (w.written[i] == w.synced[i]) continue;
      if (i == torn && w.written[i].size() == w.synced[i].size()) {
        const auto kept = static_cast<std::ptrdiff_t>(chance.below(w.written[i].size() + 1));
        std::copy(w.synced[i].begin() + kept, w.synced[i].end(), w.written[i].begin() + kept);
      } else if (chance.chance(50)) {
        w.written[i] = w.synced[i];
      }
    }
    w.synced = w.written;
  }
  disk.kill();
}

void cut_power_of_liar(persistence::memory_disk& disk, base::random& chance) {
  for (auto n = chance.between(1, 3); n > 0 && !disk.blocks.empty(); --n) disk.blocks.erase(std::prev(disk.blocks.end()));
  cut_power(disk, chance);
}

namespace {

void flip(base::bytes& bytes, base::random& chance) {
  bytes[chance.below(bytes.size())] ^= static_cast<std::uint8_t>(1U << chance.below(8));
}

}  // namespace

std::string rot(persistence::memory_disk& disk, base::random& chance) {
  const auto any_block = [&] { return std::next(disk.blocks.begin(), static_cast<std::ptrdiff_t>(chance.below(disk.blocks.size()))); };
  switch (chance.below(8)) {
    case 0:
      if (!disk.witness) return {};
      flip(disk.witness->written[chance.below(persistence::witness_slots)], chance);
      return "a bit of the witness is flipped";
    case 1:
      if (!disk.meta) return {};
      flip(*disk.meta, chance);
      return "a bit of the meta record is flipped";
    case 2:
      if (!disk.witness) return {};
      disk.witness.reset();
      return "the witness is gone";
    case 3: {
      if (disk.blocks.empty()) return {};
      const auto at = any_block();
      const auto number = at->first;
      disk.blocks.erase(at);
      return fmt::format("block {} is gone", number);
    }
    case 4: {
      if (disk.blocks.empty()) return {};
      const auto at = any_block();
      const auto number = at->first;
      disk.blocks.erase(at, disk.blocks.end());
      return fmt::format("the blocks from {} on are gone", number);
    }
    case 5: {
      if (disk.blocks.size() < 2) return {};
      const auto a = any_block(), b = any_block();
      if (a == b) return {};
      std::swap(a->second.bytes, b->second.bytes);
      return fmt::format("blocks {} and {} have changed places", a->first, b->first);
    }
    default: {
      if (disk.blocks.empty()) return {};
      const auto at = any_block();
      flip(at->second.bytes, chance);
      return fmt::format("a bit of block {} is flipped", at->first);
    }
  }
}

}  // namespace holdfast::simulation
