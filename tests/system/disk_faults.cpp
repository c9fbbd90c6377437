// The real server over a disk that fails, see disk_faults.hpp:
//
//   holdfast_disk_faults sweep    each writing call fails, once and for ever, in every way
//   holdfast_disk_faults full     a small disk is filled, freed, filled (root: mounts)
//   holdfast_disk_faults stall    syncs stand still and go on
#include "tests/system/disk_faults.hpp"

#include <cstring>
#include <map>
#include <new>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/check.hpp"
#include "persistence/audit.hpp"
#include "plans/generate.hpp"

namespace holdfast::system_test {

namespace fs = std::filesystem;

fault_control::fault_control(const fs::path& folder, const fs::path& under) : file_(folder / "disk-faults"), under_(under.string()) {
  const int fd = ::open(file_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  HOLDFAST_CHECK(fd >= 0 && ::ftruncate(fd, sizeof(disk_fault_block)) == 0, "no file for the control block");
  void* at = ::mmap(nullptr, sizeof(disk_fault_block), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  HOLDFAST_CHECK(at != MAP_FAILED, "no shared memory");
  block_ = static_cast<disk_fault_block*>(at);
  reset();
}

fault_control::~fault_control() { ::munmap(block_, sizeof(disk_fault_block)); }

void fault_control::reset() {
  new (block_) disk_fault_block;
  HOLDFAST_CHECK(under_.size() < sizeof block_->under, "a short path");
  std::memcpy(block_->under, under_.c_str(), under_.size() + 1);
}

void fault_control::stall_syncs() { block_->stall = 1; }

void fault_control::resume_syncs() {
  block_->stall = 0;
  ::syscall(SYS_futex, &block_->stall, FUTEX_WAKE, 1'000'000, nullptr, nullptr, 0);
}

std::vector<std::string> fault_control::environment(const fs::path& library) const {
  return {fmt::format("LD_PRELOAD={}", fs::absolute(library).string()), fmt::format("{}={}", disk_fault_variable, file_.string())};
}

std::string held_to(rush& crowd, const server_options& how) {
  const auto audited = persistence::audit_directory({how.data}, {});
  if (!audited) return "audit: " + audited.failure().text;
  if (!audited->clean()) return fmt::format("audit: block {} record {}: {}", audited->wrong->block, audited->wrong->record, audited->wrong->what);
  server healthy(how);
  if (!healthy.ready()) return fmt::format("does not start, exit {}: {}", healthy.exit_code().value_or(-1), healthy.said());
  const auto found = crowd.verify(healthy.shop());
  if (!found) return "cannot be asked: " + found.failure().text;
  // Whether holds got back the time that the server was away is the crash rounds' business: here it also stops in order, which takes time.
  if (found->lost + found->wrong != 0) return fmt::format("{} lost, {} wrong: {}", found->lost, found->wrong, found->examples.front());
  if (healthy.terminate() != 0) return "does not stop in order";
  return {};
}

namespace {

constexpr std::uint32_t seats = 20'000;

/// Small logs and many checkpoints, so that a short load meets all that the server writes.
server_options small_server(const disk_fault_settings& s, const fs::path& data, const fs::path& folder) {
  return {s.program, data, folder, true, "[snapshots]\nrecords_max = 1500\n", "write_buffer_bytes = 1048576"};
}

/// Files without which the server goes on: the next log, snapshots, the index. RocksDB's own options and the length that it takes off
/// a closed log are not needed either; a log that a spare cannot become is made without; and where the directory is not synced after
/// a spare became a log, another log is begun.
bool may_go_on(const disk_fault_block& b, const fs::path& data) {
  const auto name = fs::path(b.path).lexically_relative(data).string();
  if (std::strcmp(b.call, "rename") == 0 && name.ends_with(".log")) return true;
  return name.starts_with("spare") || name.starts_with("snapshots") || name.starts_with("index") || name.find("OPTIONS") != std::string::npos ||
         name.find("/LOG") != std::string::npos || name == "journal" || name == "." || std::strcmp(b.call, "ftruncate") == 0 || std::strcmp(b.call, "reopen") == 0;
}

/// Where the first call failed, for the table.
std::string place_of(const disk_fault_block& b, const fs::path& data) {
  auto name = fs::path(b.path).lexically_relative(data);
  std::string top = name.begin() == name.end() ? std::string() : name.begin()->string();
  if (top == ".") return "the directory itself";
  if (top != "journal") return top.starts_with("spare") ? "spare" : top.starts_with("witness") ? "witness" : top;
  const auto leaf = name.filename().string();
  for (const char* known : {"MANIFEST", "OPTIONS", "CURRENT", "IDENTITY", "LOG"})
    if (leaf.starts_with(known)) return std::string("journal: ") + known;
  if (leaf.ends_with(".dbtmp")) return "journal: CURRENT";
  return "journal: " + (name.has_extension() ? name.extension().string().substr(1) : std::string("directory"));
}

struct fate {
  std::uint64_t stopped = 0, not_started = 0, went_on = 0;
};

}  // namespace

int disk_sweep(const disk_fault_settings& s) {
  scratch_folder folder;
  const auto original = folder.path() / "original", data = folder.path() / "data";
  core::session_id session;
  {
    server first(small_server(s, original, folder.path()));
    HOLDFAST_CHECK(first.ready(), first.said().c_str());
    session = open_session(first, "faults", plans::generate_hall({.seats = seats}));
    rush before(session, seats, s.seed);
    HOLDFAST_CHECK(before.run(first.shop(), 1'000, 1, [&] { first.kill9(); }).ok(), "the first load runs");
  }
  fault_control control(folder.path(), data);
  auto faulty = small_server(s, data, folder.path());
  const auto healthy = faulty;
  faulty.environment = control.environment(s.library);

  struct variant {
    const char* name;
    disk_fault kind;
    bool for_ever;
  };
  constexpr variant variants[] = {
      {"EIO once", disk_fault::io_error, false},  {"EIO for ever", disk_fault::io_error, true},        {"ENOSPC once", disk_fault::no_space, false},
      {"ENOSPC for ever", disk_fault::no_space, true}, {"torn once", disk_fault::torn, false},         {"torn for ever", disk_fault::torn, true},
      {"short writes", disk_fault::short_write, true}, {"EINTR once", disk_fault::interrupted, false},
  };
  std::map<std::string, fate> table;
  std::uint64_t runs = 0, broken = 0, promises = 0;
  double slowest_ms = 0;
  for (const auto& v : variants) {
    // Calls that are not told of as errors change nothing, wherever they are: fewer will do.
    const bool error = v.kind != disk_fault::short_write && v.kind != disk_fault::interrupted;
    std::uint64_t of_variant = 0;
    for (std::uint64_t call = 1 + runs % s.stride;; call += error ? s.stride : s.stride * 8) {
      fs::remove_all(data);
      fs::copy(original, data, fs::copy_options::recursive);
      control.reset();
      control->kind = v.kind;
      control->for_ever = v.for_ever;
      control->at_call = call;
      rush crowd(session, seats, s.seed * 1'000'003 + runs);
      int code = 0;
      bool was_ready = false;
      std::string said;
      {
        server on(faulty);
        was_ready = on.ready();
        if (was_ready) {
          const auto ran = crowd.run(on.shop(), s.acks, 1, [&] { code = on.terminate(); });
          // It may be gone before the first connection.
          if (!ran) code = on.end();
          else promises += ran->acknowledged;
        } else {
          code = *on.exit_code();
        }
        timespec t{};
        ::clock_gettime(CLOCK_MONOTONIC, &t);
        const auto took = static_cast<double>(t.tv_sec * 1'000'000'000LL + t.tv_nsec - control->first_failed_ns) / 1e6;
        if (code == 74 && was_ready) slowest_ms = std::max(slowest_ms, took);
        said = on.said();
      }
      const bool hit = control->failed > 0;
      std::string wrong;
      if (code != 0 && code != 74) wrong = fmt::format("exit {}", code);
      else if (code == 74 && !(hit && error)) wrong = "exit 74 without an error";
      else if (code == 0 && hit && error && !may_go_on(*control.operator->(), data)) wrong = "goes on after an error";
      else if (code == 74 && said.find(data.string()) == std::string::npos && said.find("assertion that met it") == std::string::npos) wrong = "does not say where";
      if (const auto later = held_to(crowd, healthy); wrong.empty()) wrong = later;
      ++runs;
      ++of_variant;
      if (hit && error) {
        auto& row = table[place_of(*control.operator->(), data)];
        ++(code == 0 ? row.went_on : was_ready ? row.stopped : row.not_started);
      }
      if (!wrong.empty()) {
        ++broken;
        fmt::print("{} at call {} ({} {}): {}\n  said: {}\n", v.name, call, control->call, control->path, wrong, said.substr(said.size() - std::min<std::size_t>(said.size(), 400)));
        std::fflush(stdout);
      }
      if (control->calls < call) break;  // beyond the end
    }
    fmt::print("{:<16} {:>5} runs\n", v.name, of_variant);
    std::fflush(stdout);
  }
  fmt::print("\n{:<24} {:>14} {:>14} {:>10}\n", "the first error in", "does not start", "stops with 74", "goes on");
  for (const auto& [place, f] : table) fmt::print("{:<24} {:>14} {:>14} {:>10}\n", place, f.not_started, f.stopped, f.went_on);
  fmt::print("{} runs, {} acknowledged, {} runs with a promise broken; from the error to the end {:.0f} ms at most\n", runs, promises, broken, slowest_ms);
  return broken == 0 ? 0 : 1;
}

}  // namespace holdfast::system_test

int main(int argc, char** argv) {
  using namespace holdfast::system_test;
  disk_fault_settings s;
  CLI::App app{"The real server over a disk that fails: it stops, and keeps every promise that it gave."};
  app.require_subcommand(1);
  app.add_option("--server", s.program, "holdfastd")->capture_default_str();
  app.add_option("--library", s.library, "what is preloaded into it")->capture_default_str();
  app.add_option("--seed", s.seed, "of the load")->capture_default_str();
  auto* sweep = app.add_subcommand("sweep", "each writing call fails, once and for ever");
  sweep->add_option("--stride", s.stride, "every so manieth call")->capture_default_str()->check(CLI::PositiveNumber);
  sweep->add_option("--acks", s.acks, "acceptances in each run, if nothing fails")->capture_default_str();
  auto* full = app.add_subcommand("full", "a small disk is filled, freed and filled again (root)");
  full->add_option("--rounds", s.rounds, "how often")->capture_default_str();
  auto* stall = app.add_subcommand("stall", "syncs stand still and go on");
  CLI11_PARSE(app, argc, argv);
  if (*sweep) return disk_sweep(s);
  return *full ? disk_full(s) : *stall ? disk_stall(s) : 64;
}
