#include "apps/holdfast/load/tally.hpp"

#include <algorithm>

namespace holdfast::cli::load {

std::string_view name_of(deed d) {
  static constexpr std::string_view names[] = {"hold, won", "hold, refused", "confirm", "release", "look"};
  return names[static_cast<std::size_t>(d)];
}

void total::add(const tally& t) {
  for (std::size_t d = 0; d < deeds; ++d) {
    latency[d] += t.latency(static_cast<deed>(d)).read();
    longest_ns[d] = std::max(longest_ns[d], t.longest_ns(static_cast<deed>(d)));
    for (std::size_t code = 0; code < tally::codes; ++code) refused[d][code] += t.refused(static_cast<deed>(d), code);
  }
  refunds += t.refunds;
  uncounted += t.uncounted;
  never_sent += t.never_sent;
  writes += t.writes;
  reads += t.reads;
  waits += t.waits;
  last_ns = std::max(last_ns, t.last_ns);
}

std::uint64_t total::operations() const {
  std::uint64_t n = 0;
  for (const auto& l : latency) n += l.total;
  return n;
}

base::histogram_seen total::all() const {
  base::histogram_seen h;
  for (const auto& l : latency) h += l;
  return h;
}

std::int64_t total::longest() const { return *std::ranges::max_element(longest_ns); }

std::uint64_t percentile_ns(const base::histogram_seen& h, std::uint64_t per_million, std::int64_t longest_ns) {
  return std::min(h.percentile(per_million), static_cast<std::uint64_t>(longest_ns));
}

}  // namespace holdfast::cli::load
