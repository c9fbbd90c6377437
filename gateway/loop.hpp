// One thread with its io_context. In each turn it reads all sockets that have something, judges what came, sends one batch to
// each session that was asked, and writes each connection's answers in one call.
#pragma once

#include <array>
#include <cstdint>
#include <future>
#include <functional>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "actors/interfaces.hpp"
#include "gateway/connection.hpp"
#include "gateway/credits.hpp"
#include "gateway/desk.hpp"
#include "gateway/door.hpp"
#include "gateway/options.hpp"
#include "gateway/stats.hpp"
#include "gateway/surroundings.hpp"
#include "gateway/tickets.hpp"

namespace holdfast::gateway {

/// A session as one loop sees it.
struct gate {
  actors::session_entry_ptr entry;
  std::shared_ptr<session_credits> credits;
  actors::request_batch_ptr batch;  ///< of this turn; null: nothing asked yet
};

class loop {
 public:
  /// `loops` shows what all loops of the gateway count, for operators.
  loop(std::string name, const options& limits, const surroundings& around, credit_book& credits, std::function<loops_seen()> loops);
  ~loop();
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  // ---- any thread ----
  [[nodiscard]] boost::asio::io_context& io() { return io_; }
  [[nodiscard]] stats_seen read_stats() const;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t board_row() const { return board_row_; }
  /// Drains and then lets `run` return, after drain_max at the latest. Listeners must have stopped.
  void stop();
  /// Looks at the time limits of all connections now. For tests with a clock of their own.
  void sweep_all();

  /// Is the thread, until stopped and drained.
  void run();

  // ---- its own thread ----
  /// Takes over the descriptor.
  void adopt(listener& through, int fd, const remote_address& from);
  /// Each handler calls it first.
  void begin_turn();
  [[nodiscard]] time_point now() const { return now_; }
  [[nodiscard]] core::log_time log_now();
  [[nodiscard]] std::uint64_t read_ns() const { return turn_began_ns_; }
  [[nodiscard]] const std::string& server_name() const { return around_.server; }
  [[nodiscard]] loop_stats& counters() { return stats_; }

  // for connections
  /// A whole frame of family session or house. Not none: its bytes are wrong.
  [[nodiscard]] protocol::protocol_error request(connection& from, const protocol::frame& f, protocol::family family);
  void marked(connection& c) { marked_.push_back(&c); }
  void bury(connection& c) { graves_.push_back(c.id()); }
  [[nodiscard]] base::bytes spare_buffer();
  /// What one connection at a time reads into.
  [[nodiscard]] std::span<std::uint8_t> lent_to_read() { return lent_to_read_; }
  void give_back(base::bytes&& buffer);
  void note_problem(protocol::listener_kind on, protocol::protocol_error what);

  // for the desk
  [[nodiscard]] connection* find(connection_id id);
  [[nodiscard]] gate* find(core::session_id id);
  [[nodiscard]] const actors::directory& sessions() const { return directory_; }
  /// Any thread, once: ready when the first directory of sessions has come.
  [[nodiscard]] std::future<void> first_directory() { return first_directory_.get_future(); }
  [[nodiscard]] actors::request_batch& batch_for(gate& g);
  [[nodiscard]] tickets& open_requests() { return tickets_; }
  [[nodiscard]] door& to_actors() { return *door_; }
  [[nodiscard]] const options& limits() const { return limits_; }
  [[nodiscard]] loops_seen all_loops() const { return loops_(); }

 private:
  struct slot {
    std::unique_ptr<connection> held;
    std::uint32_t generation = 0;
  };

  protocol::protocol_error session_request(connection& from, const protocol::frame& f);
  protocol::protocol_error house_request(connection& from, const protocol::frame& f);
  void refuse(connection& to, std::uint64_t request_id, std::uint16_t kind, const core::answer& said);
  void take_inbox();
  void take_directory(const actors::directory& news);
  void deliver(gate& of, const actors::answer_batch& batch);
  void send_batches();
  void end_turn();
  void free_closed();
  void sweep(std::size_t connections_max);
  void arm_sweep();
  void begin_drain();
  void give_up_draining();
  [[nodiscard]] bool drained() const { return live_ == 0 && tickets_.open() == 0; }

  const std::string name_;
  const options& limits_;
  const surroundings& around_;
  credit_book& credit_book_;
  const std::function<loops_seen()> loops_;

  boost::asio::io_context io_;
  boost::asio::steady_timer sweep_timer_;
  inbox inbox_;
  std::unique_ptr<door> door_;
  desk desk_;

  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::size_t live_ = 0;
  std::size_t sweep_from_ = 0;
  std::vector<connection*> marked_;
  std::vector<connection_id> graves_;
  tickets tickets_;

  actors::directory directory_;
  bool knows_sessions_ = false;
  std::promise<void> first_directory_;
  boost::unordered_flat_map<std::uint64_t, std::unique_ptr<gate>> gates_;
  gate* last_gate_ = nullptr;  ///< of `last_session_`, found last
  core::session_id last_session_;
  std::vector<gate*> asked_;  ///< gates with a batch
  actors::pool<actors::request_batch> batches_;
  std::pmr::monotonic_buffer_resource scrap_;  ///< for requests that go to no session; emptied each turn
  std::vector<base::bytes> spare_;
  std::array<std::uint8_t, 16 * 1024> lent_to_read_{};
  inbox::content taken_;

  // the turn
  bool in_turn_ = false;
  time_point now_{};
  std::uint64_t turn_began_ns_ = 0;
  core::log_time log_now_;
  std::uint64_t wall_us_ = 0;
  std::size_t collected_ = 0;  ///< requests of this turn for sessions
  std::size_t read_ = 0;       ///< all requests of this turn
  time_point problem_logged_{};
  std::uint64_t problems_unlogged_ = 0;

  bool draining_ = false, finished_ = false;
  time_point drain_until_{};

  loop_stats stats_;
  std::shared_ptr<actors::meter> meter_ = std::make_shared<actors::meter>();
  std::uint64_t board_row_ = 0;
};

}  // namespace holdfast::gateway
