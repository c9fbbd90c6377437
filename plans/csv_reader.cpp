#include "plans/csv_reader.hpp"

#include <fmt/format.h>

#include "plans/naming.hpp"

namespace holdfast::plans {

csv_reader::csv_reader(std::string_view text, std::string source) : text_(text), source_(std::move(source)) {
  if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
}

void csv_reader::skip_line_end() {
  if (at_ == text_.size()) return;
  if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
  ++at_;
  ++line_;
}

void csv_reader::skip_line() {
  while (!at_line_end()) ++at_;
  skip_line_end();
}

void csv_reader::skip_spaces() {
  while (at_ < text_.size() && text_[at_] == ' ') ++at_;
}

base::result<bool> csv_reader::next(csv_record& out) {
  for (;;) {
    if (at_ == text_.size()) return false;
    if (text_[at_] == '#') { skip_line(); continue; }
    skip_spaces();
    if (!at_line_end()) break;
    skip_line_end();
  }
  if (separator_ == 0) {
    const auto end = text_.find_first_of("\r\n", at_);
    const auto first = text_.substr(at_, end == std::string_view::npos ? end : end - at_).find_first_of(",;\t");
    separator_ = first == std::string_view::npos ? ',' : text_[at_ + first];
  }

  out.line = line_;
  std::size_t n = 0;
  for (;;) {
    if (n == out.fields.size()) out.fields.emplace_back();
    if (auto r = field(out.fields[n++]); !r) return r.failure();
    if (at_line_end()) break;
    ++at_;  // the separator
  }
  out.fields.resize(n);
  skip_line_end();
  return true;
}

base::result<void> csv_reader::field(std::string& out) {
  out.clear();
  skip_spaces();
  if (at_ < text_.size() && text_[at_] == '"') {
    const auto began = line_;
    for (++at_;;) {
      if (at_ == text_.size())
        return bad_plan(fmt::format("{}:{}", source_, began), "a quoted field is not closed: add the missing \"");
      const char c = text_[at_];
      if (c == '"') {
        if (at_ + 1 == text_.size() || text_[at_ + 1] != '"') break;
        ++at_;
      }
      if (c == '\n' || (c == '\r' && text_.substr(at_ + 1, 1) != "\n")) ++line_;
      out += c;
      ++at_;
    }
    ++at_;
    skip_spaces();
    if (!at_line_end() && text_[at_] != separator_)
      return bad_plan(fmt::format("{}:{}", source_, line_),
                      "text follows a closing quote: double the quotes that belong to the text");
    return {};
  }
  while (!at_line_end() && text_[at_] != separator_) out += text_[at_++];
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return {};
}

}  // namespace holdfast::plans
