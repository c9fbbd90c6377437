// One call of the program: what all subcommands share.
#pragma once

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "apps/holdfast/arguments.hpp"
#include "apps/holdfast/document.hpp"
#include "apps/holdfast/program.hpp"
#include "client/blocking.hpp"
#include "core/plan.hpp"

namespace holdfast::cli {

/// Through which door a subcommand goes if the call does not say.
enum class door : std::uint8_t { shop, admin };

struct invocation {
  surroundings& around;
  bool json = false;
  std::string server{};    ///< host:port; empty: not said
  std::string admin{};     ///< path of the socket; empty: not said
  bool buyer = false;      ///< --server is a buyers' listener
  unsigned channel = 0;
  unsigned attempts = 5;
  std::string answer_within = "30s";  ///< how long one answer may take
  std::function<int()> todo{};  ///< set by the subcommand that was named

  // ---- saying ----
  /// As JSON or as text, whichever is wanted; returns `code`.
  int say(const document& d, int code = exits::ok);
  /// One line on the error stream (in JSON: an object with "error"); returns the exit code of its kind.
  int fail(const base::error& e);

  // ---- asking ----
  /// The door that a subcommand for `usual` goes through.
  [[nodiscard]] door door_for(door usual) const;
  [[nodiscard]] base::result<client::options> options_for(door d) const;
  /// Buyers say who they are when they connect.
  base::result<client::blocking> connect(door usual, core::owner_id owner = {}, std::vector<core::limit_key> keys = {});
};

inline constexpr const char* default_server = "127.0.0.1:7411";
inline constexpr const char* default_admin = "build/demo/admin.sock";

[[nodiscard]] int exit_code_of(base::trouble t);

/// A session by its name, or by its number as "#12".
base::result<protocol::session_brief> find_session(client::blocking& c, const std::string& name);
/// All pages put together again.
base::result<core::plan> fetch_plan(client::blocking& c, core::session_id session, std::uint32_t revision);
/// The plan if any of these places needs it.
base::result<std::optional<core::plan>> plan_for(client::blocking& c, const protocol::session_brief& s, const std::vector<place_meant>& places);

/// The facts of an answer to a command, and the code to exit with.
document tell(const core::answer& said, core::log_time now);
[[nodiscard]] int code_of(const core::answer& said);
/// Adds which lines offend.
void tell_lines(const core::answer& said, const std::vector<core::line>& lines, const core::plan* p, document& to);

// ---- the subcommands, a file each ----
void add_plan(CLI::App& app, invocation& in);
void add_session(CLI::App& app, invocation& in);
void add_hold(CLI::App& app, invocation& in);       ///< hold, change, extend, release
void add_payment(CLI::App& app, invocation& in);    ///< pay, payment-failed, confirm, cancel, settle
void add_operator(CLI::App& app, invocation& in);   ///< block, unblock, allocate, shift
void add_seats(CLI::App& app, invocation& in);
void add_looks(CLI::App& app, invocation& in);      ///< order, fate, mine
void add_find(CLI::App& app, invocation& in);
void add_actors(CLI::App& app, invocation& in);
void add_stats(CLI::App& app, invocation& in);
void add_audit(CLI::App& app, invocation& in);
void add_sale(CLI::App& app, invocation& in);
void add_bench(CLI::App& app, invocation& in);
void add_check(CLI::App& app, invocation& in);
void add_simulate(CLI::App& app, invocation& in);

/// Returns the error of `r` from a subcommand, or goes on.
#define HOLDFAST_CLI_TRY(in, r) \
  do {                          \
    if (!(r)) return (in).fail((r).failure()); \
  } while (false)

}  // namespace holdfast::cli
