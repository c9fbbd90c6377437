#include <doctest/doctest.h>

#include "apps/holdfast/seat_drawing.hpp"

using namespace holdfast;
using namespace holdfast::cli;

namespace {

core::plan hall() {
  core::plan p;
  p.zones = {"Stalls", "Empty", "Balcony"};
  p.allocations = {"public", "members"};
  p.rows = {{0, "A"}, {0, "A"}, {2, "1"}, {0, "AA"}};
  const auto add = [&](std::uint32_t row, int n) {
    for (int i = 0; i < n; ++i) p.seats.push_back({row, std::to_string(i + 1), ""});
  };
  add(0, 4);
  add(1, 3);
  add(2, 2);
  add(3, 1);
  p.areas = {{"Pit", "pit", 0, {30, 10}}};
  return p;
}

}  // namespace

TEST_CASE("a hall is drawn zone by zone, a character a seat") {
  const auto p = hall();
  const std::vector<std::uint8_t> states{0, 1, 2, 3, 4, 0x81, 0x82, 0x83, 0, 7};
  CHECK(draw_seats(p, states, {}) ==
        "Stalls\n"
        "   A  .hp#  xHP\n"
        "  AA  ?\n"
        "\n"
        "Balcony\n"
        "  1  @.\n");
}

TEST_CASE("colours change where states do") {
  auto p = hall();
  CHECK(draw_seats(p, {3, 3, 0, 0}, {true, true, 80}).starts_with("Stalls\n   A  \x1b[32m##\x1b[0m\x1b[2m..\x1b[0m  \n"));
}

TEST_CASE("below the drawing stand the legend and the areas") {
  const auto p = hall();
  const std::vector<std::uint8_t> states{0, 1, 2, 3, 4, 0x81, 0x82, 0x83, 0, 0};
  core::area_seen pit;
  pit.allocations.resize(2);
  pit.allocations[0].free = 20;
  pit.allocations[0].sold = 10;
  pit.allocations[1].blocked = 10;
  const auto text = to_text(seats_document(p, states, {pit}, {}), {});
  CHECK(text.substr(text.find("seats\n")) ==
        "seats\n"
        "drawn  state    seats  withdrawn  drawn then\n"
        ".      free         3          0  -\n"
        "h      held         2          1  H\n"
        "p      paying       2          1  P\n"
        "#      sold         2          1  @\n"
        "x      blocked      1          0  -\n"
        "\n"
        "areas\n"
        "area  allocation  free  held  paying  sold  blocked  withdrawn\n"
        "Pit   public        20     0       0    10        0          0\n"
        "Pit   members        0     0       0     0       10          0\n");
}
