#include "plans/pretix_identity.hpp"

#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "core/plan_text.hpp"
#include "plans/naming.hpp"

namespace holdfast::plans {

namespace {

std::string pointer(const drawn_seat& s) { return fmt::format("/zones/{}/rows/{}/seats/{}", s.at[0], s.at[1], s.at[2]); }

/// How well one kind of identity tells the seats apart.
struct survey {
  std::size_t missing = 0;
  std::size_t distinct = 0;
  std::size_t repeated = 0;  ///< seats whose value another seat has too
  std::string first_repeated;

  [[nodiscard]] bool unique() const { return missing == 0 && repeated == 0; }
};

template <class Get>
survey look(std::size_t seats, Get get) {
  survey s;
  std::unordered_map<std::string_view, std::size_t> count;
  count.reserve(seats);
  for (std::size_t i = 0; i < seats; ++i) {
    const std::string& value = get(i);
    if (value.empty()) { ++s.missing; continue; }
    if (++count[value] == 2 && s.first_repeated.empty()) s.first_repeated = value;
  }
  s.distinct = count.size();
  for (const auto& [value, n] : count)
    if (n > 1) s.repeated += n;
  return s;
}

}  // namespace

base::result<void> give_identities(core::plan& p, const std::vector<drawn_seat>& drawn, const import_options& options,
                                   std::vector<std::string>& warnings) {
  std::vector<std::string> paths;
  paths.reserve(drawn.size());
  for (const auto& s : p.seats) {
    const auto& row = p.rows[s.row];
    paths.push_back(seat_path(p.zones[row.zone], row.label, s.number));
  }
  const auto uuids = look(drawn.size(), [&](std::size_t i) -> const std::string& { return drawn[i].uuid; });
  const auto guids = look(drawn.size(), [&](std::size_t i) -> const std::string& { return drawn[i].guid; });
  const auto by_path = look(drawn.size(), [&](std::size_t i) -> const std::string& { return paths[i]; });

  const auto rule = options.identity;
  std::unordered_map<std::string_view, std::size_t> owners;
  owners.reserve(drawn.size());
  std::size_t by_guid = 0, by_paths = 0;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const char* kind = "uuid";
    const std::string* identity = &drawn[i].uuid;
    if (rule == identity_rule::guid || (rule == identity_rule::automatic && identity->empty())) {
      kind = "seat_guid";
      identity = &drawn[i].guid;
    }
    if (rule == identity_rule::path || (rule == identity_rule::automatic && identity->empty())) {
      kind = "zone, row and number";
      identity = &paths[i];
      if (identity->size() > core::identity_bytes_max)
        return bad_plan(fmt::format("{}: {}", options.source, pointer(drawn[i])),
                        fmt::format("zone, row and number together are longer than {} bytes: give the seat a uuid",
                                    core::identity_bytes_max));
    }
    by_guid += identity == &drawn[i].guid;
    by_paths += identity == &paths[i];
    if (identity->empty())
      return bad_plan(fmt::format("{}: {}", options.source, pointer(drawn[i])),
                      fmt::format("the seat has no {}: add one, or identify seats by something else", kind));
    const auto [at, is_new] = owners.emplace(*identity, i);
    if (!is_new) {
      std::string remedy = fmt::format("give each its own {}", kind);
      if (rule != identity_rule::guid && guids.unique()) remedy += ", or identify seats by guid";
      else if (rule != identity_rule::path && by_path.unique()) remedy += ", or identify seats by path";
      return bad_plan(fmt::format("{}: {} and {}", options.source, pointer(drawn[at->second]), pointer(drawn[i])),
                      fmt::format("are two seats with one {} \"{}\": {}", kind, *identity, remedy));
    }
    p.seats[i].identity = *identity;
  }

  const auto* chosen = rule == identity_rule::guid ? "seat_guid" : rule == identity_rule::path ? "path" : "uuid";
  if (by_guid < drawn.size() && guids.repeated > 0)
    warnings.push_back(fmt::format("seat_guid is not unique: {} different ones for {} seats (first repeated: \"{}\"); seats are "
                                   "identified by {}", guids.distinct, drawn.size(), guids.first_repeated, chosen));
  if (rule != identity_rule::automatic && rule != identity_rule::uuid && uuids.repeated > 0)
    warnings.push_back(fmt::format("uuid is not unique: {} different ones for {} seats (first repeated: \"{}\"); seats are "
                                   "identified by {}", uuids.distinct, drawn.size(), uuids.first_repeated, chosen));
  if (by_path.repeated > 0)
    warnings.push_back(fmt::format("zone, row and number are the same for {} seats as for others (first: {}); people will tell "
                                   "them apart only on the drawing", by_path.repeated, by_path.first_repeated));
  if (rule == identity_rule::automatic && uuids.missing > 0 && by_guid > 0)
    warnings.push_back(fmt::format("{} without uuid identified by seat_guid", counted(by_guid, "seat")));
  if (rule == identity_rule::automatic && by_paths > 0)
    warnings.push_back(
        fmt::format("{} with neither uuid nor seat_guid identified by zone/row/number", counted(by_paths, "seat")));
  return {};
}

}  // namespace holdfast::plans
