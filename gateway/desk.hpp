// Serves what is asked of the house as a whole: the number of a named session, and all that operators want to see or create.
// Asks sessions, registry and inspector like anybody else, with tickets, and answers when all has come.
//
// A loop's, in its thread. Operators have a loop of their own, so that a long look never delays a buyer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/interfaces.hpp"
#include "gateway/stats.hpp"
#include "gateway/tickets.hpp"
#include "protocol/messages.hpp"

namespace holdfast::gateway {

class connection;
class loop;
struct surroundings;

/// One loop as operators see it.
struct loop_seen {
  std::string name;
  std::uint64_t board_row = 0;
  stats_seen stats;
};
using loops_seen = std::vector<loop_seen>;

class desk {
 public:
  desk(loop& home, const surroundings& around) : loop_(home), around_(around) {}

  /// Credits are taken and the request is counted. Answers now or later; nothing of `asked` is borrowed beyond the call.
  void ask(connection& from, const protocol::house_request& asked, weight took);
  /// clear_fault comes as a session's command but is the registry's to do.
  void clear_fault(connection& from, const protocol::request& asked, weight took);

  // ---- what came of the desk's own tickets; redeemed already ----
  void answered(std::uint64_t ticket, const actors::ticket_answer& a);
  void answered(const actors::session_answer& a);
  void answered(const actors::inspection& i);

 private:
  struct job {
    connection_id from = 0;
    std::uint64_t request_id = 0;
    std::uint16_t kind = 0;
    weight took = weight::plain;
    std::size_t open = 0;                ///< tickets without an answer
    core::answer said;                   ///< what goes out with `seen`
    protocol::house_seen seen;
    std::uint64_t actor = 0;             ///< actors: from; actor_inside: which
    std::shared_ptr<const core::session_terms> terms;  ///< create_session
  };
  struct waited {
    std::uint64_t job = 0;
    core::session_id about;              ///< looks: the session asked
  };

  void create(connection& from, const protocol::create_session& a, std::uint64_t number);
  void list(job& j, std::uint64_t number, core::session_id from);
  [[nodiscard]] std::uint64_t begin(connection& from, std::uint64_t request_id, std::uint16_t kind, weight took);
  [[nodiscard]] std::uint64_t ticket_for(std::uint64_t number, core::session_id about = {});
  /// False: no such session.
  bool look(std::uint64_t number, core::session_id at, core::look what);
  [[nodiscard]] waited redeem(std::uint64_t ticket);
  void refuse(std::uint64_t number, core::refusal why);
  void finish(std::uint64_t number);

  loop& loop_;
  const surroundings& around_;
  std::unordered_map<std::uint64_t, job> jobs_;
  std::unordered_map<std::uint64_t, waited> waiting_;  ///< by ticket
  std::uint64_t next_ = 1;
};

}  // namespace holdfast::gateway
