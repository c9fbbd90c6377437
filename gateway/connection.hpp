// One client. Reads what its socket has, cuts it into frames, does the handshake, and writes all its answers of a turn in one
// call. Judging requests is the loop's business.
//
//   greeting --hello--> open --goodbye, end of stream, stop--> draining --all answered--> leaving --written--> lingering --> closed
//        \-----------------\------------ protocol error, too slow ----------------------->/
//
// In its loop's thread only. A closed connection lives on until no handler refers to it any more; then the loop frees it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/planted.hpp"
#include "gateway/credits.hpp"
#include "gateway/listener.hpp"
#include "gateway/options.hpp"
#include "gateway/patience.hpp"
#include "gateway/stats.hpp"
#include "gateway/tickets.hpp"
#include "gateway/wire.hpp"
#include "protocol/frame.hpp"
#include "protocol/messages.hpp"

namespace holdfast::gateway {

class loop;

class connection {
 public:
  connection(loop& home, listener& door, int fd, const remote_address& from, connection_id id, time_point now);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  void start();

  [[nodiscard]] connection_id id() const { return id_; }
  [[nodiscard]] const protocol::connection_context& context() const { return context_; }
  [[nodiscard]] connection_credits& credits() { return credits_; }
  [[nodiscard]] bool closed() const { return state_ == state::closed; }
  /// Closed, and nothing refers to it.
  [[nodiscard]] bool may_be_freed() const { return closed() && !reading_ && !waiting_writable_ && !marked_; }

  // ---- answers ----
  /// Where the next frame to the peer goes; it leaves at the end of the turn. Needs: not closed.
  [[nodiscard]] base::bytes& output();
  /// A request was answered and its credit given back.
  void answered();
  /// At the end of a turn in which it was marked: writes, goes on reading what a pause left unread, ends what is to end.
  void end_turn();

  // ---- endings ----
  /// Reads no more; when all answers are sent, says goodbye and closes.
  void drain(protocol::goodbye_code why, closing counted);
  /// Says goodbye at once and closes; answers under way are not waited for.
  void dismiss(protocol::goodbye_code why, closing counted);
  /// The peer's bytes are wrong: says so and closes.
  void fail(protocol::protocol_error why, std::uint64_t request_id);
  /// Closes without a word.
  void close(closing why);

  /// Ends what takes too long.
  void check_time(time_point now);

 private:
  enum class state : std::uint8_t { greeting, open, draining, leaving, lingering, closed };

  void read();
  void on_readable(bool failed);
  void consume();
  /// False: the connection is no longer read from.
  bool take(const protocol::frame& f);
  void greet(const protocol::frame& f);
  [[nodiscard]] bool output_full() const { return !planted(bug::output_without_bound) && out_.size() - sent_ > listener_.limits().output_bytes_max; }
  [[nodiscard]] bool may_go_on() const { return credits_.money_left() && !output_full(); }
  void write();
  void written();
  void leave();
  void mark();

  loop& loop_;
  listener& listener_;
  wire wire_;
  const remote_address from_;
  const connection_id id_;
  state state_ = state::greeting;
  closing ending_ = closing::peer;
  protocol::goodbye_code goodbye_ = protocol::goodbye_code::asked;
  bool says_goodbye_ = false;       ///< when it has drained
  bool reading_ = false;            ///< a read is under way
  bool waiting_writable_ = false;
  bool marked_ = false;             ///< the loop calls end_turn
  bool paused_ = false;             ///< not read from until may_go_on
  protocol::frame_buffer in_;
  base::bytes out_;                 ///< from the loop's spare buffers while there is something in it
  std::size_t sent_ = 0;            ///< of out_
  connection_credits credits_;
  patience patience_;
  std::size_t lingered_bytes_ = 0;
  protocol::connection_context context_;
};

}  // namespace holdfast::gateway
