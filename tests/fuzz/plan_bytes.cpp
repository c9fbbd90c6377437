// The bytes of a plan, as journal and wire have them.
#include "tests/fuzz/plan_rules.hpp"

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::byte_view bytes{data, size};
  const auto p = core::decode_plan(bytes);
  if (!p) return fuzz::must_be_one_line(p.failure()), 0;
  fuzz::must_be_sound(*p);
  const auto first = fuzz::bytes_of(*p);
  fuzz::must_have_one_form(bytes, first, fuzz::bytes_of(*core::decode_plan(first)));
  return 0;
}
