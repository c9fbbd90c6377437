// Options that several subcommands share, and what they come to.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/holdfast/invocation.hpp"

namespace holdfast::cli {

/// An option that may be given several times, each time with one value.
CLI::Option* one_each(CLI::Option* o);

struct place_options {
  std::vector<std::string> places;      ///< positional
  std::vector<std::string> seats, ranges, areas;
  core::price_ref price = 0;
};
void add_options(CLI::App& to, place_options& o);
base::result<std::vector<place_meant>> read_places(const std::vector<std::string>& texts);
base::result<std::vector<place_meant>> read(const place_options& o);

/// Of a new hold.
struct hold_options {
  std::string session, owner, id, basket, interval = "10m";
  std::vector<std::string> keys;
  place_options places;
};
struct new_hold {
  core::owner_id owner;
  core::hold_id id;
  core::basket_id basket;
  std::vector<core::limit_key> keys;
  std::vector<place_meant> places;
  core::interval_ms interval = 0;
};
void add_options(CLI::App& to, hold_options& o);
/// Owner and id are made up if they were not given; without a key the owner's id is the account's, too.
base::result<new_hold> read(const hold_options& o);

/// Of a command on a hold that is there.
struct on_hold_options {
  std::string session, owner, hold, id;
};
struct on_hold {
  core::owner_id owner;
  core::hold_id hold;
  core::command_id id;
  core::channel_no channel = 0;
};
void add_options(CLI::App& to, on_hold_options& o);
base::result<on_hold> read(const on_hold_options& o, const invocation& in);

using asking = std::function<base::result<client::answered>(client::blocking&, core::session_id, const core::envelope&)>;
/// Connects, finds the session, asks, says the answer, after the facts in `first`.
int ask_on_hold(invocation& in, const std::string& session, const on_hold& on, const asking& ask, std::vector<fact> first = {});
/// A reference for what the call names none: as good as any, and printed.
[[nodiscard]] std::string reference_or_new(const std::string& text);
/// The same for an operator's command on the session, with an id made up unless it is given.
int ask_on_session(invocation& in, const std::string& session, const std::string& id, const asking& ask);

}  // namespace holdfast::cli
