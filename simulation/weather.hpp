// What may go wrong around a server, drawn from a seed: the disk below its journal, the clock on its wall, the network before its
// door. Nothing here knows what the right answer would be.
#pragma once

#include <cstdint>
#include <string>

#include "base/random.hpp"
#include "persistence/memory_block_store.hpp"

namespace holdfast::simulation {

/// How often what goes wrong; percent unless said otherwise.
struct weather {
  unsigned crash = 1;               ///< of turns
  unsigned broken_write = 1;        ///< of turns: some step of the disk soon fails, or the process dies in it
  unsigned power_cut = 50;          ///< of crashes; the others kill the process alone
  unsigned crash_in_recovery = 25;  ///< of starts
  unsigned storm = 6;               ///< of crashes: several starts one after the other
  unsigned rot = 10;                ///< of starts: first a damaged copy must be refused, or must be whole
  unsigned clock = 10;              ///< of starts: the wall clock is wrong
  unsigned fault = 3;               ///< of crashes: the second line of defence takes a session out of service
  unsigned lost = 4;                ///< of requests, and of answers
  unsigned late = 6;                ///< the same
  unsigned twice = 4;               ///< of requests
  unsigned flush = 45;              ///< of turns: the journal writes what is waiting
  unsigned timer = 10;              ///< of turns: a timer, in time, late, or armed for what is long over
};

/// A different sky for each seed: calm ones, too, so that long stories without a crash are among them.
[[nodiscard]] weather weather_of(std::uint64_t seed);

/// The machine loses its power: of what was not synced any part may be there, blocks and both slots of the witness each for
/// itself, and one slot may be torn.
void cut_power(persistence::memory_disk& disk, base::random& chance);
/// The same on a disk that says that it synced and did not: blocks are gone that nobody would miss but those who were told.
void cut_power_of_liar(persistence::memory_disk& disk, base::random& chance);

/// Damages the disk's content at one place as time or a clumsy hand may; says how. Nothing if there is nothing to damage.
[[nodiscard]] std::string rot(persistence::memory_disk& disk, base::random& chance);

}  // namespace holdfast::simulation
