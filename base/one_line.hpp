// Other people's messages in the one line that base::error promises.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::base {

/// `text` with a space in the place of each line break and other control character: a library may quote the input that it met.
inline std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return line;
}

}  // namespace holdfast::base
