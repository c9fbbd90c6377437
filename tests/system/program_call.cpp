#include "tests/system/program_call.hpp"

#include <sstream>

#include "apps/holdfast/program.hpp"

namespace holdfast::system_test {

called call(std::vector<std::string> words) {
  words.insert(words.begin(), {"holdfast", "--json"});
  std::vector<const char*> argv;
  for (const auto& w : words) argv.push_back(w.c_str());
  std::ostringstream out, err;
  cli::surroundings around{out, err, {}, false};
  const int code = cli::run(static_cast<int>(argv.size()), argv.data(), around);
  return {code, nlohmann::json::parse(out.str().empty() ? err.str() : out.str(), nullptr, false)};
}

}  // namespace holdfast::system_test
