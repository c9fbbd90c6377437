// The server's configuration: taken, or refused in one line; taken the same each time.
#include "apps/holdfastd/config.hpp"
#include "tests/fuzz/target.hpp"

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto c = server::parse_config(base::as_text({data, size}), "holdfast.toml");
  if (!c) return fuzz::must_be_one_line(c.failure()), 0;
  HOLDFAST_CHECK(!c->data_directory.empty(), "a server without a place for its data");
  HOLDFAST_CHECK(c->sessions_max > 0 && c->block_bytes_max > 0, "a server that can do nothing");
  return 0;
}
