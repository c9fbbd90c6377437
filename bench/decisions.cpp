// One path of the engine or of a codec, over and over: what callgrind counts and perf samples. bench/instructions runs it.
//   build/release/bench/decisions [PATH [TIMES]]      no PATH: their names
// Beforehand the session is brought to where a long sale is: owners, keys and ids of ended holds fill the tables up to their limits.
// TIMES is rounded up to whole batches; the line printed says how many were made.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory_resource>
#include <string>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#endif

#include "bench/hall.hpp"
#include "persistence/record_codec.hpp"
#include "plans/generate.hpp"
#include "protocol/codec.hpp"

namespace holdfast::bench {
namespace {

constexpr std::uint32_t seats = 10'000;
constexpr std::size_t batch = 250;  ///< divides `seats`

/// What is counted, and what has been.
struct meter {
  std::uint64_t wanted = 0, made = 0;
  double seconds = 0;
  [[nodiscard]] bool more() const { return made < wanted; }
  template <class Work>
  void count(std::uint64_t n, Work&& work) {
    const auto before = std::chrono::steady_clock::now();
    CALLGRIND_START_INSTRUMENTATION;
    work();
    CALLGRIND_STOP_INSTRUMENTATION;
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
    made += n;
  }
};

/// A hall of which every seat is held, ended and held again by one of many owners.
struct hall {
  base::random random{1};
  core::engine engine{make_session(std::make_shared<const core::plan>(plans::generate_hall({.seats = seats})), 4 * seats)};
  core::log_time now{2'000'000};
  counting_sink sink;
  requests asked{batch};
  std::vector<core::hold_id> names = std::vector<core::hold_id>(seats);
  std::vector<core::owner_id> owner = std::vector<core::owner_id>(seats);
  std::vector<core::request> confirms = std::vector<core::request>(batch);

  hall() { open_for_all(engine, now, random); }

  /// Asks for the batch of seats from `at` on, for new buyers.
  std::span<const core::request> ask(std::uint32_t at) {
    for (std::size_t i = 0; i < batch; ++i) {
      const auto seat = static_cast<std::uint32_t>((at + i) * 7'919 % seats);
      names[at + i] = core::hold_id{random.id()};
      asked.hold(i, seat, random.below(20 * seats), names[at + i].value, now);
      owner[at + i] = std::get<core::hold_seats>(std::get<core::command>(asked.at(i).asked)).owner;
    }
    return asked.first(batch);
  }
  std::span<const core::request> pay(std::uint32_t at) {
    static const base::bytes payment(16, 0x70);
    for (std::size_t i = 0; i < batch; ++i) {
      auto& r = confirms[i];
      r.head = {};
      r.head.from.who = core::role::shop;
      r.asked = core::command{core::confirm_hold{owner[at + i], names[at + i], payment, 4'200, core::payment_kind::card}};
    }
    return confirms;
  }
  void step(std::span<const core::request> r) {
    engine.step(r, now, sink);
    engine.durable(engine.state().last());
  }
  void hold_all() {
    for (std::uint32_t at = 0; at < seats; at += batch) step(ask(at));
  }
  void expire_all() {
    now.value += 901 * core::us_per_s;
    for (std::uint32_t left = 0; left <= seats / 4'096; ++left) engine.step({}, now, sink);
  }
  /// Ended holds fill the tables: as many are forgotten from now on as end.
  void settle() {
    for (int round = 0; round < 6; ++round) {
      hold_all();
      expire_all();
    }
  }
  /// Counts the steps of all seats' batches that `make` makes, again and again with `between` in between.
  template <class Make, class Between>
  void run(meter& m, Make&& make, Between&& between) {
    while (m.more()) {
      for (std::uint32_t at = 0; at < seats && m.more(); at += batch) {
        const auto r = make(at);
        m.count(r.size(), [&] { step(r); });
      }
      between();
    }
  }
};

void hold(meter& m) {
  hall h;
  h.settle();
  h.run(m, [&](std::uint32_t at) { return h.ask(at); }, [&] { h.expire_all(); });
}

void confirm(meter& m) {
  while (m.more()) {
    hall h;
    h.hold_all();
    for (std::uint32_t at = 0; at < seats && m.more(); at += batch) {
      const auto r = h.pay(at);
      m.count(r.size(), [&] { h.step(r); });
    }
  }
}

void refuse_sold_out(meter& m) {
  hall h;
  h.settle();
  for (std::uint32_t at = 0; at < seats; at += batch) {
    h.step(h.ask(at));
    h.step(h.pay(at));
  }
  h.run(m, [&](std::uint32_t at) { return h.ask(at); }, [] {});
}

void refuse_held(meter& m) {
  hall h;
  h.settle();
  h.hold_all();
  h.run(m, [&](std::uint32_t at) { return h.ask(at); }, [] {});
}

void expire(meter& m) {
  hall h;
  h.settle();
  while (m.more()) {
    h.hold_all();
    h.now.value += 901 * core::us_per_s;
    m.count(seats, [&] {
      for (std::uint32_t left = 0; left <= seats / 4'096; ++left) h.engine.step({}, h.now, h.sink);
    });
  }
}

/// Keeps records as the journal does.
struct keeping_sink final : core::step_sink {
  struct kept { std::uint64_t sequence, at; std::size_t from, to; };
  base::bytes bytes;
  std::vector<kept> records;
  void on_record(const core::record& r) override {
    const auto from = bytes.size();
    persistence::encode_record(r, bytes);
    records.push_back({r.number.value, r.at.value, from, bytes.size()});
  }
  void on_view_change(const core::view_change&) override {}
  void on_answer(std::uint64_t, const core::answer&, std::shared_ptr<const core::seen>) override {}
};

/// A hold's record: decoded, its hall found, applied. What a start does with each.
void replay_hold(meter& m) {
  while (m.more()) {
    hall h;
    keeping_sink journal;
    h.hold_all();
    h.expire_all();
    const auto terms = h.engine.state().shared_terms();
    base::bytes image;
    base::byte_writer w(image);
    h.engine.state().save(w);
    auto again = core::session::load(core::session_id{1}, image, terms->seating, {.hash_key = 0x5ca1ab1e});
    HOLDFAST_CHECK(again.ok(), "a session reads what it wrote");
    for (std::uint32_t at = 0; at < seats; at += batch) h.engine.step(h.ask(at), h.now, journal);
    alignas(16) static char room[4 * 1024];
    std::pmr::monotonic_buffer_resource arena(room, sizeof room);
    core::record r;
    m.count(journal.records.size(), [&] {
      for (const auto& k : journal.records) {
        const base::byte_view bytes(journal.bytes.data() + k.from, k.to - k.from);
        const auto ok = persistence::decode_record({1, k.sequence, k.at, bytes}, nullptr, arena, r);
        HOLDFAST_CHECK(ok.ok(), "a record decodes");
        again->complete(r);
        again->apply(r);
        arena.release();
      }
    });
  }
}

void encode_hold_record(meter& m) {
  hall h;
  keeping_sink journal;
  h.engine.step(h.ask(0), h.now, journal);
  std::pmr::monotonic_buffer_resource arena;
  const auto& k = journal.records.front();
  const auto r = persistence::decode_record({1, k.sequence, k.at, base::byte_view(journal.bytes.data(), k.to)}, nullptr, arena);
  HOLDFAST_CHECK(r.ok(), "a record decodes");
  base::bytes out;
  out.reserve(1'024);
  m.count(m.wanted, [&] {
    for (std::uint64_t i = 0; i < m.wanted; ++i) {
      out.clear();
      persistence::encode_record(*r, out);
    }
  });
}

void read_hold_frame(meter& m) {
  hall h;
  const auto r = h.ask(0);
  base::bytes stream;
  for (const auto& q : r)
    protocol::encode_request(7, protocol::listener_kind::shop, core::session_id{1}, q.head, std::get<core::command>(q.asked), false, stream);
  protocol::connection_context by;
  by.listener = protocol::listener_kind::shop;
  by.from = {core::role::shop, 1};
  alignas(16) static char room[64 * 1024];
  protocol::request out;
  m.count((m.wanted + batch - 1) / batch * batch, [&] {
    for (std::uint64_t n = 0; n < m.wanted; n += batch) {
      std::pmr::monotonic_buffer_resource arena(room, sizeof room);
      for (base::byte_view in = stream; !in.empty();) {
        const auto cut = protocol::cut_frame(in, protocol::direction::from_client, protocol::limits::request_bytes_max);
        HOLDFAST_CHECK(cut.is == protocol::cut::what::whole, "a frame is whole");
        HOLDFAST_CHECK(protocol::decode_request(cut.frame, by, arena, out) == protocol::protocol_error::none, "a hold decodes");
        in = in.subspan(cut.frame.head.length);
      }
    }
  });
}

void write_answer(meter& m) {
  const auto said = a_granted_hold();
  base::bytes out;
  out.reserve(64 * 1024);
  m.count(m.wanted, [&] {
    for (std::uint64_t i = 0; i < m.wanted; ++i) {
      if (out.size() > 60'000) out.clear();
      protocol::encode_answer({i + 1, 7, core::log_time{1'699'999'999'000'000}}, said, out);
    }
  });
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  using namespace holdfast::bench;
  const std::map<std::string, std::function<void(meter&)>> paths{
      {"hold", hold},
      {"confirm", confirm},
      {"refuse_sold_out", refuse_sold_out},
      {"refuse_held", refuse_held},
      {"expire", expire},
      {"replay_hold", replay_hold},
      {"encode_hold_record", encode_hold_record},
      {"read_hold_frame", read_hold_frame},
      {"write_answer", write_answer},
  };
  if (argc < 2) {
    for (const auto& [name, run] : paths) std::puts(name.c_str());
    return 0;
  }
  const auto path = paths.find(argv[1]);
  meter m;
  m.wanted = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000;
  if (path == paths.end() || m.wanted == 0) {
    std::fprintf(stderr, "decisions: '%s' is no path, or the number is none; without arguments their names are listed\n", argv[1]);
    return 64;
  }
  path->second(m);
  std::printf("%s %llu times, %.0f ns each\n", argv[1], static_cast<unsigned long long>(m.made), m.seconds * 1e9 / static_cast<double>(m.made));
}
