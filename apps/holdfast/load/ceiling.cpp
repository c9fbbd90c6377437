#include "apps/holdfast/load/ceiling.hpp"

#include <algorithm>

namespace holdfast::cli::load {

namespace {

constexpr double achieved_min = 0.98;

}  // namespace

std::string_view name_of(stopper s) {
  switch (s) {
    case stopper::none: return "held";
    case stopper::slow: return "p99.9 too long";
    case stopper::queue: return "the queue grows";
    case stopper::retransmissions: return "TCP retransmits";
    case stopper::no_seats: return "no seats left";
  }
  return "unknown";
}

stopper judge(const step_seen& s, const ceiling_limits& l) {
  if (s.ran_out) return stopper::no_seats;
  const auto retransmitted_max = std::max(static_cast<double>(l.retransmitted_max), static_cast<double>(s.operations) * l.retransmitted_part);
  if (static_cast<double>(s.retransmitted) > retransmitted_max) return stopper::retransmissions;
  const auto waiting_max = s.rate * static_cast<double>(l.p999_max_ns) / 1e9;
  if (s.achieved < s.rate * achieved_min || static_cast<double>(s.behind) > waiting_max) return stopper::queue;
  return s.p999_ns > l.p999_max_ns ? stopper::slow : stopper::none;
}

void ceiling_search::tell(const step_seen& s) {
  const auto said = judge(s, limits_);
  if (said == stopper::none) {
    held_ = std::max(held_, s.rate);
  } else if (failed_ == 0 || s.rate < failed_) {
    failed_ = s.rate;
    why_ = said;
  }
  // Without seats every further step would only say so again.
  if (++steps_ >= limits_.steps_max || said == stopper::no_seats) {
    over_ = true;
    return;
  }
  if (failed_ == 0) {
    next_ = s.rate * limits_.factor;
  } else {
    // A rate that held once and failed at less later: trust the failure.
    held_ = std::min(held_, failed_);
    next_ = (held_ + failed_) / 2;
    over_ = failed_ - held_ <= failed_ * limits_.close_enough || failed_ < 1;
  }
}

std::string band_of(double rate) {
  if (rate < 100) return "below all bands";
  if (rate <= 1'000) return "small: 100-1,000 a second";
  if (rate < 10'000) return "above small (100-1,000), below medium (10,000-50,000)";
  if (rate <= 50'000) return "medium: 10,000-50,000 a second";
  if (rate < 100'000) return "above medium (10,000-50,000), below large (100,000-1,000,000)";
  if (rate <= 1'000'000) return "large: 100,000-1,000,000 a second";
  return "above all bands";
}

}  // namespace holdfast::cli::load
