#include "persistence/rocksdb_assertions.hpp"

#include <atomic>
#include <csignal>
#include <string_view>

#include <unistd.h>

namespace holdfast::persistence {

namespace {

std::atomic<blame> in_scope = blame::nobody;
std::atomic<blame> lasting = blame::nobody;
static_assert(std::atomic<blame>::is_always_lock_free, "a signal handler reads them");
void (*handler_before)(int) = SIG_DFL;

void say(std::string_view text) { [[maybe_unused]] const auto put = ::write(STDERR_FILENO, text.data(), text.size()); }

void end(int signal) {
  const auto what = in_scope != blame::nobody ? in_scope.load() : lasting.load();
  if (what == blame::damage) {
    say("the journal does not open, nothing was changed: RocksDB: a table file is damaged; the assertion that met it stands above\n");
    ::_exit(65);
  }
  if (what == blame::disk) {
    say("stopped, nothing more is acknowledged: the disk failed or is full: RocksDB's assertion that met it stands above; see to the disk, "
        "or free some room, and start again\n");
    ::_exit(74);
  }
  // Whoever looked after aborts before does so again.
  std::signal(signal, handler_before);
  std::raise(signal);
}

void install() {
  const auto now = std::signal(SIGABRT, end);
  if (now != end && now != SIG_ERR) handler_before = now;
}

}  // namespace

assertions_mean::assertions_mean(blame what) : before_(in_scope.exchange(what)) { install(); }
assertions_mean::~assertions_mean() { in_scope = before_; }

void assertions_mean::from_now_on(blame what) {
  lasting = what;
  install();
}

}  // namespace holdfast::persistence
