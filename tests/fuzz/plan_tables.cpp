// Seating plans as tables, and the files beside a plan: what they say of the small hall. Input: which (modulo 3), then the text.
#include "plans/csv.hpp"
#include "plans/side_file.hpp"
#include "tests/fuzz/halls.hpp"
#include "tests/fuzz/plan_rules.hpp"

using namespace holdfast;

namespace {

void beside_a_plan(const base::result<plans::side_file>& side) {
  if (!side) return fuzz::must_be_one_line(side.failure());
  static const auto hall = fuzz::small_hall();
  plans::import_report report;
  report.plan = *hall;
  report.format = "csv";
  const auto applied = plans::apply_side_file(*side, report);
  if (!applied) return fuzz::must_be_one_line(applied.failure());
  // load_plan checks last of all; what it then refuses is told in one line, too.
  if (const auto checked = core::check_plan(report.plan); !checked) return fuzz::must_be_one_line(checked.failure());
  fuzz::must_be_sound(report);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto text = base::as_text({data + 1, size - 1});
  switch (data[0] % 3) {
    case 0: {
      plans::import_options how;
      how.source = "hall.csv";
      how.name = "hall";
      const auto r = plans::import_csv(text, how);
      if (!r) return fuzz::must_be_one_line(r.failure()), 0;
      fuzz::must_be_sound(*r);
      break;
    }
    case 1: beside_a_plan(plans::read_side_csv(text, "side.csv")); break;
    default: beside_a_plan(plans::read_side_toml(text, "side.toml")); break;
  }
  return 0;
}
