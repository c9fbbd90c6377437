#include "apps/holdfast/invocation.hpp"

#include <charconv>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace holdfast::cli {

using base::trouble;

int exit_code_of(trouble t) {
  switch (t) {
    case trouble::bad_input:
    case trouble::bad_bytes: return exits::bad_data;
    case trouble::corrupt: return exits::refused;
    case trouble::io:
    case trouble::clock: return exits::io;
    case trouble::busy: return exits::busy;
    case trouble::unavailable: return exits::unavailable;
  }
  return exits::io;
}

int invocation::say(const document& d, int code) {
  if (json) around.out << to_json(d).dump(2) << '\n';
  else around.out << to_text(d, around.out_style);
  around.out.flush();
  return code;
}

int invocation::fail(const base::error& e) {
  if (json) around.out << nlohmann::ordered_json{{"error", e.text}}.dump(2) << '\n';
  around.err << "holdfast: " << e.text << '\n';
  around.err.flush();
  return exit_code_of(e.kind);
}

door invocation::door_for(door usual) const {
  if (buyer) return door::shop;
  if (admin.empty() == server.empty()) return usual;
  return admin.empty() ? door::shop : door::admin;
}

base::result<client::options> invocation::options_for(door d) const {
  client::options o;
  o.name = "holdfast";
  o.attempts = attempts;
  const auto within = read_interval(answer_within);
  if (!within) return within.failure();
  o.answer_patience = *within;
  if (d == door::admin) {
    o.to = client::unix_socket(admin.empty() ? default_admin : admin);
    o.listener = protocol::listener_kind::admin;
    return o;
  }
  auto to = client::parse_address(server.empty() ? default_server : server);
  if (!to) return to.failure();
  o.to = std::move(*to);
  o.listener = buyer ? protocol::listener_kind::buyer : protocol::listener_kind::shop;
  return o;
}

base::result<client::blocking> invocation::connect(door usual, core::owner_id owner, std::vector<core::limit_key> keys) {
  auto o = options_for(door_for(usual));
  if (!o) return o.failure();
  if (o->listener == protocol::listener_kind::buyer) {
    o->owner = owner;
    o->keys = std::move(keys);
  }
  return client::blocking::connect(std::move(*o));
}

base::result<protocol::session_brief> find_session(client::blocking& c, const std::string& name) {
  const auto unknown = [&] {
    return base::error{trouble::bad_input, fmt::format("there is no session '{}': `holdfast session list` shows all", name)};
  };
  if (!name.starts_with('#')) {
    auto s = c.session_named(name);
    if (!s) return s.failure();
    if (s->said.refused == core::refusal::unknown_session) return unknown();
    if (!s->seen) return base::error{trouble::unavailable, fmt::format("session '{}': {}", name, core::name_of(s->said.refused))};
    return std::move(*s->seen);
  }
  std::uint64_t id = 0;
  const auto [end, ec] = std::from_chars(name.data() + 1, name.data() + name.size(), id);
  if (ec != std::errc{} || end != name.data() + name.size()) return unknown();
  const auto s = c.session_state(core::session_id{id});
  if (!s) return s.failure();
  if (!s->seen) return unknown();
  protocol::session_brief b;
  b.id = core::session_id{id};
  b.name = s->seen->name;
  b.plan_revision = s->seen->plan_revision;
  b.seats = static_cast<std::uint32_t>(s->seen->seats);
  b.areas = static_cast<std::uint32_t>(s->seen->areas);
  return b;
}

base::result<core::plan> fetch_plan(client::blocking& c, core::session_id session, std::uint32_t revision) {
  core::plan p;
  for (std::uint32_t page = 0, pages = 1; page < pages; ++page) {
    auto got = c.plan(session, {revision, page});
    if (!got) return got.failure();
    if (!got->seen) return base::error{trouble::bad_bytes, fmt::format("the plan's page {} was refused: {}", page, core::name_of(got->said.refused))};
    auto& g = *got->seen;
    pages = g.pages;
    if (page == 0) {
      p.name = std::move(g.name);
      p.categories = std::move(g.categories);
      p.allocations = std::move(g.allocations);
      p.zones = std::move(g.zones);
      p.areas = std::move(g.areas);
      p.rows.resize(g.rows_total);
      p.seats.reserve(g.seats_total);
    }
    for (auto& r : g.rows)
      if (r.number < p.rows.size()) p.rows[r.number] = std::move(r.what);
    std::ranges::move(g.seats, std::back_inserter(p.seats));
  }
  for (const auto& s : p.seats)
    if (s.row >= p.rows.size() || p.rows[s.row].zone >= p.zones.size())
      return base::error{trouble::bad_bytes, "the server's plan names a row that it does not have"};
  return p;
}

base::result<std::optional<core::plan>> plan_for(client::blocking& c, const protocol::session_brief& s, const std::vector<place_meant>& places) {
  if (!std::ranges::any_of(places, needs_plan)) return std::optional<core::plan>{};
  auto p = fetch_plan(c, s.id, s.plan_revision);
  if (!p) return p.failure();
  return std::optional(std::move(*p));
}

document tell(const core::answer& said, core::log_time now) {
  document d;
  if (said.refused != core::refusal::none) {
    d.add("refused", words(core::name_of(said.refused), tone::bad));
    if (said.left != 0) d.add("left", number(said.left));
    if (said.refused == core::refusal::over_limit || said.refused == core::refusal::limit_key_missing) {
      static constexpr const char* kinds[] = {"account", "email", "card", "device", "code"};
      const auto k = static_cast<std::size_t>(said.kind);
      d.add("limit key", words(k < std::size(kinds) ? kinds[k] : "unknown"));
    }
    if (said.retry_after != 0) d.add("retry after", micros(said.retry_after * core::us_per_ms));
  } else if (said.outcome == core::money_outcome::sold) {
    d.add("outcome", words("sold", tone::good));
  } else if (said.outcome == core::money_outcome::refund_due) {
    d.add("outcome", words("refund_due", tone::bad));
    d.add("reason", words(core::name_of(said.reason)));
  } else {
    d.add("outcome", words("accepted", tone::good));
  }
  if (said.number.value != 0) d.add("refund", plain_number(said.number.value));
  if (said.granted.value != 0) d.add("granted until", deadline(said.granted, now));
  if (said.state != core::hold_state::none) d.add("state", words(core::name_of(said.state)));
  if (said.deadline.value != 0) d.add("deadline", deadline(said.deadline, now));
  if (said.repeated) d.add("repeated", yes_no(true));
  d.add("record", plain_number(said.tells_of.value));
  d.add("server time", moment(now));
  return d;
}

int code_of(const core::answer& said) { return said.refused == core::refusal::none ? exits::ok : exits::refused; }

void tell_lines(const core::answer& said, const std::vector<core::line>& lines, const core::plan* p, document& to) {
  if (said.lines == 0) return;
  grid g{"offending lines", {"line", "place"}, {}};
  for (std::size_t i = 0; i < lines.size() && i < 64; ++i)
    if ((said.lines >> i & 1U) != 0) g.rows.push_back({plain_number(i), words(name_of_line(lines[i], p))});
  to.grids.push_back(std::move(g));
}

}  // namespace holdfast::cli
