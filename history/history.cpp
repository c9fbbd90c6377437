#include "history/history.hpp"

#include <bit>
#include <cerrno>
#include <cstring>
#include <ctime>

#include <fmt/format.h>

namespace holdfast::history {

static_assert(std::endian::native == std::endian::little, "rows are written as they lie in memory");

namespace {

constexpr std::size_t buffer_bytes = 1U << 20U;

base::error cannot(const char* what, const std::string& path) {
  return {base::trouble::io, fmt::format("{} {}: {}", what, path, std::strerror(errno))};
}

}  // namespace

std::uint64_t monotonic_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(t.tv_nsec);
}

void history::add(const row& r, std::span<const line_item> more) {
  rows.push_back(r);
  rows.back().items = static_cast<std::uint32_t>(more.size());
  first_item.push_back(items.size());
  items.insert(items.end(), more.begin(), more.end());
}

base::result<history> read(const std::filesystem::path& path) {
  const std::string name = path.string();
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> f(std::fopen(name.c_str(), "rb"), &std::fclose);
  if (!f) return cannot("cannot read", name);
  std::setvbuf(f.get(), nullptr, _IOFBF, buffer_bytes);
  header h;
  if (std::fread(&h, sizeof h, 1, f.get()) != 1 || std::memcmp(h.name, magic, sizeof h.name) != 0 || h.version != format_version)
    return base::error{base::trouble::bad_input, name + " is no history"};
  history all;
  all.session = h.session;
  all.seats = h.seats;
  const auto bytes = std::filesystem::file_size(path);
  all.rows.reserve(bytes / sizeof(row));
  all.first_item.reserve(bytes / sizeof(row));
  const auto torn = [&] {
    return base::error{base::trouble::bad_input, fmt::format("{} is damaged in or after row {}", name, all.rows.size() + 1)};
  };
  for (row r; std::fread(&r, 1, sizeof r, f.get()) == sizeof r;) {
    const bool look = r.what == operation::look;
    if (static_cast<std::uint8_t>(r.what) >= operations || r.came > outcome::no || r.items > bytes / sizeof(line_item)) return torn();
    if (look && r.items != 0 && r.items != (all.seats + 7U) / 8U) return torn();
    all.first_item.push_back(all.items.size());
    if (r.items != 0) {
      all.items.resize(all.items.size() + r.items);
      if (std::fread(all.items.data() + all.first_item.back(), sizeof(line_item), r.items, f.get()) != r.items) return torn();
      if (!look)
        for (std::uint32_t i = 0; i < r.items; ++i)
          if (const auto& l = all.items[all.first_item.back() + i]; !l.is_area() && l.number() >= all.seats) return torn();
    }
    all.rows.push_back(r);
  }
  if (std::ferror(f.get()) != 0) return cannot("cannot read", name);
  if (static_cast<std::uint64_t>(std::ftell(f.get())) !=
      sizeof h + all.rows.size() * sizeof(row) + all.items.size() * sizeof(line_item))
    return torn();
  return all;
}

base::result<recorder> recorder::create(const std::filesystem::path& path, std::uint64_t session, std::uint32_t seats) {
  auto* f = std::fopen(path.c_str(), "wb");
  if (f == nullptr) return cannot("cannot write", path.string());
  recorder r(f, path.string());
  std::setvbuf(f, nullptr, _IOFBF, buffer_bytes);
  header h;
  std::memcpy(h.name, magic, sizeof h.name);
  h.seats = seats;
  h.session = session;
  r.failed_ = std::fwrite(&h, sizeof h, 1, f) != 1;
  return r;
}

void recorder::add(const row& r, std::span<const line_item> items) {
  row written = r;
  written.items = static_cast<std::uint32_t>(items.size());
  failed_ |= std::fwrite(&written, sizeof written, 1, file_.get()) != 1;
  failed_ |= !items.empty() && std::fwrite(items.data(), sizeof(line_item), items.size(), file_.get()) != items.size();
  ++rows_;
}

base::result<void> recorder::close() {
  if (std::fflush(file_.get()) != 0) failed_ = true;
  file_.reset();
  if (failed_) return cannot("cannot write", path_);
  return {};
}

}  // namespace holdfast::history
