// Where text goes decides how it looks: tables and colour on a terminal, plain columns in pipes and files.
#pragma once

namespace holdfast::cli {

struct style {
  bool terminal = false;
  bool colour = false;
  unsigned width = 80;
};

}  // namespace holdfast::cli
