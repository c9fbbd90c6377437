#include "apps/holdfastd/config.hpp"

#include <chrono>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "apps/file_section.hpp"
#include "base/one_line.hpp"

namespace holdfast::server {
namespace {

using apps::section;
using apps::wrong;
using base::error;
using base::trouble;

void read_listener(section s, gateway::listener_kind kind, gateway::options& into) {
  auto l = gateway::defaults_of(kind);
  if (kind == gateway::listener_kind::admin) {
    l.address = s.required("path", "data/admin.sock");
  } else {
    s.text("address", l.address);
    const auto* port = s.find("port");
    if (port == nullptr) throw wrong{fmt::format("{} is missing: write port = 7411", s.full("port"))};
    s.number("port", l.port, 0, 65'535);
    s.number("channel", l.channel, 0, core::limits::channels_max - 1);
    s.number("connections_per_address_max", l.connections_per_address_max, 0, 1'000'000);
  }
  s.number("connections_max", l.connections_max, 1, 1'000'000);
  s.number("frame_bytes_max", l.frame_bytes_max, 1'024, protocol::limits::admin_request_bytes_max);
  s.number("inflight_max", l.inflight_max, 1, 1'000'000);
  s.number("money_inflight_max", l.money_inflight_max, 1, 1'000'000);
  s.number("output_bytes_max", l.output_bytes_max, 4'096, 1U << 30U);
  s.milliseconds("handshake_ms", l.times.handshake);
  s.milliseconds("frame_ms", l.times.frame);
  s.milliseconds("idle_ms", l.times.idle);
  s.milliseconds("stalled_ms", l.times.stalled);
  s.done();
  into.listeners.push_back(std::move(l));
}

std::uint64_t instant_of(const toml::node& n, const std::string& key) {
  const auto v = n.value_exact<toml::date_time>();
  if (!v || !v->offset) throw wrong{fmt::format("{} must be an instant with its offset, e.g. 2027-05-01T10:00:00+02:00 (without quotes)", key)};
  using namespace std::chrono;
  const year_month_day day{year{v->date.year}, month{v->date.month}, std::chrono::day{v->date.day}};
  const auto at = sys_days{day} + hours{v->time.hour} + minutes{v->time.minute} + seconds{v->time.second} - minutes{v->offset->minutes};
  return static_cast<std::uint64_t>(duration_cast<microseconds>(at.time_since_epoch()).count()) + v->time.nanosecond / 1'000;
}

void read_schedule(section& top, config& c) {
  for (auto& s : top.tables("schedule")) {
    const auto session = s.required("session", "my-session");
    actors::appointment a;
    const auto* at = s.find("at");
    if (at == nullptr) throw wrong{fmt::format("{} is missing: write at = 2027-05-01T10:00:00+02:00", s.full("at"))};
    a.at = instant_of(*at, s.full("at"));
    const auto what = s.required("action", "open");
    if (what != "open" && what != "close") throw wrong{fmt::format("{} is \"{}\", but must be \"open\" or \"close\"", s.full("action"), what)};
    a.opens = what == "open";
    if (const auto* channels = s.find("channels")) {
      const auto* numbers = channels->as_array();
      if (numbers == nullptr || !numbers->is_homogeneous<std::int64_t>())
        throw wrong{fmt::format("{} must be a list of channel numbers, e.g. [0, 1]", s.full("channels"))};
      a.channels = 0;
      for (const auto& x : *numbers) {
        const auto channel = x.value_exact<std::int64_t>().value_or(-1);
        if (channel < 0 || channel >= core::limits::channels_max)
          throw wrong{fmt::format("{} names channel {}, but channels are 0 to 15", s.full("channels"), channel)};
        a.channels |= core::channel_set{1} << channel;
      }
    }
    s.done();
    auto of = std::find_if(c.schedules.begin(), c.schedules.end(), [&](const auto& x) { return x.session == session; });
    if (of == c.schedules.end()) of = c.schedules.insert(of, actors::session_schedule{session, {}});
    of->items.push_back(a);
  }
}

config read(const toml::table& file) {
  config c;
  section top(file, "");
  if (auto s = top.table("data")) {
    c.data_directory = s->required("directory", "/var/lib/holdfast");
    s->done();
  } else {
    throw wrong{"data.directory is missing: write [data] and under it directory = \"/var/lib/holdfast\""};
  }
  if (auto s = top.table("journal")) {
    s->number("block_bytes_max", c.block_bytes_max, 1U << 16U, 1U << 30U);
    s->number("write_buffer_bytes", c.write_buffer_bytes, 1U << 20U, 1U << 30U);
    s->flag("logs_in_place", c.logs_in_place);
    std::uint64_t gap_s = c.clock_gap_max_us / 1'000'000;
    s->number("clock_gap_max_s", gap_s, 1, 315'360'000);
    c.clock_gap_max_us = gap_s * 1'000'000;
    bool unsafe = false;
    s->flag("unsafe_no_sync", unsafe);
    c.sync = !unsafe;
    s->done();
  }
  if (auto s = top.table("listen")) {
    if (auto l = s->table("shop")) read_listener(*l, gateway::listener_kind::shop, c.gateway);
    if (auto l = s->table("buyer")) read_listener(*l, gateway::listener_kind::buyer, c.gateway);
    if (auto l = s->table("admin")) read_listener(*l, gateway::listener_kind::admin, c.gateway);
    s->flag("insecure_bind", c.gateway.insecure_bind);
    s->done();
  }
  if (c.gateway.listeners.empty()) throw wrong{"listen: no listener; write at least [listen.shop] with port = 7411"};
  if (auto s = top.table("gateway")) {
    s->number("loops", c.gateway.loops, 1, 64);
    s->number("session_inflight_max", c.gateway.session_inflight_max, 1, 10'000'000);
    s->number("turn_requests_max", c.gateway.turn_requests_max, 1, 1'000'000);
    s->milliseconds("busy_retry_after_ms", c.gateway.busy_retry_after);
    s->milliseconds("drain_max_ms", c.gateway.drain_max);
    s->done();
  }
  if (auto s = top.table("actors")) {
    s->number("threads", c.scheduling.threads, 1, 256);
    s->text("policy", c.scheduling.policy);
    if (c.scheduling.policy != "stealing" && c.scheduling.policy != "sharing")
      throw wrong{fmt::format("actors.policy is \"{}\", but must be \"stealing\" or \"sharing\"", c.scheduling.policy)};
    s->done();
  }
  if (auto s = top.table("sessions")) {
    s->number("sessions_max", c.sessions_max, 1, 1'000'000);
    s->number("changes_ring", c.changes_ring, 16, 10'000'000);
    s->done();
  }
  if (auto s = top.table("snapshots")) {
    s->number("records_max", c.snapshots.records_max, 1, 1'000'000'000);
    s->number("bytes_max", c.snapshots.bytes_max, 1U << 16U, 1ULL << 40U);
    s->done();
  }
  if (auto s = top.table("index")) {
    s->flag("enabled", c.index);
    s->done();
  }
  if (auto s = top.table("log")) {
    s->text("level", c.log_level);
    static const std::set<std::string> levels{"trace", "debug", "info", "warn", "error", "off"};
    if (!levels.contains(c.log_level)) throw wrong{fmt::format("log.level is \"{}\", but must be trace, debug, info, warn, error or off", c.log_level)};
    s->done();
  }
  read_schedule(top, c);
  top.done();
  return c;
}

}  // namespace

base::result<config> parse_config(std::string_view text, std::string_view name) {
  const auto bad = [](std::string_view what) { return error{trouble::bad_input, base::one_line(what)}; };  // it may quote the file
  try {
    auto c = read(toml::parse(text, name));
    if (auto checked = gateway::check_options(c.gateway); !checked)
      return bad(fmt::format("{}: {}", name, checked.failure().text));
    return c;
  } catch (const toml::parse_error& e) {
    return bad(fmt::format("{}:{}:{}: {}", name, e.source().begin.line, e.source().begin.column, e.description()));
  } catch (const wrong& w) {
    return bad(fmt::format("{}: {}", name, w.text));
  }
}

base::result<config> read_config(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) return error{trouble::bad_input, fmt::format("{}: cannot be read; name a configuration file with --config FILE", file.string())};
  std::ostringstream text;
  text << in.rdbuf();
  return parse_config(text.str(), file.string());
}

}  // namespace holdfast::server
