// Words for stories at the sockets: a gateway on loopback with a clock that the test holds in its hand, actors that are a
// few lines of the test's own, and clients that speak the protocol byte by byte.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/policy.hpp"
#include "gateway/gateway.hpp"
#include "protocol/codec.hpp"

namespace holdfast::tests {

using namespace holdfast::gateway;
using namespace std::chrono_literals;
using core::refusal;
using protocol::listener_kind;

inline constexpr std::uint64_t noon = 1'700'000'000'000'000;

/// Waits for what another thread does; nothing is slept. False after half a minute of real time.
template <class Predicate>
bool until(Predicate p) {
  const auto give_up = std::chrono::steady_clock::now() + 30s;
  while (!p()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::yield();
  }
  return true;
}

class held_time final : public actors::time_source {
 public:
  [[nodiscard]] core::log_time now() const override { return core::log_time{log.load()}; }
  [[nodiscard]] std::uint64_t wall_clock() const override { return wall.load(); }
  std::atomic<std::uint64_t> log{noon};
  std::atomic<std::uint64_t> wall{noon};
};

inline std::shared_ptr<const core::plan> hall_of(std::uint32_t seats) {
  auto p = std::make_shared<core::plan>();
  p->name = "hall";
  p->categories = {{"all", ""}};
  p->zones = {"main"};
  p->rows = {{0, "A"}};
  for (std::uint32_t i = 0; i < seats; ++i) {
    core::plan_seat s;
    s.number = std::to_string(i + 1);
    s.identity = "A/" + s.number;
    p->seats.push_back(s);
  }
  return p;
}

/// Stands for all sessions: accepts everything at once, or keeps what it is asked until the test lets it go.
class actors_by_hand {
 public:
  struct asked {
    core::session_id session;
    std::vector<core::request> requests;
    inbox* from = nullptr;
    actors::request_batch_ptr memory;
  };

  /// Accepts at once unless held.
  std::atomic<bool> hold_back{false};

  void add(std::uint64_t id, std::shared_ptr<core::sale_view> view) {
    auto e = std::make_shared<actors::session_entry>();
    e->id = core::session_id{id};
    e->name = "session-" + std::to_string(id);
    e->view = std::move(view);
    e->mailbox = std::make_shared<actors::meter>();
    auto all = std::make_shared<actors::directory>(*directory_);
    all->by_id[e->id] = e;
    all->by_name[e->name] = e->id;
    directory_ = std::move(all);
  }
  std::unique_ptr<door> attach(inbox& in) {
    in.put(directory_);
    return std::make_unique<hand>(*this, in);
  }
  /// Lets everything go that was kept, in order.
  void answer_all() {
    std::deque<asked> now;
    {
      const std::scoped_lock lock(mutex_);
      std::swap(now, kept_);
    }
    for (const auto& a : now) answer(a);
  }
  [[nodiscard]] std::size_t kept() {
    const std::scoped_lock lock(mutex_);
    std::size_t n = 0;
    for (const auto& a : kept_) n += a.requests.size();
    return n;
  }
  [[nodiscard]] std::uint64_t heard() const { return heard_; }
  /// Command ids and look kinds in the order in which they came, all sessions.
  [[nodiscard]] std::vector<std::uint64_t> order() {
    const std::scoped_lock lock(mutex_);
    return order_;
  }

 private:
  class hand final : public door {
   public:
    hand(actors_by_hand& all, inbox& in) : all_(all), in_(in) {}
    void send(const actors::session_entry& to, actors::request_batch_ptr batch) override {
      asked a{to.id, batch->requests, &in_, batch};
      all_.hear(std::move(a));
    }
    void create(std::shared_ptr<actors::create_session_request> asked) override {
      auto a = std::make_shared<actors::session_answer>();
      a->ticket = asked->ticket;
      a->session = core::session_id{77};
      in_.put(actors::session_answer_ptr(a));
    }
    void clear_fault(std::shared_ptr<actors::clear_fault_request> asked) override {
      auto a = std::make_shared<actors::session_answer>();
      a->ticket = asked->ticket;
      a->said.refused = refusal::already;
      in_.put(actors::session_answer_ptr(a));
    }
    void inspect(std::uint64_t ticket) override {
      auto i = std::make_shared<actors::inspection>();
      i->ticket = ticket;
      in_.put(actors::inspection_ptr(i));
    }
    void detach() override {}

   private:
    actors_by_hand& all_;
    inbox& in_;
  };

  void hear(asked a) {
    heard_ += a.requests.size();
    {
      const std::scoped_lock lock(mutex_);
      for (const auto& r : a.requests) order_.push_back(r.head.id.value.hi);
      if (hold_back) return kept_.push_back(std::move(a));
    }
    answer(a);
  }
  void answer(const asked& a) {
    auto batch = std::make_shared<actors::answer_batch>();
    batch->session = a.session;
    batch->at = core::log_time{noon};
    for (const auto& r : a.requests) {
      actors::ticket_answer t;
      t.ticket = r.ticket;
      if (std::holds_alternative<core::look>(r.asked)) {
        core::session_seen s;
        s.name = "session-" + std::to_string(a.session.value);
        t.shown = std::make_shared<const core::seen>(s);
      } else {
        t.said.state = core::hold_state::held;
        t.said.tells_of = core::sequence{r.head.id.value.hi};
      }
      batch->answers.push_back(std::move(t));
    }
    auto d = std::make_shared<actors::answer_delivery>();
    d->batches.push_back(std::move(batch));
    a.from->put(actors::answer_delivery_ptr(std::move(d)));
  }

  std::mutex mutex_;
  std::deque<asked> kept_;
  std::vector<std::uint64_t> order_;
  std::atomic<std::uint64_t> heard_{0};
  actors::directory_ptr directory_ = std::make_shared<actors::directory>();
};

inline core::owner_id owner(std::uint64_t n) { return core::owner_id{{n, 0x6f77}}; }
inline core::command_id id(std::uint64_t n) { return core::command_id{{n, 0x6964}}; }

/// Bytes of requests.
struct say {
  listener_kind on = listener_kind::shop;

  base::bytes hello() const {
    protocol::hello h;
    h.listener = on;
    if (on == listener_kind::buyer) {
      h.owner = owner(1);
      h.keys = {{core::key_kind::account, {5, 5}}};
    }
    base::bytes b;
    protocol::encode_hello(1, h, b);
    return b;
  }
  base::bytes ping(std::uint64_t request) const {
    base::bytes b;
    protocol::encode_house_request(request, protocol::ping{}, false, b);
    return b;
  }
  base::bytes house(std::uint64_t request, const protocol::house_asked& what) const {
    base::bytes b;
    protocol::encode_house_request(request, what, false, b);
    return b;
  }
  base::bytes goodbye() const {
    base::bytes b;
    protocol::encode_goodbye(protocol::direction::from_client, {}, b);
    return b;
  }
  base::bytes command(std::uint64_t request, std::uint64_t session, const core::command& c, bool retry = false,
                      core::channel_no channel = 1) const {
    core::envelope e;
    e.channel = channel;
    if (!std::holds_alternative<core::confirm_hold>(c)) e.id = id(request);
    if (std::holds_alternative<core::hold_seats>(c)) e.client_deadline = core::log_time{noon + 60 * core::us_per_s};
    base::bytes b;
    protocol::encode_request(request, on, core::session_id{session}, e, c, retry, b);
    return b;
  }
  base::bytes hold(std::uint64_t request, std::uint64_t session, std::uint32_t seat, bool retry = false) const {
    const core::line l{core::place_kind::seat, seat, 1, 7};
    core::hold_seats h;
    h.owner = owner(request);
    h.lines = {&l, 1};
    h.interval = 60'000;
    return command(request, session, h, retry);
  }
  base::bytes confirm(std::uint64_t request, std::uint64_t session, std::uint64_t hold_request) const {
    const std::string ref = "pay-" + std::to_string(hold_request);
    core::confirm_hold c;
    c.owner = owner(hold_request);
    c.hold = id(hold_request);
    c.payment = base::as_bytes(ref);
    c.amount = 2'500;
    return command(request, session, c);
  }
  base::bytes look(std::uint64_t request, std::uint64_t session, const core::look& l = core::look_session{}) const {
    base::bytes b;
    protocol::encode_request(request, on, core::session_id{session}, l, false, b);
    return b;
  }
};

/// A TCP or Unix client with blocking calls; whatever takes half a minute fails the test.
class client {
 public:
  explicit client(std::uint16_t port, int receive_buffer = 0) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer != 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    set_up();
    REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    const int one = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  explicit client(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path.copy(to.sun_path, sizeof to.sun_path - 1);
    set_up();
    REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  }
  ~client() { hang_up(); }
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  void hang_up() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void end_writing() { ::shutdown(fd_, SHUT_WR); }
  /// False if the peer has closed.
  bool send(base::byte_view b) {
    while (!b.empty()) {
      const auto n = ::send(fd_, b.data(), b.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      b = b.subspan(static_cast<std::size_t>(n));
    }
    return true;
  }
  /// How many bytes the kernel took without waiting.
  std::size_t offer(base::byte_view b) {
    const auto n = ::send(fd_, b.data(), b.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  /// The next frame; none when the peer has closed.
  std::optional<protocol::from_server_message> next() {
    for (;;) {
      const auto c = in_.next();
      if (c.is == protocol::cut::what::whole) {
        protocol::from_server_message m;
        REQUIRE(protocol::decode_from_server(c.frame, m) == protocol::protocol_error::none);
        return m;
      }
      REQUIRE(c.is == protocol::cut::what::need_more);
      auto room = in_.room();
      const auto n = ::recv(fd_, room.data(), room.size(), 0);
      if (n < 0) REQUIRE_MESSAGE(errno == ECONNRESET, "waited too long for the server");
      if (n <= 0) return std::nullopt;
      in_.filled(static_cast<std::size_t>(n));
    }
  }
  protocol::answer_message answer() {
    auto m = next();
    REQUIRE(m.has_value());
    REQUIRE(std::holds_alternative<protocol::answer_message>(*m));
    return std::get<protocol::answer_message>(*m);
  }
  protocol::welcome greet(listener_kind on) {
    REQUIRE(send(say{on}.hello()));
    auto m = next();
    REQUIRE(m.has_value());
    REQUIRE(std::holds_alternative<protocol::welcome>(*m));
    return std::get<protocol::welcome>(*m);
  }
  /// The server's problem, after which it closes; skips answers before it.
  protocol::protocol_error problem() {
    while (auto m = next()) {
      if (const auto* p = std::get_if<protocol::problem>(&*m)) {
        CHECK_FALSE(next().has_value());
        return p->code;
      }
    }
    return protocol::protocol_error::none;
  }
  std::optional<protocol::goodbye_code> goodbye() {
    while (auto m = next()) {
      if (const auto* g = std::get_if<protocol::goodbye>(&*m)) {
        CHECK_FALSE(next().has_value());
        return g->code;
      }
    }
    return std::nullopt;
  }
  /// The server has closed without a word.
  bool closed() { return !next().has_value(); }
  [[nodiscard]] int descriptor() const { return fd_; }

 private:
  void set_up() {
    const timeval patience{30, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  int fd_;
  protocol::frame_buffer in_{protocol::direction::from_server, protocol::limits::answer_bytes_max};
};

inline std::string socket_path() {
  static std::atomic<int> n{0};
  return "/tmp/holdfast-test-" + std::to_string(::getpid()) + "-" + std::to_string(n++) + ".sock";
}

/// A gateway before sessions 1 and 2 of eight seats each, whose actors are the test's.
class counter {
 public:
  explicit counter(std::function<void(options&)> change = [](options&) {}) {
    for (std::uint64_t s = 1; s <= 2; ++s) {
      views.push_back(std::make_shared<core::sale_view>(hall_of(8), core::default_policy()));
      sale(s, core::sale_state::open);
      by_hand.add(s, views.back());
    }
    options o;
    o.listeners = {defaults_of(listener_kind::shop), defaults_of(listener_kind::buyer), defaults_of(listener_kind::admin)};
    o.listeners[2].address = path = socket_path();
    change(o);
    surroundings a;
    a.time = &time;
    a.attach = [this](inbox& in) { return by_hand.attach(in); };
    a.now = [this] { return time_point(std::chrono::nanoseconds(clock.load())); };
    a.log = [this](std::string_view) { ++log_lines; };
    a.find = [this](const protocol::find& asked) -> base::result<protocol::found> {
      if (!find) return base::error{base::trouble::unavailable, "nobody here has an index"};
      return find(asked);
    };
    auto opened = gateway::gateway::open(std::move(o), std::move(a));
    REQUIRE_MESSAGE(opened.ok(), opened.failure().text);
    server = std::move(*opened);
    server->start();
  }
  ~counter() {
    // A test that stopped in the middle must not leave requests that nobody answers.
    by_hand.hold_back = false;
    by_hand.answer_all();
    if (server) server->stop();
    if (server) CHECK(server->stats().adds_up());
  }

  void sale(std::uint64_t session, core::sale_state s) {
    const core::view_change c{core::view_change::kind::control, static_cast<std::uint8_t>(s), 0, core::all_channels, 0};
    views[session - 1]->apply({&c, 1}, core::sequence{++last_});
  }
  void gone(std::uint64_t session, std::uint32_t seat) {
    const core::view_change c{core::view_change::kind::seat_gone, 0, 0, seat, 0};
    views[session - 1]->apply({&c, 1}, core::sequence{++last_});
  }
  [[nodiscard]] std::uint16_t port(listener_kind k = listener_kind::shop) const { return server->port_of(k); }
  /// Lets time pass and looks at the limits.
  void pass(std::chrono::milliseconds t) {
    clock += std::chrono::nanoseconds(t).count();
    server->sweep();
  }
  /// All that was sent before has been read when this returns.
  void settle() {
    client c(port());
    c.greet(listener_kind::shop);
  }
  [[nodiscard]] std::uint64_t at(stage s) const { return server->stats().by_stage[static_cast<std::size_t>(s)]; }
  [[nodiscard]] std::uint64_t closed(closing c) const { return server->stats().closed[static_cast<std::size_t>(c)]; }

  held_time time;
  actors_by_hand by_hand;
  std::vector<std::shared_ptr<core::sale_view>> views;
  std::atomic<std::int64_t> clock{std::chrono::nanoseconds(1h).count()};
  std::atomic<int> log_lines{0};
  std::string path;
  std::function<base::result<protocol::found>(const protocol::find&)> find;  ///< to be set before anybody asks
  std::unique_ptr<gateway::gateway> server;

 private:
  std::uint64_t last_ = 0;
};

}  // namespace holdfast::tests
