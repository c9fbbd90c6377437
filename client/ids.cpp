#include "client/ids.hpp"

#include <cerrno>

#include <sys/random.h>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace holdfast::client {

namespace {

void fill(void* to, std::size_t n) {
  // Requests of at most 256 bytes are never cut short once the kernel has gathered randomness at all.
  ssize_t got = 0;
  do got = ::getrandom(to, n, 0);
  while (got < 0 && errno == EINTR);
  HOLDFAST_CHECK(got == static_cast<ssize_t>(n), "the operating system gives no random numbers");
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

base::id128 random_id() {
  base::id128 id;
  while (id.zero()) fill(&id, sizeof id);
  return id;
}

std::uint64_t random_seed() {
  std::uint64_t s = 0;
  fill(&s, sizeof s);
  return s;
}

std::optional<base::id128> parse_id(std::string_view text) {
  if (text.size() != 32) return std::nullopt;
  std::uint8_t raw[16];
  for (std::size_t i = 0; i < 16; ++i) {
    const int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    raw[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return base::byte_reader(raw).id();
}

}  // namespace holdfast::client
