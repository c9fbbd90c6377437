// What all fuzz targets share. A target is one function over arbitrary bytes; a property that does not hold aborts through
// HOLDFAST_CHECK, which libFuzzer and the plain replay (replay.cpp) both report with the input at hand.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/result.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace holdfast::fuzz {

/// What base::error promises whoever prints it: one line that says something.
inline void must_be_one_line(const base::error& e) {
  HOLDFAST_CHECK(!e.text.empty(), "an error without a word");
  HOLDFAST_CHECK(std::ranges::none_of(e.text, [](char c) { return c == '\n' || c == '\r'; }), "an error of several lines");
}

/// What was read from `first` and written again. The same bytes, but for options that nobody knows and all skip: without them the
/// bytes are fewer, and have only one form from then on (`again` is the second form, read and written once more).
inline void must_have_one_form(base::byte_view first, base::byte_view second, base::byte_view again) {
  HOLDFAST_CHECK(std::ranges::equal(second, again), "what was written is not read as what it was");
  if (std::ranges::equal(first, second)) return;
  HOLDFAST_CHECK(second.size() < first.size(), "one value has two forms");
}

}  // namespace holdfast::fuzz
