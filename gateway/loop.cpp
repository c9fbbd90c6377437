#include "gateway/loop.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "gateway/funnel.hpp"
#include "protocol/codec.hpp"

namespace holdfast::gateway {

using actors::steady_ns;
using protocol::protocol_error;

namespace {

constexpr std::size_t spare_buffers_max = 256;
constexpr std::size_t spare_buffer_bytes = 4'096;
constexpr std::size_t spare_buffer_bytes_max = 1U << 20U;  // a buffer that grew beyond is freed
constexpr std::size_t sweep_slices = 4;
/// What is refused here holds up nobody behind it: a turn may read so many times as many requests as it hands over.
constexpr std::size_t refused_too = 4;
constexpr auto problem_log_every = std::chrono::seconds(1);

/// Requests and looks begin with their session's number.
core::session_id session_of(const protocol::frame& f) {
  return core::session_id{base::byte_reader(f.body).fixed<std::uint64_t>()};
}

}  // namespace

loop::loop(std::string name, const options& limits, const surroundings& around, credit_book& credits, std::function<loops_seen()> loops)
    : name_(std::move(name)), limits_(limits), around_(around), credit_book_(credits), loops_(std::move(loops)),
      io_(1), sweep_timer_(io_),
      inbox_([this] {
        boost::asio::post(io_, [this] {
          begin_turn();
          take_inbox();
        });
      }),
      desk_(*this, around), batches_(512) {
  if (around_.board) board_row_ = around_.board->add("gateway", name_, meter_);
  door_ = around_.attach(inbox_);
}

loop::~loop() {
  if (around_.board) around_.board->remove(board_row_);
}

stats_seen loop::read_stats() const {
  auto s = stats_.read();
  s.waiting = inbox_.waiting();
  return s;
}

// ---- the turn -----------------------------------------------------------------------------------------------

void loop::run() {
  ::pthread_setname_np(::pthread_self(), name_.substr(0, 15).c_str());
  const auto stay = boost::asio::make_work_guard(io_);
  arm_sweep();
  while (!finished_) {
    // The first handler, waited for; then all that are ready with it, so that one turn serves all connections that have
    // something, but not for ever.
    io_.run_one();
    while (collected_ < limits_.turn_requests_max && read_ < refused_too * limits_.turn_requests_max && io_.poll_one() != 0) {}
    end_turn();
  }
  door_->detach();
  sweep_timer_.cancel();
  for (auto& s : slots_)
    if (s.held && !s.held->closed()) s.held->close(closing::stopped);
  // Handlers of closed sockets refer to their connections: none may be left.
  while (io_.poll_one() != 0) {}
}

void loop::begin_turn() {
  if (std::exchange(in_turn_, true)) return;
  turn_began_ns_ = steady_ns();
  now_ = around_.now();
  log_now_ = {};
  wall_us_ = around_.time->wall_clock();
}

core::log_time loop::log_now() {
  if (log_now_.value == 0) log_now_ = around_.time->now();
  return log_now_;
}

void loop::end_turn() {
  if (!in_turn_) return;
  // Sessions first: they decide while this thread writes.
  send_batches();
  for (std::size_t i = 0; i < marked_.size(); ++i) marked_[i]->end_turn();  // may mark more
  marked_.clear();
  send_batches();  // what was left unread by a pause
  free_closed();
  scrap_.release();
  collected_ = read_ = 0;
  in_turn_ = false;
  if (draining_) {
    if (now_ >= drain_until_) give_up_draining();
    if (drained()) finished_ = true;
  }
  const auto ended = steady_ns();
  stats_.turns.add();
  stats_.busy_ns.add(ended - turn_began_ns_);
  stats_.turn_ns.add(ended - turn_began_ns_);
  stats_.in_flight.set(tickets_.open());
  meter_->handled_own(turn_began_ns_, ended);
}

actors::request_batch& loop::batch_for(gate& g) {
  if (!g.batch) {
    g.batch = batches_.take();
    asked_.push_back(&g);
  }
  return *g.batch;
}

void loop::send_batches() {
  for (auto* g : asked_) {
    if (g->batch->requests.empty()) {
      g->batch.reset();  // all of it was refused here
    } else {
      stats_.batches.add();
      door_->send(*g->entry, std::move(g->batch));
    }
    g->batch = nullptr;
  }
  asked_.clear();
}

void loop::free_closed() {
  for (const auto id : graves_) {
    auto& s = slots_[static_cast<std::uint32_t>(id)];
    if (s.generation != id >> 32U || !s.held || !s.held->may_be_freed()) continue;
    s.held.reset();
    ++s.generation;
    free_slots_.push_back(static_cast<std::uint32_t>(id));
    --live_;
  }
  graves_.clear();
}

// ---- connections --------------------------------------------------------------------------------------------

void loop::adopt(listener& through, int fd, const remote_address& from) {
  begin_turn();
  if (draining_) {
    ::close(fd);
    return through.left(from);
  }
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const auto at = free_slots_.back();
  free_slots_.pop_back();
  auto& s = slots_[at];
  s.held = std::make_unique<connection>(*this, through, fd, from, at | std::uint64_t{s.generation} << 32U, now_);
  ++live_;
  stats_.accepted.add();
  stats_.connections.add();
  s.held->start();
}

connection* loop::find(connection_id id) {
  const auto at = static_cast<std::uint32_t>(id);
  if (at >= slots_.size() || !slots_[at].held || slots_[at].held->closed()) return nullptr;
  if (slots_[at].generation != id >> 32U && !planted(bug::answers_go_to_who_comes_next)) return nullptr;
  return slots_[at].held.get();
}

gate* loop::find(core::session_id id) {
  // In a rush one request after the other is for the same session; a gate stays for as long as the loop does.
  if (last_gate_ != nullptr && last_session_ == id) return last_gate_;
  const auto it = gates_.find(id.value);
  if (it == gates_.end()) return nullptr;
  last_session_ = id;
  return last_gate_ = it->second.get();
}

base::bytes loop::spare_buffer() {
  base::bytes b;
  if (spare_.empty()) {
    b.reserve(spare_buffer_bytes);
  } else {
    b = std::move(spare_.back());
    spare_.pop_back();
  }
  return b;
}

void loop::give_back(base::bytes&& buffer) {
  if (spare_.size() >= spare_buffers_max || buffer.capacity() > spare_buffer_bytes_max) return;
  buffer.clear();
  spare_.push_back(std::move(buffer));
}

void loop::note_problem(protocol::listener_kind on, protocol_error what) {
  if (!around_.log) return;
  if (now_ - problem_logged_ < problem_log_every) {
    ++problems_unlogged_;
    return;
  }
  problem_logged_ = now_;
  around_.log(fmt::format("a {} connection was closed: {} ({} more since the last line)", protocol::name_of(on), protocol::name_of(what),
                          std::exchange(problems_unlogged_, 0)));
}

// ---- requests -----------------------------------------------------------------------------------------------

protocol_error loop::request(connection& from, const protocol::frame& f, protocol::family family) {
  ++read_;
  stats_.received.add();
  const auto wrong = family == protocol::family::session ? session_request(from, f) : house_request(from, f);
  if (wrong != protocol_error::none) stats_.ended_at(stage::broken_frame);
  return wrong;
}

protocol_error loop::session_request(connection& from, const protocol::frame& f) {
  auto* to = find(session_of(f));
  // Straight into the memory of the batch it will travel in, if it passes.
  std::pmr::memory_resource& arena = to != nullptr ? batch_for(*to).arena() : scrap_;
  protocol::request asked;
  if (const auto wrong = protocol::decode_request(f, from.context(), arena, asked); wrong != protocol_error::none) return wrong;
  if (asked.retry) stats_.retries.add();

  stall where;
  if (to != nullptr) {
    where.view = to->entry->view.get();
    where.credits = to->credits.get();
    if (to->entry->opens_at) where.opens_at = to->entry->opens_at->load(std::memory_order_acquire);
  }
  const auto said = judge(asked, from.context().listener, to != nullptr ? &where : nullptr, wall_us_, from.credits(),
                          static_cast<core::interval_ms>(limits_.busy_retry_after.count()));
  stats_.ended_at(said.at);
  if (said.at != stage::passed) {
    refuse(from, asked.id, asked.kind, said.said);
    return protocol_error::none;
  }
  if (asked.kind == protocol::kind_of(core::command_tag::clear_fault)) {
    to->credits->give_back(1);  // the registry's, not the session's
    desk_.clear_fault(from, asked, weight_of(asked.kind));
    return protocol_error::none;
  }
  open_request open;
  open.from = from.id();
  open.request_id = asked.id;
  open.read_ns = turn_began_ns_;
  open.kind = asked.kind;
  open.took = weight_of(asked.kind);
  ++collected_;
  to->batch->requests.push_back({tickets_.issue(open), asked.head, std::move(asked.asked)});
  return protocol_error::none;
}

protocol_error loop::house_request(connection& from, const protocol::frame& f) {
  protocol::house_request asked;
  if (const auto wrong = protocol::decode_house_request(f, from.context(), scrap_, asked); wrong != protocol_error::none) return wrong;
  const auto say = [&](stage at, core::refusal why) {
    core::answer said;
    said.refused = why;
    if (at == stage::busy) said.retry_after = static_cast<core::interval_ms>(limits_.busy_retry_after.count());
    stats_.ended_at(at);
    refuse(from, asked.id, asked.kind, said);
    return protocol_error::none;
  };
  if (!may_ask(from.context().listener, asked.kind)) return say(stage::not_allowed, core::refusal::not_allowed);
  if (asked.impossible != core::refusal::none) return say(stage::impossible, asked.impossible);
  if (asked.kind == protocol::kinds::ping) return say(stage::served, core::refusal::none);
  const auto w = weight_of(asked.kind);
  if (!from.credits().take(w)) return say(stage::busy, core::refusal::busy);
  stats_.ended_at(stage::served);
  desk_.ask(from, asked, w);
  return protocol_error::none;
}

void loop::refuse(connection& to, std::uint64_t request_id, std::uint16_t kind, const core::answer& said) {
  protocol::encode_answer({request_id, kind, log_now()}, said, to.output());
  stats_.answers.add();
}

// ---- answers ------------------------------------------------------------------------------------------------

void loop::take_inbox() {
  inbox_.take(taken_);
  if (taken_.oldest != 0 && turn_began_ns_ > taken_.oldest) stats_.queue_ns.add(turn_began_ns_ - taken_.oldest);
  for (const auto& news : taken_.directories) take_directory(*news);
  for (const auto& d : taken_.deliveries) {
    for (const auto& batch : d->batches) {
      auto* of = find(batch->session);
      HOLDFAST_CHECK(of != nullptr, "answers of a session that was never asked");
      deliver(*of, *batch);
    }
  }
  for (const auto& a : taken_.session_answers) {
    tickets_.redeem(a->ticket);
    desk_.answered(*a);
  }
  for (const auto& i : taken_.inspections) {
    tickets_.redeem(i->ticket);
    desk_.answered(*i);
  }
  taken_.clear();
}

void loop::deliver(gate& of, const actors::answer_batch& batch) {
  // Decided a moment ago, perhaps after this turn began.
  if (batch.at > log_now()) log_now_ = batch.at;
  for (const auto& a : batch.answers) {
    const auto r = tickets_.redeem(a.ticket);
    if (r.for_desk) {
      desk_.answered(a.ticket, a);
      continue;
    }
    auto* to = find(r.from);
    if (to == nullptr) {
      stats_.answers_lost.add();
      continue;
    }
    protocol::encode_answer({r.request_id, r.kind, log_now()}, a.said, a.shown.get(), to->output());
    to->credits().give_back(r.took);
    to->answered();
    stats_.answers.add();
    stats_.request_ns.add(turn_began_ns_ - std::min(turn_began_ns_, r.read_ns));
  }
  of.credits->give_back(static_cast<std::uint32_t>(batch.answers.size()));
}

void loop::take_directory(const actors::directory& news) {
  directory_.add(news);
  if (!std::exchange(knows_sessions_, true)) first_directory_.set_value();
  for (const auto& [id, entry] : news.by_id) {
    auto& g = gates_[id.value];
    if (!g) {
      g = std::make_unique<gate>();
      g->credits = credit_book_.of(id);
    }
    g->entry = entry;
  }
}

// ---- time and the end ---------------------------------------------------------------------------------------

void loop::arm_sweep() {
  sweep_timer_.expires_after(limits_.sweep_every);
  sweep_timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    begin_turn();
    sweep(slots_.size() / sweep_slices + 1);
    arm_sweep();
  });
}

void loop::sweep(std::size_t connections_max) {
  for (std::size_t n = std::min(connections_max, slots_.size()); n > 0; --n) {
    if (sweep_from_ >= slots_.size()) sweep_from_ = 0;
    if (auto& s = slots_[sweep_from_++]; s.held) s.held->check_time(now_);
  }
}

void loop::sweep_all() {
  boost::asio::post(io_, [this] {
    begin_turn();
    sweep(slots_.size());
  });
}

void loop::stop() {
  boost::asio::post(io_, [this] {
    begin_turn();
    begin_drain();
  });
}

void loop::begin_drain() {
  if (std::exchange(draining_, true)) return;
  drain_until_ = now_ + limits_.drain_max;
  for (auto& s : slots_)
    if (s.held) s.held->drain(protocol::goodbye_code::stopping, closing::stopped);
}

void loop::give_up_draining() {
  for (auto& s : slots_)
    if (s.held && !s.held->closed()) s.held->close(closing::stopped);
  finished_ = true;
}

}  // namespace holdfast::gateway
