// A million holds that nobody pays for come due within seconds, on the real server, while a crowd asks for each seat in the moment when it
// is due: nobody may be refused because of a hold whose time is over, and nobody may get a seat before its time. A buyer in another session
// tells how long he waits meanwhile.
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/check.hpp"
#include "client/ids.hpp"
#include "client/pipelined.hpp"
#include "persistence/audit.hpp"
#include "plans/generate.hpp"
#include "tests/system/server.hpp"

namespace holdfast::system_test {
namespace {

struct settings {
  std::string program = "build/release/bin/holdfastd";
  std::uint32_t holds = 1'000'000;
  std::uint32_t interval_s = 20;
  std::uint32_t connections = 16, depth = 1'024;
  std::uint64_t seed = 0;
};

/// One place after the other in a session of his own, each answer waited for.
class bystander {
 public:
  bystander(const client::options& o, core::session_id in) : link_(client::blocking::connect(o)), in_(in) {
    HOLDFAST_CHECK(link_.ok(), "a ready server is connected to");
    buys_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) buy();
    });
  }
  /// Returns when it is `then` by the server's clock.
  void waits_until(std::uint64_t then) {
    std::unique_lock lock(mutex_);
    bought_.wait(lock, [&] { return now_ >= then; });
  }
  void ends() {
    buys_.request_stop();
    buys_.join();
  }
  /// What he waited since the last call, sorted, in microseconds.
  std::vector<std::uint32_t> waited() {
    const std::lock_guard lock(mutex_);
    std::ranges::sort(waited_);
    return std::exchange(waited_, {});
  }

 private:
  void buy() {
    const core::owner_id owner{client::random_id()};
    const core::limit_key key{core::key_kind::account, owner.value};
    const core::hold_id name{client::random_id()};
    const core::line l{core::place_kind::seat, 0, 1, 1};
    const auto began = std::chrono::steady_clock::now();
    const auto held = link_->hold_seats(in_, link_->envelope(core::command_id{name.value}), {owner, {&key, 1}, {&l, 1}, 600'000, 1, {}});
    const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
    HOLDFAST_CHECK(held.ok() && held->said.refused == core::refusal::none, "nobody else is in the bystander's session");
    {
      const std::lock_guard lock(mutex_);
      waited_.push_back(static_cast<std::uint32_t>(waited.count()));
      now_ = held->now.value;
    }
    bought_.notify_all();
    const auto back = link_->release_hold(in_, link_->envelope(core::command_id{client::random_id()}), {owner, name, {}, false});
    HOLDFAST_CHECK(back.ok() && back->said.refused == core::refusal::none, "a hold is given back");
  }

  base::result<client::blocking> link_;
  core::session_id in_;
  std::mutex mutex_;
  std::condition_variable bought_;
  std::uint64_t now_ = 0;
  std::vector<std::uint32_t> waited_;
  std::jthread buys_;
};

class rush final : client::receiver {
 public:
  rush(const settings& s, const client::options& shop, core::session_id in) : s_(s), in_(in), chance_(s.seed), granted_(s.holds), is_(s.holds, seat::free) {
    client::pipelined_options o;
    o.link = shop;
    o.connections = s.connections;
    o.depth = s.depth;
    auto opened = client::pipelined::open(o, *this);
    HOLDFAST_CHECK(opened.ok(), "a ready server is connected to");
    link_ = std::move(*opened);
  }

  /// Every seat is held once. False: the first ones were due before the last was placed.
  bool place() {
    each_with_room([&](std::uint32_t c) {
      if (next_ == s_.holds) return false;
      ask(c, next_++, std::uint64_t{s_.interval_s} * 1'000);
      return true;
    }, [&] { return answered_ == s_.holds; });
    return now_ < *std::ranges::min_element(granted_);
  }
  [[nodiscard]] std::uint64_t first_due() const { return *std::ranges::min_element(granted_); }
  [[nodiscard]] std::uint64_t last_due() const { return *std::ranges::max_element(granted_); }

  /// Asks for each seat as soon as the server has told a time that is not before its deadline; now and then for one that is not due.
  void take_over() {
    std::vector<std::uint32_t> order(s_.holds);
    for (std::uint32_t n = 0; n < s_.holds; ++n) order[n] = n;
    std::ranges::sort(order, {}, [&](std::uint32_t n) { return granted_[n]; });
    std::size_t next = 0;
    each_with_room([&](std::uint32_t c) {
      std::uint32_t n = 0;
      while (!again_.empty() && is_[again_.begin()->second] != seat::held) again_.erase(again_.begin());
      if (!again_.empty() && again_.begin()->first <= now_) {
        n = again_.begin()->second;
        again_.erase(again_.begin());
      } else {
        while (next < order.size() && is_[order[next]] != seat::held) ++next;
        if (next < order.size() && granted_[order[next]] <= now_) n = order[next++];
        else if (probes_ < probes_max && next < order.size()) {
          n = order[next + chance_.below(order.size() - next)];
          if (is_[n] != seat::held) return false;
          ++probes_;
          ++probed;
        } else return false;
      }
      is_[n] = granted_[n] <= now_ ? seat::claimed : seat::probed;
      ask(c, n, 600'000);
      return true;
    }, [&] { return taken == s_.holds; });
  }

  std::uint64_t taken = 0, early = 0, late = 0, other = 0, probed = 0;

 private:
  enum class seat : std::uint8_t { free, held, probed, claimed, taken };
  static constexpr std::size_t probes_max = 64;  ///< in flight: they also tell the time

  template <class Send, class Done>
  void each_with_room(Send send, Done done) {
    while (!done()) {
      for (std::uint32_t c = 0; c < link_->connections(); ++c)
        while (link_->room(c) && send(c)) {}
      link_->turn(std::chrono::milliseconds(1));
    }
  }

  void ask(std::uint32_t connection, std::uint32_t n, core::interval_ms interval) {
    core::envelope head;
    head.id = core::command_id{chance_.id()};
    head.client_deadline = link_->deadline(std::chrono::minutes(5));
    const core::owner_id owner{chance_.id()};
    const core::limit_key key{core::key_kind::account, owner.value};
    const core::line l{core::place_kind::seat, n, 1, 1};
    link_->send(connection, n, in_, head, core::hold_seats{owner, {&key, 1}, {&l, 1}, interval, 1, {}});
  }

  void answered(const client::arrival& a) override {
    const auto n = static_cast<std::uint32_t>(a.ticket);
    const auto& said = a.message.said;
    now_ = std::max(now_, a.message.now.value);
    ++answered_;
    switch (is_[n]) {
      case seat::free:
        HOLDFAST_CHECK(said.refused == core::refusal::none, "each seat is free once");
        granted_[n] = said.granted.value;
        is_[n] = seat::held;
        break;
      case seat::claimed:
        // It was asked for when its time was over.
        if (said.refused == core::refusal::none) {
          ++taken;
          is_[n] = seat::taken;
        } else {
          if (said.refused != core::refusal::busy) ++late;
          again(n);
        }
        break;
      case seat::probed:
        --probes_;
        if (said.refused == core::refusal::none) {
          // Decided before it was answered: if the answer was before the deadline, so was the decision.
          if (a.message.now.value < granted_[n]) ++early;
          ++taken;
          is_[n] = seat::taken;
        } else {
          again(n);
        }
        break;
      case seat::held:
      case seat::taken: ++other; break;
    }
  }
  void given_up(std::uint32_t, std::uint64_t, const base::error&) override { ++other; }
  void again(std::uint32_t n) {
    is_[n] = seat::held;
    again_.emplace(granted_[n], n);
  }

  const settings& s_;
  core::session_id in_;
  base::random chance_;
  std::unique_ptr<client::pipelined> link_;
  std::vector<std::uint64_t> granted_;  ///< by seat
  std::vector<seat> is_;
  std::set<std::pair<std::uint64_t, std::uint32_t>> again_;  ///< held ones that may have been passed by, by deadline
  std::uint32_t next_ = 0;
  std::uint64_t now_ = 0, answered_ = 0;
  std::size_t probes_ = 0;
};

std::string told(std::vector<std::uint32_t> waited) {
  if (waited.empty()) return "nothing asked";
  const auto at = [&](double share) { return waited[static_cast<std::size_t>(share * static_cast<double>(waited.size() - 1))] / 1e3; };
  return fmt::format("{} holds, p50 {:.2f} ms, p99 {:.2f} ms, longest {:.2f} ms", waited.size(), at(0.5), at(0.99), at(1));
}

int run(const settings& s) {
  const scratch_folder folder;
  const auto data = folder.path() / "data";
  server on({s.program, data, folder.path(), true, {}});
  HOLDFAST_CHECK(on.ready(), on.said().c_str());
  const auto session = open_session(on, "rush", plans::generate_hall({.seats = s.holds}));
  const auto beside = open_session(on, "beside", plans::generate_hall({.seats = 10}));
  fmt::print("seed {}\n", s.seed);

  bystander buyer(on.shop(), beside);
  rush crowd(s, on.shop(), session);
  const auto began = std::chrono::steady_clock::now();
  if (!crowd.place()) {
    fmt::print(stderr, "the first holds were due before the last was placed: give them a longer --interval\n");
    return 64;
  }
  fmt::print("placed     {} holds in {:.1f} s; the bystander: {}\n", s.holds, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(),
             told(buyer.waited()));
  std::fflush(stdout);
  buyer.waits_until(crowd.first_due());
  fmt::print("waited     for the first to come due; the bystander: {}\n", told(buyer.waited()));
  const auto spread = static_cast<double>(crowd.last_due() - crowd.first_due()) / 1e6;
  const auto due = std::chrono::steady_clock::now();
  crowd.take_over();
  fmt::print("taken over {} in {:.1f} s, due within {:.1f} s; the bystander: {}\n", crowd.taken, std::chrono::duration<double>(std::chrono::steady_clock::now() - due).count(),
             spread, told(buyer.waited()));
  fmt::print("refused because of a hold that was over: {}; got before its time: {} (asked too early on purpose: {}); other: {}\n", crowd.late, crowd.early,
             crowd.probed, crowd.other);
  std::fflush(stdout);
  buyer.ends();
  HOLDFAST_CHECK(on.terminate() == 0, "the server stops in order");
  const auto audit = persistence::audit_directory({data}, {});
  HOLDFAST_CHECK(audit.ok(), audit.ok() ? "" : audit.failure().text.c_str());
  std::uint64_t expired = 0;
  for (const auto& one : audit->sessions) expired += one.holds_expired;
  fmt::print("audit      {}, {} expired\n", audit->clean() ? "clean" : "NOT clean", expired);
  return audit->clean() && expired == s.holds && crowd.late + crowd.early + crowd.other == 0 ? 0 : 1;
}

}  // namespace
}  // namespace holdfast::system_test

int main(int argc, char** argv) {
  using namespace holdfast::system_test;
  settings s;
  CLI::App app{"Lets holds come due all at once while a crowd takes their seats over, and checks that none ends early and none is in anybody's way late."};
  app.add_option("--server", s.program, "holdfastd")->capture_default_str();
  app.add_option("--holds", s.holds)->capture_default_str()->check(CLI::Range(100, 1'000'000));
  app.add_option("--interval", s.interval_s, "of the holds, seconds: long enough to place them all")->capture_default_str()->check(CLI::Range(1, 600));
  app.add_option("--connections", s.connections)->capture_default_str()->check(CLI::Range(1, 1'000));
  app.add_option("--depth", s.depth, "in flight a connection")->capture_default_str()->check(CLI::Range(1, 1'024));
  app.add_option("--seed", s.seed, "of names and of whom is asked for early. Default: another one each time");
  CLI11_PARSE(app, argc, argv);
  if (s.seed == 0) s.seed = holdfast::client::random_seed();
  return run(s);
}
