// A story told to a real engine in the frames that a client would send, beside the naive model: every answer is the model's, every
// record is decided the same again and brings a shadow that knows records alone to the same state, and after each step all
// books balance (session::verify). At the end everything that looks show, the funnel's view and the saved bytes are compared, too.
// With HOLDFAST_TELL in the environment the story is printed while it is played.
//
// sessions_mutator.cpp writes stories whose frames stay valid.
#include <cstdio>
#include <cstdlib>

#include "simulation/describe.hpp"
#include "tests/core/duel.hpp"
#include "tests/fuzz/halls.hpp"
#include "tests/fuzz/session_script.hpp"
#include "tests/fuzz/target.hpp"

using namespace holdfast;
using simulation::asked;
using simulation::happening;

namespace {

constexpr unsigned halls = 8;
constexpr core::log_time creation{fuzz::noon - core::us_per_s};
/// A deadline below it counts from the step's time; one above is the client's nonsense and stays.
constexpr std::uint64_t relative_max = std::uint64_t{1} << 40U;

void must_agree(const std::optional<std::string>& trouble) {
  if (!trouble) return;
  std::fprintf(stderr, "%s\n", trouble->c_str());
  HOLDFAST_CHECK(false, "engine and model disagree");
}

class player {
 public:
  explicit player(std::uint8_t terms) : small_steps_(terms % 2 != 0), forgetting_(terms % 2 == 0), duel_(fuzz::terms(terms), creation) {}

  void play(const fuzz::script_item& i) {
    if (batch_.empty()) now_ += i.after_us;
    switch (i.what) {
      case fuzz::script_item::kind::restart: return alone(happening::kind::restart);
      case fuzz::script_item::kind::fault: return alone(happening::kind::fault);
      case fuzz::script_item::kind::frame: break;
    }
    const auto r = fuzz::request_of(i, arena_);
    if (r) {
      if (const auto* look = std::get_if<core::look>(&r->asked)) {
        step();
        duel_.look(*look);
      } else {
        ask(*r);
      }
    }
    if (i.ends_step) step();
  }

  void end() {
    step();
    must_agree(duel_.compare_state(recent_, owners_));
    must_agree(duel_.compare_bytes());
  }

 private:
  void ask(const protocol::request& r) {
    asked a{r.head, std::get<core::command>(r.asked)};
    if (a.head.client_deadline.value != 0 && a.head.client_deadline.value < relative_max) a.head.client_deadline.value += now_;
    const auto owner = simulation::model_owner_of(a.what);
    if (owners_.size() < 8 && std::ranges::find(owners_, owner) == owners_.end()) owners_.push_back(owner);
    batch_.push_back(a);
    recent_.push_back(a);
    // The model expires all that is due before each command; where that could be told from what the engine does, the step ends
    // (simulation/random_commands.cpp does the same).
    if (batch_.size() == (small_steps_ ? 3U : 6U) || (forgetting_ && std::holds_alternative<core::payment_failed>(a.what))) step();
  }
  void step() {
    if (batch_.empty()) return;
    happening h{happening::kind::step, core::log_time{now_}, {}};
    h.batch.swap(batch_);
    play(h);
  }
  void alone(happening::kind what) {
    step();
    play({what, core::log_time{now_}, {}});
  }
  void play(const happening& h) {
    static const bool telling = std::getenv("HOLDFAST_TELL") != nullptr;
    if (telling) tell(h);
    const auto trouble = duel_.play(h);
    if (telling)
      for (const auto& said : duel_.said()) std::fprintf(stderr, "    %s\n", simulation::text_of(said).c_str());
    must_agree(trouble);
    duel_.engine().state().verify();
  }
  static void tell(const happening& h) {
    const char* const names[] = {"step", "restart", "fault"};
    std::fprintf(stderr, "at %llu: %s\n", static_cast<unsigned long long>(h.now.value - fuzz::noon), names[static_cast<int>(h.what)]);
    for (const auto& a : h.batch)
      std::fprintf(stderr, "  %s | %s\n", simulation::text_of(a.head).c_str(), simulation::text_of(a.what).c_str());
  }

  bool small_steps_, forgetting_;
  std::pmr::monotonic_buffer_resource arena_;
  tests::duel duel_;
  std::uint64_t now_ = fuzz::noon;
  std::vector<asked> batch_;
  std::deque<asked> recent_;
  std::vector<core::owner_id> owners_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto s = fuzz::read_script({data, size});
  if (s.items.empty()) return 0;
  player p(s.terms % halls);
  for (const auto& i : s.items) p.play(i);
  p.end();
  return 0;
}
