// Those who come to keep the real server busy: half-open peers, peers that never read, peers that send a byte now and then, crowds. They are
// counted and closed, memory stays within what docs/OPERATIONS.md says, and who behaves is served on meanwhile.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "persistence/audit.hpp"
#include "plans/generate.hpp"
#include "protocol/codec.hpp"
#include "tests/support/fault_proxy.hpp"
#include "tests/support/instrumented.hpp"
#include "tests/system/box_office.hpp"
#include "tests/system/program_call.hpp"

namespace holdfast::system_test {
namespace {

using tests::connection_faults;
using tests::fault_proxy;

/// A connection without manners.
class rude_client {
 public:
  explicit rude_client(std::uint16_t port, int receive_buffer = 0) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    HOLDFAST_CHECK(fd_ >= 0, "the test gets no sockets");
    if (receive_buffer != 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // Waits while the listener's queue is full: a first word to a connection that is still being made would be lost, and the next be the first.
    HOLDFAST_CHECK(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0, "no way to connect");
  }
  ~rude_client() {
    if (fd_ >= 0) ::close(fd_);
  }
  rude_client(rude_client&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  rude_client& operator=(rude_client&&) = delete;

  /// How many bytes the kernel took.
  std::size_t offer(base::byte_view b) const {
    const auto n = ::send(fd_, b.data(), b.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }

 private:
  int fd_;
};

base::bytes hello() {
  base::bytes b;
  protocol::encode_hello(1, {}, b);
  return b;
}

/// Looks at the server until one of its counters is so high. False after a minute.
bool comes_to(const server& s, std::string_view name, std::int64_t value) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (counter(s, name) < value)
    if (std::chrono::steady_clock::now() > give_up) return false;
  return true;
}

/// Memory of a sanitized program says nothing.
constexpr bool memory_counts = !instrumented;

/// Bounds what the server's memory may have grown by since this was made.
class memory_bound {
 public:
  explicit memory_bound(const server& s) : server_(s), before_(resident_bytes(s.pid())) {}
  [[nodiscard]] std::uint64_t grown() const {
    const auto now = resident_bytes(server_.pid());
    return now > before_ ? now - before_ : 0;
  }
  /// What docs/OPERATIONS.md gives a shop's connection under these limits, and 32 MiB for what the buyers on good connections do: records on their way, ids that are remembered.
  static std::uint64_t of(std::uint64_t connections, std::uint64_t frame_bytes, std::uint64_t output_bytes, std::uint64_t longest_answer) {
    return connections * (16'384 + frame_bytes + 2 * (output_bytes + longest_answer)) + (32U << 20U);
  }

 private:
  const server& server_;
  std::uint64_t before_;
};

/// Limits short enough to be seen at work.
constexpr const char* impatient = "frame_bytes_max = 4096\noutput_bytes_max = 16384\nhandshake_ms = 300\nframe_ms = 300\nidle_ms = 400\nstalled_ms = 400\n";

struct stage {
  explicit stage(const std::string& shop_limits, std::uint64_t files_max = 0, const std::string& more = {}, const std::string& journal = "write_buffer_bytes = 1048576\n")
      : server_([&] {
          server_options o{.program = HOLDFAST_SERVER, .data = folder.path() / "data", .folder = folder.path(), .sync = true, .more = more};
          o.shop_more = shop_limits;
          o.journal_more = journal;
          o.files_max = files_max;
          return o;
        }()) {
    REQUIRE_MESSAGE(server_.ready(), server_.said());
    session = open_session(server_, "rush", plans::generate_hall({.seats = 100'000}));
  }
  void audit() {
    CHECK(server_.terminate() == 0);
    const auto r = persistence::audit_directory({folder.path() / "data"}, {});
    REQUIRE(r.ok());
    CHECK(r->clean());
  }
  scratch_folder folder;
  server server_;
  core::session_id session;
};

}  // namespace

TEST_CASE("peers whose cable is cut are closed as idle; who they were asks again and hears the same; buyers do not notice") {
  constexpr std::uint32_t peers = 20;
  stage on(impatient);
  auto& s = on.server_;
  undisturbed_buyer buyer(s, on.session, 0);
  const memory_bound memory(s);
  std::uint64_t repeated = 0;
  // Each falls silent somewhere in a conversation of some 1,200 bytes: before the request arrives, or the answer. Nothing is closed.
  fault_proxy proxy(s.shop_port(), 3, [](std::uint64_t n, base::random& chance) {
    connection_faults f;
    if (n % 2 == 0) f.silent_after = 100 + chance.below(900);
    return f;
  });
  {
    auto over = by_way_of(s.shop(), proxy.port());
    over.answer_patience = client::milliseconds(100);
    over.connect_patience = client::milliseconds(100);
    for (std::uint32_t n = 0; n < peers; ++n) {
      auto link = connected(over);
      const auto came = buy_and_return(link, on.session, 2 + n, 1);
      CHECK_MESSAGE(came.wrong.empty(), came.wrong);
      repeated += came.repeated;
    }
  }
  const auto silenced = static_cast<std::int64_t>(proxy.seen().silenced);
  CHECK(silenced >= peers / 2);
  // Whose last frame had begun is not idle but late.
  const auto closed = [&] { return counter(s, "gateway.closed.idle") + counter(s, "gateway.closed.frame_late"); };
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (closed() < silenced && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  CHECK(closed() >= silenced);
  CHECK(buyer.served_again(20));
  CHECK(repeated > 0);
  MESSAGE("half-open: the server's memory grew by " << memory.grown() / 1024 << " KiB");
  if (memory_counts) CHECK(memory.grown() < memory_bound::of(2 * peers, 4'096, 16'384, 65));
  CHECK(buyer.end() == "");
  on.audit();
}

TEST_CASE("a byte now and then is no hello and no frame: closed in time, whoever dribbles") {
  constexpr std::uint32_t peers = 150;
  stage on(impatient);
  auto& s = on.server_;
  undisturbed_buyer buyer(s, on.session, 0);
  const memory_bound memory(s);
  // Some do not get to the end of their hello, not even by the time that the loop comes round to look at them again (within a second after
  // their time is up); others have said hello and do not get to the end of a frame.
  fault_proxy proxy(s.shop_port(), 4, [](std::uint64_t, base::random&) {
    connection_faults f;
    f.cut_into = connection_faults::pieces::single_bytes;
    f.piece_every = std::chrono::milliseconds(200);
    return f;
  });
  base::bytes frame;
  protocol::encode_house_request(2, protocol::session_named{"a name that takes a while"}, false, frame);
  std::vector<rude_client> slow, slower;
  for (std::uint32_t n = 0; n < peers; ++n) {
    slower.emplace_back(proxy.port()).offer(hello());
    slow.emplace_back(s.shop_port()).offer(hello());
    slow.back().offer(base::byte_view(frame).first(4));
  }
  std::size_t at = 4;
  // On a machine that is late itself a hello may be, too: whichever limit it was, all are closed.
  const auto closed = [&s](const char* why) { return counter(s, std::string("gateway.closed.") + why); };
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (closed("frame_late") + closed("handshake_late") < 2 * peers && std::chrono::steady_clock::now() < give_up) {
    // The last byte never comes.
    if (at + 1 < frame.size())
      for (const auto& c : slow) c.offer(base::byte_view(frame).subspan(at, 1));
    ++at;
  }
  INFO("frame_late " << closed("frame_late") << ", handshake_late " << closed("handshake_late") << "; for other reasons: peer " << closed("peer") << ", protocol_error " << closed("protocol_error") << ", idle " << closed("idle") << ", refused " << closed("refused"));
  CHECK(closed("frame_late") + closed("handshake_late") == 2 * peers);
  CHECK(closed("frame_late") > 0);
  CHECK(closed("handshake_late") >= peers);
  CHECK(buyer.served_again(20));
  if (memory_counts) CHECK(memory.grown() < memory_bound::of(2 * peers, 4'096, 16'384, 65));
  CHECK(buyer.end() == "");
  on.audit();
}

TEST_CASE("peers that never read are not read from, then closed; memory stays within its bound") {
  // The kernel takes some 4 MiB for each of them first, and closes by itself who acknowledges nothing for 15 s (TCP_USER_TIMEOUT): few enough
  // that all are full long before that.
  constexpr std::uint32_t peers = 12;
  // Nothing else may close them, however slowly this machine lets them ask.
  stage on("frame_bytes_max = 4096\noutput_bytes_max = 16384\nstalled_ms = 400\nframe_ms = 60000\nhandshake_ms = 60000\n");
  auto& s = on.server_;
  undisturbed_buyer buyer(s, on.session, 0);
  const memory_bound memory(s);
  base::bytes asks;
  for (std::uint64_t n = 1; n <= 2'000; ++n) {
    if (n % 20 == 0) protocol::encode_request(n, protocol::listener_kind::shop, on.session, core::look_seats{0}, false, asks);
    else protocol::encode_house_request(n, protocol::ping{}, false, asks);
  }
  const auto first = hello();
  std::vector<rude_client> deaf;
  std::vector<std::size_t> sent(peers, 0);
  for (std::uint32_t n = 0; n < peers; ++n) deaf.emplace_back(s.shop_port(), 4'096);
  std::uint64_t most = 0;
  // They go on asking until all of them have been closed for it.
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (counter(s, "gateway.closed.stalled") < peers && std::chrono::steady_clock::now() < give_up) {
    for (std::uint32_t n = 0; n < peers; ++n) {
      auto& at = sent[n];
      at += deaf[n].offer(at < first.size() ? base::byte_view(first).subspan(at) : base::byte_view(asks).subspan((at - first.size()) % asks.size()));
    }
    most = std::max(most, memory.grown());
  }
  MESSAGE(peers << " peers that never read: the server's memory grew by " << most / 1024 << " KiB at most");
  CHECK(counter(s, "gateway.closed.stalled") == peers);
  CHECK(counter(s, "gateway.output_pauses") >= peers);
  CHECK(counter(s, "gateway.output_waiting") == 0);
  CHECK(buyer.served_again(20));
  // Of long answers 16 may be under way when the output is full: 64 KiB of seats each.
  if (memory_counts) CHECK(most < memory_bound::of(peers, 4'096, 16'384, 16 * 65'600));
  CHECK(buyer.end() == "");
  on.audit();
}

TEST_CASE("what an idle connection takes is what the operators' page says") {
  constexpr std::uint32_t guests = 1'000, waves = 5;
  stage on("connections_max = 6100\n");
  auto& s = on.server_;
  std::vector<rude_client> all;
  const auto come = [&] {
    const auto before = counter(s, "gateway.handshakes");
    for (std::uint32_t i = 0; i < guests; ++i) all.emplace_back(s.shop_port()).offer(hello());
    CHECK(comes_to(s, "gateway.handshakes", before + guests));
  };
  come();  // so that what the first ones cost once is not counted
  // Anything else that the server does once meanwhile is in one wave.
  std::array<std::uint64_t, waves> each{};
  for (auto& bytes : each) {
    const memory_bound memory(s);
    come();
    bytes = memory.grown() / guests;
  }
  std::ranges::sort(each);
  MESSAGE("idle connections: " << each[waves / 2] << " bytes each (" << each.front() << " - " << each.back() << ")");
  if (memory_counts) CHECK(each[waves / 2] < 8'192);
  on.audit();
}

TEST_CASE("a crowd at the door: who is too many is turned away, and there is room again when they leave") {
  constexpr std::uint32_t crowd = 3'000;
  stage on("connections_max = 50\n");
  auto& s = on.server_;
  undisturbed_buyer buyer(s, on.session, 0);
  const memory_bound memory(s);
  std::uint64_t most = 0;
  {
    std::vector<rude_client> all;
    for (std::uint32_t n = 0; n < crowd; ++n) all.emplace_back(s.shop_port()).offer(hello());
    CHECK(comes_to(s, "gateway.closed.refused", crowd - 50));
    most = memory.grown();
    CHECK(counter(s, "gateway.connections") <= 50 + 1);  // and the operator who asks
    CHECK(buyer.served_again(20));
  }
  if (memory_counts) CHECK(most < memory_bound::of(50, 65'536, 262'144, 65));
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  auto back = client::blocking::connect(s.shop());
  while (!back.ok() && std::chrono::steady_clock::now() < give_up) back = client::blocking::connect(s.shop());
  CHECK(back.ok());
  CHECK(buyer.end() == "");
  on.audit();
}

TEST_CASE("when descriptors run out guests are turned away; the journal, which needs some, goes on") {
  constexpr std::uint32_t crowd = 600;
  // Few descriptors, and tables so small that the journal opens new files all the time.
  stage on("", 256, "[snapshots]\nrecords_max = 10000\n", "write_buffer_bytes = 1048576\n");
  auto& s = on.server_;
  std::vector<rude_client> all;
  called sold;
  {
    const std::jthread selling([&] {
      sold = call({"--server", client::to_text(s.shop().to), "sale", "rush", "--pipeline", "64", "--connections", "8", "--holds", "100000"});
    });
    // The crowd comes when the sale is at work, and stays.
    CHECK(comes_to(s, "journal.records", 1'000));
    for (std::uint32_t n = 0; n < crowd; ++n) all.emplace_back(s.shop_port()).offer(hello());
  }
  CHECK_MESSAGE(sold.code == 0, sold.is.dump(2));
  CHECK(sold.is["connections_lost"] == 0);
  CHECK(counter(s, "gateway.accept_errors") > 0);
  all.clear();
  auto back = client::blocking::connect(by_way_of(s.shop(), s.shop_port()));
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!back.ok() && std::chrono::steady_clock::now() < give_up) back = client::blocking::connect(s.shop());
  CHECK(back.ok());
  on.audit();
}

TEST_CASE("of a hold that was refused a copy may still be under way: until its client deadline it is decided afresh") {
  stage on("");
  auto& s = on.server_;
  auto link = connected(s.shop());
  const auto hold = [&](core::owner_id owner, core::hold_id id) {
    const core::limit_key key{core::key_kind::account, owner.value};
    const core::line line{core::place_kind::seat, 7, 1, 1};
    const auto a = link.hold_seats(on.session, link.envelope(id), {owner, {&key, 1}, {&line, 1}, 60'000, 1, {}});
    REQUIRE(a.ok());
    return a->said.refused;
  };
  const core::owner_id first{client::random_id()}, second{client::random_id()};
  const core::hold_id firsts{client::random_id()}, seconds{client::random_id()};
  CHECK(hold(first, firsts) == core::refusal::none);
  // The second one's request is slow on its way; he asks again over another connection, is refused, and leaves.
  const core::limit_key key{core::key_kind::account, second.value};
  const core::line line{core::place_kind::seat, 7, 1, 1};
  base::bytes frame = hello();
  protocol::encode_request(2, protocol::listener_kind::shop, on.session, link.envelope(seconds),
                           core::hold_seats{second, {&key, 1}, {&line, 1}, 60'000, 1, {}}, false, frame);
  rude_client slow(s.shop_port());
  CHECK(slow.offer(base::byte_view(frame).first(frame.size() - 1)) == frame.size() - 1);
  CHECK(hold(second, seconds) == core::refusal::none_free_now);
  const auto given = link.release_hold(on.session, link.envelope(core::command_id{client::random_id()}), {first, firsts, {}, false});
  REQUIRE(given.ok());
  CHECK(slow.offer(base::byte_view(frame).last(1)) == 1);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  auto state = core::hold_state::none;
  while (state != core::hold_state::held && std::chrono::steady_clock::now() < give_up) {
    const auto seen = link.hold(on.session, {second, seconds});
    REQUIRE(seen.ok());
    if (seen->seen) state = seen->seen->state;
  }
  CHECK(state == core::hold_state::held);
  on.audit();
}

TEST_CASE("a log that nobody reads stops nobody") {
  const scratch_folder folder;
  server s({.program = HOLDFAST_SERVER, .data = folder.path() / "data", .folder = folder.path(), .sync = true, .more = "[log]\nlevel = \"trace\"\n",
            .log_unread = true});
  REQUIRE_MESSAGE(s.ready(), s.said());
  const auto session = open_session(s, "deaf", plans::generate_hall({.seats = 100, .zones = 1}));
  // As much as the pipe holds is in it already: what comes now finds no room.
  s.fill_log();
  undisturbed_buyer buyer(s, session, 0);
  rude_client(s.shop_port()).offer(base::as_bytes("this is no frame, and worth a line"));
  CHECK(comes_to(s, "gateway.closed.protocol_error", 1));
  CHECK(buyer.served_again(20));
  CHECK(buyer.end() == "");
  CHECK(s.terminate() == 0);
}

}  // namespace holdfast::system_test
