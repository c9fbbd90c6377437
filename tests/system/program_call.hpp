// The program `holdfast`, called in this process, with its answer as JSON.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace holdfast::system_test {

struct called {
  int code = -1;
  nlohmann::json is;  ///< what it said; an object with "error" if it failed
};

/// `words` without the program's name and --json.
called call(std::vector<std::string> words);

}  // namespace holdfast::system_test
