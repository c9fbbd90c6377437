#include "gateway/stats.hpp"

#include <numeric>

namespace holdfast::gateway {

std::string_view name_of(stage s) {
  switch (s) {
    case stage::broken_frame: return "broken_frame";
    case stage::not_authenticated: return "not_authenticated";
    case stage::not_allowed: return "not_allowed";
    case stage::impossible: return "impossible";
    case stage::over_rate: return "over_rate";
    case stage::unknown_session: return "unknown_session";
    case stage::not_open: return "not_open";
    case stage::not_eligible: return "not_eligible";
    case stage::gone: return "gone";
    case stage::busy: return "busy";
    case stage::served: return "served";
    case stage::passed: return "passed";
  }
  return "unknown";
}

std::string_view name_of(closing c) {
  switch (c) {
    case closing::peer: return "peer";
    case closing::protocol_error: return "protocol_error";
    case closing::handshake_late: return "handshake_late";
    case closing::frame_late: return "frame_late";
    case closing::idle: return "idle";
    case closing::stalled: return "stalled";
    case closing::refused: return "refused";
    case closing::stopped: return "stopped";
  }
  return "unknown";
}

stats_seen& stats_seen::operator+=(const stats_seen& o) {
  received += o.received;
  for (std::size_t i = 0; i < stages; ++i) by_stage[i] += o.by_stage[i];
  retries += o.retries;
  answers += o.answers;
  answers_lost += o.answers_lost;
  in_flight += o.in_flight;
  connections += o.connections;
  accepted += o.accepted;
  for (std::size_t i = 0; i < closings; ++i) closed[i] += o.closed[i];
  accept_errors += o.accept_errors;
  handshakes += o.handshakes;
  credit_pauses += o.credit_pauses;
  output_pauses += o.output_pauses;
  output_waiting += o.output_waiting;
  bytes_in += o.bytes_in;
  bytes_out += o.bytes_out;
  reads += o.reads;
  writes += o.writes;
  turns += o.turns;
  batches += o.batches;
  busy_ns += o.busy_ns;
  waiting += o.waiting;
  request_ns += o.request_ns;
  turn_ns += o.turn_ns;
  queue_ns += o.queue_ns;
  return *this;
}

bool stats_seen::adds_up() const {
  return received == std::accumulate(by_stage.begin(), by_stage.end(), std::uint64_t{0});
}

stats_seen loop_stats::read() const {
  stats_seen s;
  for (std::size_t i = 0; i < stages; ++i) s.by_stage[i] = by_stage[i].get();
  s.received = received.get();
  s.retries = retries.get();
  s.answers = answers.get();
  s.answers_lost = answers_lost.get();
  s.in_flight = in_flight.get();
  s.connections = connections.get();
  s.accepted = accepted.get();
  for (std::size_t i = 0; i < closings; ++i) s.closed[i] = closed[i].get();
  s.accept_errors = accept_errors.get();
  s.handshakes = handshakes.get();
  s.credit_pauses = credit_pauses.get();
  s.output_pauses = output_pauses.get();
  s.output_waiting = output_waiting.get();
  s.bytes_in = bytes_in.get();
  s.bytes_out = bytes_out.get();
  s.reads = reads.get();
  s.writes = writes.get();
  s.turns = turns.get();
  s.batches = batches.get();
  s.busy_ns = busy_ns.get();
  s.request_ns = request_ns.read();
  s.turn_ns = turn_ns.read();
  s.queue_ns = queue_ns.read();
  return s;
}

}  // namespace holdfast::gateway
