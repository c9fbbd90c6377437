// Seating plans drawn with the pretix editor. Input: identity rule, then the JSON.
#include "plans/pretix.hpp"
#include "tests/fuzz/plan_rules.hpp"

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  plans::import_options how;
  how.source = "hall.json";
  how.identity = static_cast<plans::identity_rule>(data[0] % 4);
  const auto r = plans::import_pretix(base::as_text({data + 1, size - 1}), how);
  if (!r) return fuzz::must_be_one_line(r.failure()), 0;
  fuzz::must_be_sound(*r);
  return 0;
}
