// A file of a history: read or refused in one line, what is read is written again byte for byte, and the checks come to an end on
// whatever it tells.
#include <sys/mman.h>
#include <unistd.h>

#include "history/check.hpp"
#include "tests/fuzz/target.hpp"

using namespace holdfast;

namespace {

/// A file in memory with a path.
class memory_file {
 public:
  explicit memory_file(const char* name) : fd_(::memfd_create(name, 0)), path_("/proc/self/fd/" + std::to_string(fd_)) {
    HOLDFAST_CHECK(fd_ >= 0, "memfd_create failed");
  }
  void fill(base::byte_view b) const {
    HOLDFAST_CHECK(::ftruncate(fd_, 0) == 0 && ::pwrite(fd_, b.data(), b.size(), 0) == static_cast<ssize_t>(b.size()), "cannot write to memory");
  }
  [[nodiscard]] base::bytes content() const {
    base::bytes b(static_cast<std::size_t>(::lseek(fd_, 0, SEEK_END)));
    HOLDFAST_CHECK(::pread(fd_, b.data(), b.size(), 0) == static_cast<ssize_t>(b.size()), "cannot read from memory");
    return b;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  int fd_;
  std::string path_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const memory_file in("read"), out("written");
  in.fill({data, size});
  const auto h = history::read(in.path());
  if (!h) return fuzz::must_be_one_line(h.failure()), 0;

  auto again = history::recorder::create(out.path(), h->session, h->seats, h->area_places);
  HOLDFAST_CHECK(again.ok(), "cannot write a history");
  for (std::size_t i = 0; i < h->rows.size(); ++i) again->add(h->rows[i], h->lines_of(i));
  HOLDFAST_CHECK(again->close().ok(), "cannot write a history");
  HOLDFAST_CHECK(std::ranges::equal(out.content(), base::byte_view(data, size)), "one history has two forms");

  history::check_options how;
  how.limit = 6;
  how.shift_us = history::shift_told(*h).value_or(history::any_shift);
  const auto told = history::tell(*h);
  const history::clock_map clock(*h);
  for (const auto& f : {history::check_intervals(*h, told, clock, how), history::check_holds(*h, told, clock, how),
                        history::check_order(*h, told, how), history::check_seats(*h, told, clock, how)})
    HOLDFAST_CHECK(f.violations.size() <= how.violations_max && f.violations.size() <= f.found, "violations are miscounted");
  return 0;
}
