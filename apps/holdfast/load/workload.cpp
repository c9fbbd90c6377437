#include "apps/holdfast/load/workload.hpp"

#include <string>

namespace holdfast::cli::load {

base::result<workload> workload_named(std::string_view name) {
  if (name == "f1")
    return workload{.any_seat = true, .whole_sales = true, .holds_per_seat = 10, .confirm_percent = 90, .release_percent = 10};
  if (name == "f2") return workload{.any_seat = true, .sold_out = true, .holds_per_seat = 0};
  if (name == "f3") return workload{.confirm_percent = 100};
  if (name == "hold") return workload{};
  if (name == "mix")
    return workload{.any_seat = true, .holds_per_seat = 0, .confirm_percent = 5, .release_percent = 90, .look_percent = 20};
  return base::error{base::trouble::bad_input, "there is no workload '" + std::string(name) + "': f1, f2, f3, hold, mix"};
}

}  // namespace holdfast::cli::load
