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
  std::chrono::milliseconds give_up_after{0};
  core::session_seen before, after;
  client::pipelined::counts wire;
  /// What became of the holds that nobody came back to.
  enum class expiry : std::uint8_t {
    not_watched,  ///< or there were none
    seen,         ///< the last of them ended `expired_after_s` after its deadline, as far as looking every few milliseconds tells
    over_before,  ///< they had ended when the rush had
    live_on,      ///< holds were left long after: those of others
  };
  expiry expired = expiry::not_watched;
  double expired_after_s = 0;
};

[[nodiscard]] document report_of(const rush& r, const sale_frame& f);
[[nodiscard]] document report_of(const hold_race& r, const sale_frame& f);
/// What no sale may do: a seat sold twice, another answer to the same request, more sold than there is, or less in the server's books
/// than buyers were told.
[[nodiscard]] std::vector<std::string> violations_of(const rush& r, const sale_frame& f);

}  // namespace holdfast::cli
