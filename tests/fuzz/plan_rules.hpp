// What must hold for every plan that an importer lets through.
#pragma once

#include "core/plan.hpp"
#include "plans/import.hpp"
#include "tests/fuzz/target.hpp"

namespace holdfast::fuzz {

inline base::bytes bytes_of(const core::plan& p) {
  base::bytes b;
  base::byte_writer w(b);
  core::encode_plan(p, w);
  return b;
}

/// It passes its own check, and its bytes give it again.
inline void must_be_sound(const core::plan& p) {
  HOLDFAST_CHECK(core::check_plan(p).ok(), "a plan that breaks its own rules");
  const auto first = bytes_of(p);
  const auto again = core::decode_plan(first);
  HOLDFAST_CHECK(again.ok(), "a plan's bytes do not decode");
  HOLDFAST_CHECK(bytes_of(*again) == first && again->places() == p.places(), "a plan's bytes give another plan");
}

inline void must_be_sound(const plans::import_report& r) {
  must_be_sound(r.plan);
  HOLDFAST_CHECK(!plans::describe(r).empty(), "an import that says nothing");
  const auto n = plans::count_places(r.plan);
  HOLDFAST_CHECK(n.seats + n.area_places == r.plan.places(), "places are miscounted");
}

}  // namespace holdfast::fuzz
