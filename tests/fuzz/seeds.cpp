// Writes the inputs with which the fuzz targets begin, made of real values by the real encoders:
//
//   fuzz_seeds FOLDER    FOLDER/<target>/seed-<n>
//
// The same for ever, as long as the formats are. Run it when a format or a target's input changes (docs/TESTING.md, "Fuzzing").
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "core/command_codec.hpp"
#include "history/history.hpp"
#include "persistence/checkpoint.hpp"
#include "persistence/index_posting.hpp"
#include "persistence/journal_meta.hpp"
#include "persistence/record_codec.hpp"
#include "persistence/system_record.hpp"
#include "persistence/witness.hpp"
#include "tests/core/duel.hpp"
#include "tests/fuzz/halls.hpp"
#include "tests/fuzz/session_script.hpp"
#include "tests/protocol/samples.hpp"

using namespace holdfast;
namespace fs = std::filesystem;

namespace {

constexpr base::id128 journal{0x1234, 0x5678};

class corpus {
 public:
  explicit corpus(fs::path folder) : folder_(std::move(folder)) {}

  void add(const std::string& target, const base::bytes& b) {
    const auto to = folder_ / target;
    fs::create_directories(to);
    char name[16];
    std::snprintf(name, sizeof name, "seed-%02u", ++written_[target]);
    std::ofstream out(to / name, std::ios::binary);
    out.write(reinterpret_cast<const char*>(b.data()), static_cast<std::streamsize>(b.size()));
    if (!out.flush()) {
      std::fprintf(stderr, "cannot write %s\n", (to / name).c_str());
      std::exit(1);
    }
  }
  void add(const std::string& target, std::initializer_list<unsigned> head, base::byte_view rest) {
    base::bytes b;
    for (const auto c : head) b.push_back(static_cast<std::uint8_t>(c));
    b.insert(b.end(), rest.begin(), rest.end());
    add(target, b);
  }
  void add(const std::string& target, std::initializer_list<unsigned> head, std::string_view rest) { add(target, head, base::as_bytes(rest)); }
  [[nodiscard]] unsigned files() const {
    unsigned n = 0;
    for (const auto& [target, count] : written_) n += count;
    return n;
  }

 private:
  fs::path folder_;
  std::map<std::string, unsigned> written_;
};

std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string all{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open() || all.empty()) {
    std::fprintf(stderr, "cannot read %s\n", file.c_str());
    std::exit(1);
  }
  return all;
}

// ---- the wire -----------------------------------------------------------------------------------------------------

unsigned listener_byte(protocol::listener_kind k) { return static_cast<unsigned>(k); }

void wire(corpus& to) {
  using namespace protocol;
  base::bytes from_clients, from_server;
  for (const auto& s : tests::samples()) {
    base::byte_reader head(s.bytes);
    head.fixed<std::uint32_t>();
    const unsigned kind = head.fixed<std::uint16_t>() & ~unsigned{direction_bit};
    const unsigned flags = head.u8();
    const auto content = base::byte_view(s.bytes).subspan(frame_header_bytes);
    if (s.from == direction::from_client) to.add("requests", {listener_byte(s.on), kind & 0xffU, kind >> 8U, flags}, content);
    else to.add("answers", {kind & 0xffU, kind >> 8U}, content);
    if (s.bytes.size() < 200) {
      auto& stream = s.from == direction::from_client ? from_clients : from_server;
      stream.insert(stream.end(), s.bytes.begin(), s.bytes.end());
    }
  }
  // All directions, limits and buffers.
  for (unsigned how = 0; how < 32; how += 5) {
    const base::byte_view stream = (how & 1U) != 0 ? from_server : from_clients;
    to.add("frames", {how, how * 7}, stream.first(std::min<std::size_t>(stream.size(), 700)));
  }
}

// ---- the journal: what a crowd does to a hall ------------------------------------------------------------------------

struct keeper : core::step_sink {
  struct kept {
    core::sequence number;
    core::log_time at;
    base::bytes bytes;
    std::size_t event = 0;
    core::command_tag tag = core::command_tag::create_session;
    base::bytes command;  ///< content, whole
  };
  std::vector<kept> records;
  std::map<std::uint64_t, core::answer> said;

  void on_record(const core::record& r) override {
    kept k{r.number, r.at, {}, r.done.index(), core::tag_of(r.asked), {}};
    persistence::encode_record(r, k.bytes);
    base::byte_writer w(k.command);
    core::encode_command(r.asked, core::command_form::whole, w);
    records.push_back(std::move(k));
  }
  void on_view_change(const core::view_change&) override {}
  void on_answer(std::uint64_t ticket, const core::answer& a, std::shared_ptr<const core::seen>) override { said[ticket] = a; }
};

/// A sale of random commands; `each` is called now and then with the engine as it stands.
template <class Each>
keeper sale(std::uint64_t n, int steps, Each each) {
  const auto terms = fuzz::terms(n);
  simulation::mix how;
  how.forgetting = n % 2 == 0;
  how.restart_percent = 0;
  how.fault_per_mille = 0;
  simulation::random_commands crowd(n, terms, how);
  keeper k;
  const auto created = tests::created_record(terms, core::log_time{fuzz::noon - core::us_per_s});
  k.on_record(created);
  core::engine e(core::session::create(fuzz::script_session, created, {1, 16}));
  for (int i = 0; i < steps; ++i) {
    const auto h = crowd.next();
    std::vector<core::request> batch;
    for (const auto& a : h.batch) batch.push_back({batch.size(), a.head, a.what});
    k.said.clear();
    e.step(batch, h.now, k);
    for (std::size_t j = 0; j < h.batch.size(); ++j) crowd.learn(h.batch[j], k.said.at(j));
    each(i, e);
  }
  return k;
}

void journal_bytes(corpus& to) {
  using namespace persistence;
  std::map<std::size_t, unsigned> of_event;
  std::map<core::command_tag, unsigned> of_tag;
  // Of the small hall that the target `records` knows.
  {
    auto terms = std::make_shared<core::session_terms>(*fuzz::terms(0));
    terms->seating = fuzz::small_hall();
    keeper k;
    k.on_record(tests::created_record(terms, core::log_time{fuzz::noon}));
    to.add("records", {1, 0}, k.records[0].bytes);
  }
  for (std::uint64_t n = 0; n < 6; ++n) {
    const auto k = sale(n, 300, [](int, const core::engine&) {});
    for (const auto& r : k.records) {
      if (r.event != 0 && of_event[r.event]++ < 2) to.add("records", {static_cast<unsigned>(r.number.value & 0xffU), 1}, r.bytes);
      if (of_tag[r.tag]++ < 2) to.add("commands", {static_cast<unsigned>(r.tag), 0}, r.command);
    }
    if (n >= 2) continue;

    // A journal of three blocks.
    base::bytes script;
    base::byte_writer w(script);
    sha256 hasher;
    block_encoder encoder;
    digest previous = genesis_hash(journal, hasher);
    std::size_t at = 0;
    for (std::uint64_t number = 1; number <= 3; ++number) {
      const auto last = std::min(at + 1 + 4 * n, k.records.size() - 1);
      const auto time = k.records[last].at.value;
      encoder.begin({1, number, 1, time, 0, previous});
      base::bytes started;
      if (number == 1) {
        encode_started({journal, 1, time, "holdfast"}, started);
        encoder.add({system_session, 1, time, started});
      }
      for (; at <= last; ++at) encoder.add({7, k.records[at].number.value, k.records[at].at.value, k.records[at].bytes});
      const auto block = encoder.finish(hasher);
      previous = encoder.hash();
      w.u8(number % 2 != 0 ? 0x3f : 0);  // every other as it is: it continues the one before if that was not changed
      w.fixed(static_cast<std::uint16_t>(block.size()));
      w.view(block);
    }
    to.add("blocks", script);
  }
}

void marks(corpus& to) {
  using namespace persistence;
  sha256 hasher;
  base::bytes b;
  const block_mark at{4711, hasher.of(base::as_bytes("block"))};
  const witness w{1, 12, journal, 3, at, fuzz::noon};
  encode_witness(w, hasher, b);
  to.add("marks", {0, 1}, b);
  auto two = b;
  auto older = w;
  older.writes = 11;
  encode_witness(older, hasher, b);
  two.insert(two.end(), b.begin(), b.end());
  to.add("marks", {4, 1}, two);
  encode_meta({1, journal, 1, genesis_hash(journal, hasher)}, hasher, b);
  to.add("marks", {1, 1}, b);
  encode_checkpoint({1, {journal, at}, {{1, 5, 4000, at.hash}, {2, 9, 4711, at.hash}}}, b);
  to.add("marks", {2, 1}, b);
  b.clear();
  encode_started({journal, 3, fuzz::noon, "holdfast 0.1.0"}, b);
  to.add("marks", {3, 0}, b);
  for (const auto t : {index_bytes::table::owner, index_bytes::table::placed, index_bytes::table::refund})
    to.add("marks", {5, 0}, index_bytes::posting_key({{t, 0x1122334455667788, t == index_bytes::table::owner ? 0U : 42U}, {4711, 3}}).text());
}

void snapshots(corpus& to) {
  for (std::uint64_t n = 0; n < 4; ++n) {
    base::bytes front;
    base::byte_writer w(front);
    w.varint(1);
    core::encode_command(core::create_session{fuzz::terms(n)}, core::command_form::whole, w);
    sale(n, 120, [&](int i, const core::engine& e) {
      if (i != 5 && i != 40 && i != 119) return;
      base::bytes state;
      base::byte_writer out(state);
      e.state().save(out);
      HOLDFAST_CHECK(std::ranges::equal(front, base::byte_view(state).first(front.size())), "the terms stand elsewhere");
      to.add("snapshots", {static_cast<unsigned>(n)}, base::byte_view(state).subspan(front.size()));
    });
  }
}

// ---- stories ------------------------------------------------------------------------------------------------------------

std::uint8_t who_is(core::role r) { return r == core::role::op ? 2 : r == core::role::schedule ? 3 : 0; }

void stories(corpus& to) {
  for (std::uint64_t n = 0; n < 8; ++n) {
    const auto terms = fuzz::terms(n);
    simulation::mix how;
    how.forgetting = n % 2 == 0;
    how.batch_max = 3;
    simulation::random_commands crowd(n + 100, terms, how);
    tests::duel played(terms, core::log_time{fuzz::noon - core::us_per_s});
    fuzz::script s;
    s.terms = static_cast<std::uint8_t>(n);
    std::uint64_t before = 0;
    while (s.items.size() + 4 < fuzz::script_items_max) {
      const auto h = crowd.next();
      if (const auto trouble = played.play(h)) {
        std::fprintf(stderr, "%s\n", trouble->c_str());
        std::exit(1);
      }
      fuzz::script_item i;
      i.after_us = before == 0 ? 0 : static_cast<std::uint32_t>(h.now.value - before);
      before = h.now.value;
      if (h.what != simulation::happening::kind::step) {
        i.what = h.what == simulation::happening::kind::restart ? fuzz::script_item::kind::restart : fuzz::script_item::kind::fault;
        s.items.push_back(i);
      }
      for (std::size_t k = 0; k < h.batch.size(); ++k) {
        const auto& a = h.batch[k];
        if (k < played.said().size()) crowd.learn(a, played.said()[k]);
        if (a.head.from.who == core::role::recovery || std::holds_alternative<core::create_session>(a.what) ||
            std::holds_alternative<core::expire_due>(a.what))
          continue;
        i.who = who_is(a.head.from.who);
        i.ends_step = k + 1 == h.batch.size();
        protocol::request r;
        r.id = 1;
        r.session = fuzz::script_session;
        r.head = a.head;
        if (r.head.client_deadline.value > h.now.value) r.head.client_deadline.value -= h.now.value;
        r.asked = a.what;
        i.frame = fuzz::frame_of(r, i.who);
        if (i.frame.size() <= fuzz::script_frame_bytes_max && s.items.size() < fuzz::script_items_max) s.items.push_back(i);
      }
    }
    base::bytes b;
    fuzz::write_script(s, b);
    to.add("sessions", b);
  }
}

// ---- what people write ---------------------------------------------------------------------------------------------------

void texts(corpus& to) {
  const fs::path root(HOLDFAST_SOURCE_DIR);
  base::bytes plan;
  base::byte_writer w(plan);
  core::encode_plan(*fuzz::small_hall(), w);
  to.add("plan_bytes", plan);
  plan.clear();
  core::encode_plan(*fuzz::terms(3)->seating, w);
  to.add("plan_bytes", plan);

  const std::string drawn =
      R"({"name":"Hall","categories":[{"name":"I","color":"#7f4a91"},{"name":"II","color":""}],"zones":[{"name":"Main","position":{"x":0,"y":10},"rows":[)"
      R"({"row_number":"A","row_number_position":"both","position":{"x":1,"y":0},"seats":[{"seat_guid":"g1","uuid":"0f0f0f0f-0000-4000-8000-000000000001","seat_number":"1","position":{"x":0,"y":0},"category":"I"},)"
      R"({"seat_guid":"g2","uuid":"0f0f0f0f-0000-4000-8000-000000000002","seat_number":"2","position":{"x":25,"y":0},"category":"I"},{"seat_guid":"g3","seat_number":"3","position":{"x":90,"y":0},"category":"II"}]}],)"
      R"("areas":[{"shape":"rectangle","color":"#ccc","border_color":"#000","rotation":0,"position":{"x":0,"y":0},"rectangle":{"width":10,"height":5},"text":{"position":{"x":1,"y":1},"color":"#333","text":"Stage"}}]}],"size":{"width":500,"height":400}})";
  for (unsigned rule = 0; rule < 4; ++rule) to.add("plan_json", {rule}, drawn);

  to.add("plan_tables", {0}, content_of(root / "configs/plans/demo.csv"));
  to.add("plan_tables", {0},
         "zone,row,seat,category,allocation,flags,capacity\nMain,A,\"1-4,7+8\",I,,accessible,\nMain,B,A1-A5:2,II,presale,companion|restricted,\nPit,,,III,,,40\n");
  to.add("plan_tables", {1}, "zone;row;seat;category;allocation;flags;capacity\nmain;A;1-2;;guests;accessible;\nPit;;;floor;public;;30\n");
  to.add("plan_tables", {2},
         "name = \"Hall\"\n[categories]\n\"x\" = \"floor\"\n[[area]]\nname = \"Pit\"\ncategory = \"floor\"\ncapacity = { public = 300, presale = 10 }\n"
         "[[mark]]\nseats = [\"main/A/1-2\", \"seat-7\"]\nallocation = \"guests\"\nflags = [\"accessible\"]\n");
  to.add("config", {}, content_of(root / "configs/demo.toml"));
  to.add("config", {}, content_of(root / "configs/holdfast.toml"));
  to.add("policy", {}, content_of(root / "configs/policy.toml"));
  to.add("policy", {}, "[[channel]]\nname = \"a\"\nallocations = \"all\"\n[[channel.limit]]\nkey = \"email\"\nplaces_max = 2\ncategories = [\"stalls\"]\n");
}

void histories(corpus& to) {
  using namespace history;
  const auto file = fs::temp_directory_path() / "holdfast-fuzz-seed.history";
  for (unsigned areas = 0; areas < 2; ++areas) {
    const std::vector<std::uint64_t> places(areas, 10);
    auto r = recorder::create(file, 7, 10, places);
    HOLDFAST_CHECK(r.ok(), "cannot write a history");
    std::uint64_t now = 1'000'000'000, record = 1;
    const auto add = [&](operation what, outcome came, std::uint64_t hold, std::uint64_t deadline, std::vector<line_item> items) {
      row x;
      x.invoked = now += 1'000'000;
      if (came != outcome::unknown) x.answered = now += 2'000'000, x.server = fuzz::noon + now / 1'000 - 1'000, x.record = came == outcome::yes ? ++record : record;
      x.what = what, x.came = came, x.hold = hold, x.account = 5, x.deadline = deadline;
      if (came == outcome::no) x.refusal = said::blocked, x.offending = 1;
      if (what == operation::look) x.account = 10;
      r->add(x, items);
    };
    const auto states = [](unsigned first) { return std::vector<line_item>{{first | first << 8U, 0}, {0, 0}}; };
    add(operation::look, outcome::yes, 0, 0, states(0));
    add(operation::hold, outcome::yes, 11, fuzz::noon + 60'000'000, {{0, 1}, {2, 1}});
    add(operation::hold, outcome::no, 12, 0, {{0, 1}});
    if (areas != 0) add(operation::hold, outcome::yes, 13, fuzz::noon + 60'000'000, {{1, 3}});
    add(operation::extend, outcome::yes, 11, fuzz::noon + 90'000'000, {});
    add(operation::begin_payment, outcome::yes, 11, fuzz::noon + 90'000'000, {});
    add(operation::confirm, outcome::yes, 11, 0, {});
    add(operation::release, outcome::unknown, 13, 0, {});
    add(operation::look, outcome::yes, 0, 0, states(3));
    HOLDFAST_CHECK(r->close().ok(), "cannot write a history");
    to.add("history", {}, content_of(file));
  }
  fs::remove(file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 64;
  }
  corpus to(argv[1]);
  wire(to);
  journal_bytes(to);
  marks(to);
  snapshots(to);
  stories(to);
  texts(to);
  histories(to);
  std::printf("%u seeds\n", to.files());
  return 0;
}
