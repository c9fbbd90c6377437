// How much a server takes: the rate of an open loop is raised until a step fails, then the gap between the best step that held and the
// worst that did not is halved until it is small. The search is a plain object, told what each step came to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::cli::load {

/// What one step at one rate came to.
struct step_seen {
  double rate = 0;              ///< that was asked for
  double achieved = 0;          ///< operations a second that were answered
  std::uint64_t p999_ns = 0;
  std::uint64_t behind = 0;     ///< operations due and not sent, or sent and not answered, when the step's time was over
  std::uint64_t operations = 0;     ///< answered
  std::uint64_t retransmitted = 0;  ///< TCP segments
  bool ran_out = false;         ///< there were no seats left: the step says nothing
};

struct ceiling_limits {
  double first_rate = 1'000;
  double factor = 2;            ///< from step to step while all goes well
  double close_enough = 0.05;   ///< the gap, as a part of the rate, at which the search ends
  std::uint64_t p999_max_ns = 100'000'000;
  /// Segments a step may send again: so many, or this part of its operations. On a machine that is short of processors TCP probes for
  /// the tail of what is merely answered late, more often the higher the rate.
  std::uint64_t retransmitted_max = 100;
  double retransmitted_part = 0.01;
  unsigned steps_max = 30;
};

enum class stopper : std::uint8_t { none, slow, queue, retransmissions, no_seats };
[[nodiscard]] std::string_view name_of(stopper s);
/// Why a step does not count as held; none: it held. A queue grows if answers fall behind the rate by more than two in a hundred, or if
/// more is waiting at the end than p99.9's limit allows at that rate.
[[nodiscard]] stopper judge(const step_seen& s, const ceiling_limits& l);

class ceiling_search {
 public:
  explicit ceiling_search(ceiling_limits l) : limits_(l), next_(l.first_rate) {}

  [[nodiscard]] bool over() const { return over_; }
  /// The rate to try now.
  [[nodiscard]] double rate() const { return next_; }
  void tell(const step_seen& s);

  [[nodiscard]] double held() const { return held_; }      ///< the highest rate that held; 0: none did
  [[nodiscard]] double failed() const { return failed_; }  ///< the lowest that did not; 0: none failed
  [[nodiscard]] stopper why() const { return why_; }       ///< of that one

 private:
  ceiling_limits limits_;
  double next_, held_ = 0, failed_ = 0;
  unsigned steps_ = 0;
  stopper why_ = stopper::none;
  bool over_ = false;
};

/// The scale of flash sales, requests a second: small 100-1,000, medium 10,000-50,000, large 100,000-1,000,000; and what lies between.
[[nodiscard]] std::string band_of(double rate);

}  // namespace holdfast::cli::load
