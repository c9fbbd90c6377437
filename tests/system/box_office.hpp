// A buyer's whole story over a connection that may be lost on the way: what he asks is asked again with the same id until it is answered.
#pragma once

#include <atomic>
#include <string>
#include <thread>

#include "client/blocking.hpp"
#include "client/ids.hpp"
#include "tests/system/server.hpp"

namespace holdfast::system_test {

/// How to reach `port`, with waits made for tests: lost connections are opened again at once, and an answer may take a second.
inline client::options by_way_of(client::options o, std::uint16_t port) {
  o.to.port = port;
  o.backoff = {client::milliseconds(1), client::milliseconds(1)};
  o.answer_patience = client::milliseconds(1'000);
  o.attempts = 10;
  return o;
}

/// The handshake itself may be what is cut: then once more, as any client would. Aborts if that fails, too.
inline client::blocking connected(const client::options& o) {
  auto c = client::blocking::connect(o);
  if (!c.ok()) c = client::blocking::connect(o);
  HOLDFAST_CHECK(c.ok(), c.ok() ? "" : c.failure().text.c_str());
  return std::move(*c);
}

/// Empty: the story came out as it must. Else what went wrong in it.
struct outcome {
  std::string wrong;
  unsigned repeated = 0;  ///< answers that the server had given before
};

/// Holds `bought`, extends, pays and confirms; holds `returned` and releases it.
inline outcome buy_and_return(client::blocking& link, core::session_id session, std::uint32_t bought, std::uint32_t returned) {
  outcome o;
  const auto good = [&](const client::blocking::answer& a, const char* what) {
    if (!a.ok()) o.wrong += std::string(what) + ": " + a.failure().text + "; ";
    else if (a->said.refused != core::refusal::none) o.wrong += std::string(what) + " refused: " + std::string(core::name_of(a->said.refused)) + "; ";
    else o.repeated += a->said.repeated ? 1 : 0;
    return o.wrong.empty();
  };
  const core::owner_id owner{client::random_id()};
  const core::limit_key key{core::key_kind::account, owner.value};
  const auto hold = [&](std::uint32_t seat) {
    const core::hold_id id{client::random_id()};
    const core::line line{core::place_kind::seat, seat, 1, 1};
    good(link.hold_seats(session, link.envelope(id), {owner, {&key, 1}, {&line, 1}, 60'000, 1, {}}), "hold");
    return id;
  };
  const auto id = hold(bought);
  const auto fresh = [&] { return link.envelope(core::command_id{client::random_id()}); };
  if (!o.wrong.empty() || !good(link.extend_hold(session, fresh(), {owner, id, 120'000}), "extend") ||
      !good(link.begin_payment(session, fresh(), {owner, id, base::as_bytes("attempt"), 60'000, {}}), "begin payment"))
    return o;
  const auto paid = link.confirm_hold(session, client::blocking::money_envelope(), {owner, id, base::as_bytes("paid"), 100, core::payment_kind::card});
  if (!good(paid, "confirm")) return o;
  if (paid->said.outcome != core::money_outcome::sold) o.wrong += "the money came in time and bought nothing; ";
  const auto second = hold(returned);
  if (o.wrong.empty()) good(link.release_hold(session, fresh(), {owner, second, {}, false}), "release");
  return o;
}

/// Somebody on a good connection who holds a seat of his own and gives it back, again and again, while others make trouble.
class undisturbed_buyer {
 public:
  undisturbed_buyer(const server& s, core::session_id session, std::uint32_t seat)
      : link_(connected(by_way_of(s.shop(), s.shop_port()))), session_(session), seat_(seat),
        thread_([this](std::stop_token stop) { work(stop); }) {}

  /// How often he has been served so far.
  [[nodiscard]] std::uint64_t served() const { return served_; }
  /// Waits until he has been served so often from now on. False: he never will be, for something went wrong.
  bool served_again(std::uint64_t times) const {
    const auto until = served_ + times;
    while (served_ < until && !failed_) std::this_thread::yield();
    return !failed_;
  }
  /// Ends his work; what went wrong.
  std::string end() {
    thread_.request_stop();
    thread_.join();
    return wrong_;
  }

 private:
  void work(const std::stop_token& stop) {
    const core::owner_id owner{client::random_id()};
    const core::limit_key key{core::key_kind::account, owner.value};
    const core::line line{core::place_kind::seat, seat_, 1, 1};
    while (!stop.stop_requested()) {
      const core::hold_id id{client::random_id()};
      const auto held = link_.hold_seats(session_, link_.envelope(id), {owner, {&key, 1}, {&line, 1}, 60'000, 1, {}});
      const auto given = link_.release_hold(session_, link_.envelope(core::command_id{client::random_id()}), {owner, id, {}, false});
      const bool fine = held.ok() && given.ok() && held->said.refused == core::refusal::none && given->said.refused == core::refusal::none;
      if (!fine) {
        wrong_ = held.ok() ? std::string(core::name_of(held->said.refused)) : held.failure().text;
        failed_ = true;
        return;
      }
      ++served_;
    }
  }

  client::blocking link_;
  core::session_id session_;
  std::uint32_t seat_;
  std::string wrong_;
  std::atomic<bool> failed_{false};
  std::atomic<std::uint64_t> served_{0};
  std::jthread thread_;
};

}  // namespace holdfast::system_test
