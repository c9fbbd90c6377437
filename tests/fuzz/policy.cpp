// A policy as people write it: refused in one line, or one that passes its own check and survives its bytes.
#include "apps/holdfast/policy_file.hpp"
#include "tests/fuzz/halls.hpp"
#include "tests/fuzz/target.hpp"

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto hall = fuzz::small_hall();
  const auto p = cli::parse_policy(base::as_text({data, size}), "policy.toml", *hall);
  if (!p) return fuzz::must_be_one_line(p.failure()), 0;
  HOLDFAST_CHECK(core::check_policy(*p).ok(), "a policy that breaks its own rules");
  base::bytes b;
  base::byte_writer w(b);
  core::encode_policy(*p, w);
  base::byte_reader in(b);
  const auto again = core::decode_policy(in);
  HOLDFAST_CHECK(again.ok() && in.done() && *again == *p, "a policy's bytes give another policy");
  return 0;
}
