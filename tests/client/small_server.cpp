#include "tests/client/small_server.hpp"

#include <list>
#include <memory_resource>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.hpp"

namespace holdfast::tests {

using namespace protocol;

struct small_server::guest {
  int fd = -1;
  unsigned number = 0;
  unsigned requests = 0;
  bool welcomed = false;
  connection_context context;
  frame_buffer in{direction::from_client, limits::request_bytes_max};
  std::vector<base::bytes> answers;
};

small_server::small_server(manners m) : manners_(std::move(m)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  HOLDFAST_CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&where), size) == 0 && ::listen(listener_, 128) == 0 &&
                     ::getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &size) == 0 && ::pipe(stop_) == 0,
                 "the test has a port and a pipe");
  port_ = ntohs(where.sin_port);
  thread_ = std::thread([this] { serve(); });
}

small_server::~small_server() {
  ::close(stop_[1]);
  thread_.join();
  ::close(stop_[0]);
  ::close(listener_);
}

std::vector<heard> small_server::all() const {
  const std::scoped_lock lock(mutex_);
  return heard_;
}
std::size_t small_server::accepted() const {
  const std::scoped_lock lock(mutex_);
  return taken_.size();
}

void small_server::serve() {
  std::list<guest> guests;
  unsigned numbers = 0;
  for (;;) {
    std::vector<pollfd> polled{{stop_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const auto& g : guests) polled.push_back({g.fd, POLLIN, 0});
    ::poll(polled.data(), polled.size(), -1);
    if (polled[0].revents != 0) break;
    auto p = polled.begin() + 2;
    for (auto it = guests.begin(); it != guests.end();) {
      const bool ready = (p++)->revents != 0;
      if (ready && !hear(*it)) {
        ::close(it->fd);
        it = guests.erase(it);
      } else {
        ++it;
      }
    }
    if (polled[1].revents != 0) {
      auto& g = guests.emplace_back();
      g.fd = ::accept(listener_, nullptr, nullptr);
      g.number = ++numbers;
    }
  }
  for (const auto& g : guests) ::close(g.fd);
}

bool small_server::hear(guest& g) {
  const auto room = g.in.room();
  const auto n = ::recv(g.fd, room.data(), room.size(), 0);
  if (n <= 0) return false;
  g.in.filled(static_cast<std::size_t>(n));
  bool stays = true;
  g.answers.clear();
  while (stays) {
    const auto next = g.in.next();
    if (next.is == cut::what::need_more) break;
    HOLDFAST_CHECK(next.is == cut::what::whole, "our client sends frames");
    stays = answer(g, next.frame);
  }
  if (manners_.answers_backwards) std::reverse(g.answers.begin(), g.answers.end());
  base::bytes out;
  for (const auto& a : g.answers) out.insert(out.end(), a.begin(), a.end());
  for (std::size_t sent = 0; sent < out.size();) {
    const auto put = ::send(g.fd, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
    if (put <= 0) return false;
    sent += static_cast<std::size_t>(put);
  }
  return stays;
}

bool small_server::answer(guest& g, const frame& f) {
  auto& out = g.answers.emplace_back();
  if (!g.welcomed) {
    hello h;
    const auto here = static_cast<listener_kind>(f.body.size() > 8 ? f.body[8] : 0);
    HOLDFAST_CHECK(decode_hello(f, here, h) == protocol_error::none, "our client's hello is right");
    if (const auto it = manners_.turn_away.find(g.number); it != manners_.turn_away.end()) {
      encode_goodbye(direction::from_server, {it->second, "come again"}, out);
      return false;
    }
    if (h.credential == "wrong") {
      encode_problem(f.head.request_id, {protocol_error::bad_credential, {}}, out);
      return false;
    }
    g.context.listener = here;
    g.context.owner = h.owner;
    g.context.keys = h.keys;
    welcome w;
    w.now = small_server_time;
    w.request_bytes_max = limits::request_bytes_max;
    w.answer_bytes_max = limits::answer_bytes_max;
    w.inflight_max = manners_.inflight_max;
    w.server = "small";
    encode_welcome(f.head.request_id, w, out);
    return g.welcomed = true;
  }
  ++g.requests;
  std::pmr::monotonic_buffer_resource arena;
  const std::scoped_lock lock(mutex_);
  if (manners_.babbles.contains(g.number)) {
    out.assign(64, 0xee);
    return true;
  }
  const bool cut = manners_.cut_after.contains(g.number) && g.requests >= manners_.cut_after.at(g.number);
  const bool mute = cut || manners_.silent.contains(g.number);

  core::answer said;
  const answer_to to{f.head.request_id, f.head.kind, small_server_time};
  if (family_of(f.head.kind) == family::house) {
    house_request r;
    HOLDFAST_CHECK(decode_house_request(f, g.context, arena, r) == protocol_error::none, "our client's requests are right");
    heard_.push_back({g.number, r.kind, r.retry, {}, {}});
    if (mute) return !cut;
    if (const auto* named = std::get_if<session_named>(&r.asked)) {
      if (named->name == "gala") {
        session_brief b;
        b.id = gala;
        b.name = "gala";
        encode_house_answer(to, said, b, out);
      } else {
        said.refused = core::refusal::unknown_session;
        encode_answer(to, said, out);
      }
      return true;
    }
    encode_house_answer(to, said, std::monostate{}, out);
    return true;
  }
  request r;
  HOLDFAST_CHECK(decode_request(f, g.context, arena, r) == protocol_error::none, "our client's requests are right");
  heard_.push_back({g.number, r.kind, r.retry, r.head.id.value, r.head.client_deadline});
  if (std::holds_alternative<core::look>(r.asked)) {
    if (mute) return !cut;
    core::seen seen;
    if (std::holds_alternative<core::look_seats>(std::get<core::look>(r.asked))) {
      auto& seats = seen.emplace<core::seats_seen>();
      seats.pages = 1;
      seats.states.assign(5, static_cast<std::uint8_t>(core::seat_state::held));
    } else {
      seen.emplace<core::session_seen>().name = "gala";
    }
    encode_answer(to, said, &seen, out);
    return true;
  }
  if (manners_.refuses != core::refusal::none) {
    said.refused = manners_.refuses;
    if (!mute) encode_answer(to, said, out);
    return !cut;
  }
  const auto& c = std::get<core::command>(r.asked);
  auto id = r.head.id.value;
  if (const auto* confirm = std::get_if<core::confirm_hold>(&c)) heard_.back().command = id = confirm->hold.value;
  // Taken first and answered then: a cut in between is the case that retries are for.
  const auto [it, fresh] = taken_.try_emplace(id, core::sequence{taken_.size() + 1});
  said.repeated = !fresh;
  said.tells_of = it->second;
  said.state = core::hold_state::held;
  if (mute) return !cut;
  encode_answer(to, said, out);
  return true;
}

}  // namespace holdfast::tests
