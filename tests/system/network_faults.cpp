// Sale after sale over a network that cuts, chops, delays, stops and swallows, to a server that is killed in the middle; after each sale what
// its clients saw is judged, and the journal is audited. Ends at the first violation, which leaves its history and its directory behind.
#include <unistd.h>

#include <optional>
#include <semaphore>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "client/ids.hpp"
#include "plans/generate.hpp"
#include "tests/support/fault_proxy.hpp"
#include "tests/system/program_call.hpp"
#include "tests/system/server.hpp"

namespace holdfast::system_test {
namespace {

using tests::connection_faults;
using tests::fault_proxy;
using steady = std::chrono::steady_clock;

struct settings {
  std::string program = "build/release/bin/holdfastd";
  bool late_copies = true, keep = false;
  unsigned seconds = 60, kills = 2, connections = 200, seats = 50'000, sales_a_directory = 8;
  std::uint64_t seed = 0, buyers = 150'000, accounts = 20'000;
};

struct totals {
  std::uint64_t sales = 0, operations = 0, accepted = 0, unanswered = 0, again = 0, late = 0, cuts = 0, silenced = 0, stopped = 0, connections = 0,
                kills = 0, audits = 0, records = 0;
  double checking = 0;
};

double since(steady::time_point t) { return std::chrono::duration<double>(steady::now() - t).count(); }

/// Half of the connections are cut somewhere, at any number of bytes up to a quarter of a million; others come late, in pieces, or never.
connection_faults any_fault(std::uint64_t number, base::random& chance, bool late_copies) {
  // On these the program asks whether there is a server at all: alone, and for its crowd. One failure there means that there is none.
  if (number < 2) return connection_faults{};
  using pieces = connection_faults::pieces;
  const auto somewhere = [&] { return chance.below(std::uint64_t{1} << chance.between(6, 18)); };
  connection_faults f;
  f.forget_when_left = !late_copies;
  const auto pick = chance.below(100);
  if (pick < 30) f.cut_to_server = somewhere();
  else if (pick < 60) f.cut_to_client = somewhere();
  else if (pick < 65) f.silent_after = somewhere();
  f.cut_by = chance.chance(50) ? connection_faults::ending::reset : connection_faults::ending::end_of_stream;
  const auto cut = chance.below(100);
  if (cut < 1) f.cut_into = pieces::single_bytes;
  else if (cut < 10) f.cut_into = pieces::random;
  else if (cut < 30) f.cut_into = pieces::gathered;
  if (chance.chance(15)) f.delay_max = std::chrono::microseconds(chance.below(5'000));
  return f;
}

class campaign {
 public:
  explicit campaign(const settings& s) : s_(s), chance_(s.seed) {}

  int run() {
    fmt::print("seed {}, {} connections, {} kills a sale\n", s_.seed, s_.connections, s_.kills);
    fmt::print("{:>5} {:>11} {:>10} {:>7} {:>9} {:>8} {:>6} {:>11} {:>11}\n", "sale", "operations", "unanswered", "cuts", "silenced", "stopped", "kills",
               "violations", "checked/s");
    const auto begun = steady::now();
    bool good = true;
    while (good && since(begun) < s_.seconds) {
      folder_.emplace();
      how_ = {.program = s_.program, .data = folder_->path() / "data", .folder = folder_->path(), .sync = true, .more = {}, .shop_port = free_port()};
      server_.emplace(how_);
      if (!server_->ready()) return say_no("the server does not start", server_->said());
      for (unsigned n = 0; good && n < s_.sales_a_directory && since(begun) < s_.seconds; ++n) good = sale();
      if (server_) good = audit() && good;
    }
    fmt::print("{} sales in {:.0f} s: {} operations checked, {:.2f} M a second ({} accepted, {} asked again, {} refused while a copy was under way, {} without an answer); "
               "{} connections, {} cut, {} silenced, {} times stopped; {} kills; {} audits of {} records; {}\n",
               all_.sales, since(begun), all_.operations, all_.checking > 0 ? static_cast<double>(all_.operations) / all_.checking / 1e6 : 0, all_.accepted,
               all_.again, all_.late, all_.unanswered, all_.connections, all_.cuts, all_.silenced, all_.stopped, all_.kills, all_.audits, all_.records,
               good ? "0 violations" : "VIOLATION");
    return good ? 0 : 1;
  }

 private:
  bool sale() {
    const auto name = fmt::format("sale-{}", ++all_.sales);
    open_session(*server_, name, plans::generate_hall({.seats = s_.seats}));
    const auto history = (folder_->path() / name).string();
    const auto seed = chance_.next();
    fault_proxy proxy(how_.shop_port, seed, [&](std::uint64_t number, base::random& chance) { return any_fault(number, chance, s_.late_copies); });
    proxy.swizzle(std::chrono::microseconds(chance_.between(300, 3'000)));
    called sold;
    unsigned kills = 0;
    {
      std::binary_semaphore over{0};
      const std::jthread selling([&] {
        sold = call({"--server", fmt::format("127.0.0.1:{}", proxy.port()), "--attempts", "1000", "--answer-within", "1s", "sale", name, "--connections",
                     std::to_string(s_.connections), "--money-connections", "16", "--buyers", std::to_string(s_.buyers), "--ask-again", "5",
                     "--walk-away", "15", "--walk-away-after", "300ms", "--give-back", "70", "--accounts", std::to_string(s_.accounts), "--seed",
                     std::to_string(seed), "--history", history});
        over.release();
      });
      // Killed when the sale has come so far, on fast machines and slow ones.
      std::uint64_t next = 0;
      while (kills < s_.kills) {
        next += s_.buyers / (s_.kills + 1) / 2 + chance_.below(s_.buyers / (s_.kills + 1));
        if (!wait_for_record(name, next, over)) break;
        server_->kill9();
        server_.emplace(how_);
        ++kills;
        if (!server_->ready()) {
          say_no("the server does not come back", server_->said());
          _exit(1);  // the sale would wait for it for ever
        }
      }
    }
    if (sold.code != 0 && (sold.code != 69 || sold.is.contains("error"))) return say_no("sale", sold.is.dump(2)), keep(history);
    const auto checked = call({"check", history, "--limit", "6"});
    const auto& is = checked.is;
    if (checked.code != 0) return say_no("check", is.dump(2)), keep(history);
    const auto seen = proxy.seen();
    const auto took = is.at("seconds_checking").get<double>();
    const auto n = is.at("operations").get<std::uint64_t>();
    fmt::print("{:>5} {:>11} {:>10} {:>7} {:>9} {:>8} {:>6} {:>11} {:>11.2f}\n", all_.sales, n, is.at("without_an_answer").get<std::uint64_t>(), seen.cuts,
               seen.silenced, seen.stopped, kills, is.at("violations_found").get<std::uint64_t>(), took > 0 ? static_cast<double>(n) / took / 1e6 : 0);
    std::fflush(stdout);
    all_.operations += n;
    all_.late += is.at("refused_while_a_copy_was_under_way").get<std::uint64_t>();
    all_.accepted += is.at("accepted").get<std::uint64_t>();
    all_.again += is.at("asked_again").get<std::uint64_t>();
    all_.unanswered += is.at("without_an_answer").get<std::uint64_t>();
    all_.checking += took;
    all_.cuts += seen.cuts;
    all_.silenced += seen.silenced;
    all_.stopped += seen.stopped;
    all_.connections += seen.connections;
    all_.kills += kills;
    if (s_.keep) keep(history, false);
    std::filesystem::remove(history);
    return true;
  }

  /// False: the sale was over before.
  bool wait_for_record(const std::string& name, std::uint64_t record, std::binary_semaphore& over) const {
    auto link = client::blocking::connect(server_->shop());
    if (!link) return false;
    const auto session = link->session_named(name);
    if (!session || !session->seen) return false;
    do {
      const auto now = link->session_state(session->seen->id);
      if (!now) return false;
      if (now->seen && now->seen->last.value >= record) return true;
    } while (!over.try_acquire_for(std::chrono::milliseconds(2)));
    return false;
  }

  bool audit() {
    if (server_->terminate() != 0) return say_no("the server did not stop in order", "") == 0;
    server_.reset();
    const auto audited = call({"audit", "verify", how_.data.string()});
    if (audited.code != 0) return say_no("audit", audited.is.dump(2)), keep("");
    ++all_.audits;
    all_.records += audited.is.at("records").get<std::uint64_t>();
    if (s_.keep) keep("", true);
    return true;
  }

  int say_no(std::string_view what, const std::string& why) const {
    fmt::print(stderr, "seed {}, sale {}: {}: {}\n", s_.seed, all_.sales, what, why);
    return 1;
  }
  /// What is evidence stays. False, so that it ends what it is returned from.
  bool keep(const std::string& history, bool with_data = true) {
    const auto kept = std::filesystem::temp_directory_path() / fmt::format("holdfast-network-faults-{}-{}", s_.seed, all_.sales);
    std::error_code ignored;
    std::filesystem::create_directories(kept, ignored);
    if (with_data) {
      server_.reset();
      std::filesystem::copy(how_.data, kept / "data", std::filesystem::copy_options::recursive, ignored);
    }
    if (!history.empty()) std::filesystem::copy(history, kept / "history", ignored);
    fmt::print(stderr, "kept in {}\n", kept.string());
    return false;
  }

  const settings s_;
  base::random chance_;
  std::optional<scratch_folder> folder_;
  server_options how_;
  std::optional<server> server_;
  totals all_;
};

}  // namespace
}  // namespace holdfast::system_test

int main(int argc, char** argv) {
  using namespace holdfast::system_test;
  settings s;
  CLI::App app{"Sells over a network that fails, to a server that is killed, and checks what the clients saw and what the journal says."};
  app.add_option("--server", s.program, "holdfastd")->capture_default_str();
  app.add_option("--seconds", s.seconds, "no sale begins after so long")->capture_default_str();
  app.add_option("--seed", s.seed, "of buyers and faults; the moment of a kill is the machine's. Default: another one each time");
  app.add_option("--kills", s.kills, "of the server in a sale")->capture_default_str();
  app.add_option("--buyers", s.buyers, "a sale")->capture_default_str()->check(CLI::Range(100, 100'000'000));
  app.add_option("--seats", s.seats, "a sale")->capture_default_str()->check(CLI::Range(100, 1'000'000));
  app.add_flag("--late-copies,!--no-late-copies", s.late_copies, "what a client sent before it left a connection arrives all the same")->capture_default_str();
  app.add_flag("--keep", s.keep, "each history and directory, not only that of a violation");
  app.add_option("--connections", s.connections)->capture_default_str()->check(CLI::Range(1, 5'000));
  CLI11_PARSE(app, argc, argv);
  if (s.seed == 0) s.seed = holdfast::client::random_seed();
  return campaign(s).run();
}
