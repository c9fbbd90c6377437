// A session's state as bytes: bad bytes are an error and never a broken state. What loads passes session::verify, can be looked
// at and stepped, and when it is saved it loads as the same.
//
// Input: number of the terms, then the state behind its terms, which are put before it here.
#include "core/command_codec.hpp"
#include "core/engine.hpp"
#include "tests/fuzz/halls.hpp"
#include "tests/fuzz/target.hpp"

using namespace holdfast;
using namespace holdfast::core;

namespace {

constexpr session_options options{1, 16};
constexpr unsigned halls = 8;

struct hall {
  std::shared_ptr<const session_terms> terms;
  base::bytes front;  ///< version and terms, as session::save writes them
};
const hall& hall_of(std::uint8_t which) {
  static const auto all = [] {
    std::vector<hall> made;
    for (unsigned i = 0; i < halls; ++i) {
      hall h{fuzz::terms(i), {}};
      base::byte_writer w(h.front);
      w.varint(1);
      encode_command(create_session{h.terms}, command_form::whole, w);
      made.push_back(std::move(h));
    }
    return made;
  }();
  return all[which % halls];
}

struct nobody : step_sink {
  void on_record(const record&) override {}
  void on_view_change(const view_change&) override {}
  void on_answer(std::uint64_t, const answer&, std::shared_ptr<const seen>) override {}
};

base::bytes saved(const session& s) {
  base::bytes b;
  base::byte_writer w(b);
  s.save(w);
  return b;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto& where = hall_of(data[0]);
  static base::bytes state;
  state = where.front;
  state.insert(state.end(), data + 1, data + size);
  auto loaded = session::load(session_id{7}, state, where.terms->seating, options);
  if (!loaded) return fuzz::must_be_one_line(loaded.failure()), 0;
  loaded->verify();
  const auto first = saved(*loaded);
  auto twin = session::load(session_id{7}, first, where.terms->seating, options);
  HOLDFAST_CHECK(twin.ok(), "a saved session does not load");
  HOLDFAST_CHECK(saved(*twin) == first, "saved, loaded and saved again gives other bytes");

  std::vector<view_change> changes;
  loaded->describe_view(changes);
  engine e(std::move(loaded).value());
  nobody out;
  // Some time later, everything at once that a look or the passing of time walks over.
  const log_time now{std::max<std::uint64_t>(e.state().last_time().value, fuzz::noon) + 3600 * us_per_s};
  if (now.value < e.state().last_time().value) return 0;
  request asked[] = {{1, {}, look{look_session{}}}, {2, {}, look{look_seats{}}}, {3, {}, look{look_holds{}}}, {4, {}, look{look_owner{owner_id{{0xb0b, 1}}}}}};
  for (auto& r : asked) r.head.from = {role::op, 0};
  e.step({}, now, out);
  e.step(asked, now, out);
  e.state().verify();
  return 0;
}
