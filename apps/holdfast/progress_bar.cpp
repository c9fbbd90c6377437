#include "apps/holdfast/progress_bar.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace holdfast::cli {

std::string bar_text(double done, std::string_view text, unsigned width) {
  done = std::clamp(done, 0.0, 1.0);
  const auto full = static_cast<unsigned>(done * width);
  return fmt::format("[{}{}] {:3} %  {}", std::string(full, '#'), std::string(width - full, '.'), static_cast<int>(done * 100), text);
}

}  // namespace holdfast::cli
