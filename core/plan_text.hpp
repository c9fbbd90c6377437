// What a text in a plan may be. Importers ask it early, so that their errors can name line or field.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::core {

inline constexpr std::size_t seat_number_bytes_max = 32;
inline constexpr std::size_t identity_bytes_max = 128;

/// Empty if `text` will do, else why not, beginning with `what` ("the name is empty"). It must be well-formed UTF-8
/// without control characters: plans are printed on terminals, in JSON and on tickets.
[[nodiscard]] std::string plan_text_trouble(std::string_view what, std::string_view text, std::size_t bytes_max,
                                            bool may_be_empty);

}  // namespace holdfast::core
