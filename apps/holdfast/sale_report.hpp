// What a rush came to, as a document.
#pragma once

#include "apps/holdfast/document.hpp"
#include "apps/holdfast/hold_race.hpp"
#include "apps/holdfast/rush.hpp"
#include "core/look.hpp"

namespace holdfast::cli {

struct sale_frame {
  std::string session;
  std::uint32_t connections = 0, money_connections = 0, depth = 0;
  double seconds = 0;
  core::session_seen before, after;
  client::pipelined::counts wire;
  /// When all holds that nobody came back to had ended, after the last of their deadlines; negative: not waited for, or not seen.
  double expired_after_s = -1;
};

[[nodiscard]] document report_of(const rush& r, const sale_frame& f);
[[nodiscard]] document report_of(const hold_race& r, const sale_frame& f);
/// What no sale may do: a seat sold twice, more sold than there is, or less in the server's books than buyers were told.
[[nodiscard]] std::vector<std::string> violations_of(const rush& r, const sale_frame& f);

}  // namespace holdfast::cli
