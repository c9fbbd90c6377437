#include "history/history.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
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
  rows.back().items = static_cast<std::uint16_t>(more.size());
  first_item.push_back(items.size());
  items.insert(items.end(), more.begin(), more.end());
}

namespace {

bool well_formed(const row& r, const history& all) {
  if (static_cast<std::uint8_t>(r.what) >= operations || r.came > outcome::no || r.zero != 0) return false;
  if (r.what != operation::look) return true;
  return r.came == outcome::yes && r.account <= all.seats && r.hold <= all.seats - r.account && r.items == (r.account + 7U) / 8U;
}

bool within_the_plan(std::span<const line_item> lines, const history& all) {
  return std::ranges::all_of(
      lines, [&](const line_item& l) { return l.number() < (l.is_area() ? all.area_places.size() : std::size_t{all.seats}); });
}

}  // namespace

base::result<history> read(const std::filesystem::path& path, const progress& tell) {
  const std::string name = path.string();
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> f(std::fopen(name.c_str(), "rb"), &std::fclose);
  if (!f) return cannot("cannot read", name);
  std::setvbuf(f.get(), nullptr, _IOFBF, buffer_bytes);
  header h;
  if (std::fread(&h, sizeof h, 1, f.get()) != 1 || std::memcmp(h.name, magic, sizeof h.name) != 0 || h.version != format_version ||
      h.zero != 0 || h.seats > seats_max)
    return base::error{base::trouble::bad_input, name + " is no history"};
  if (h.rows == unfinished)
    return base::error{base::trouble::bad_input, name + " was not finished: what was under way when its clients ended is missing"};
  history all;
  all.session = h.session;
  all.seats = h.seats;
  const auto bytes = std::filesystem::file_size(path);
  const auto torn = [&] {
    return base::error{base::trouble::bad_input, fmt::format("{} is damaged in or after row {}", name, all.rows.size() + 1)};
  };
  if (h.rows > bytes / sizeof(row) || h.areas > bytes / sizeof(std::uint64_t)) return torn();
  all.area_places.resize(h.areas);
  if (h.areas != 0 && std::fread(all.area_places.data(), sizeof(std::uint64_t), h.areas, f.get()) != h.areas) return torn();
  all.rows.reserve(h.rows);
  all.first_item.reserve(h.rows);
  all.items.reserve((bytes - h.rows * sizeof(row)) / sizeof(line_item));
  for (std::uint64_t i = 0; i < h.rows; ++i) {
    row r;
    if (std::fread(&r, sizeof r, 1, f.get()) != 1 || !well_formed(r, all)) return torn();
    const auto first = all.items.size();
    all.first_item.push_back(first);
    if (r.items != 0) {
      all.items.resize(first + r.items);
      if (std::fread(all.items.data() + first, sizeof(line_item), r.items, f.get()) != r.items) return torn();
      if (r.what != operation::look && !within_the_plan({all.items.data() + first, r.items}, all)) return torn();
    }
    all.rows.push_back(r);
    if (tell && i % 65'536 == 0) tell(static_cast<double>(i) / static_cast<double>(h.rows));
  }
  if (std::fgetc(f.get()) != EOF) return torn();
  return all;
}

base::result<recorder> recorder::create(const std::filesystem::path& path, std::uint64_t session, std::uint32_t seats,
                                        std::span<const std::uint64_t> area_places) {
  auto* f = std::fopen(path.c_str(), "wb");
  if (f == nullptr) return cannot("cannot write", path.string());
  recorder r(f, path.string());
  std::setvbuf(f, nullptr, _IOFBF, buffer_bytes);
  header h;
  std::memcpy(h.name, magic, sizeof h.name);
  h.seats = seats;
  h.session = session;
  h.areas = static_cast<std::uint32_t>(area_places.size());
  r.failed_ = std::fwrite(&h, sizeof h, 1, f) != 1;
  r.failed_ |= h.areas != 0 && std::fwrite(area_places.data(), sizeof(std::uint64_t), h.areas, f) != h.areas;
  return r;
}

void recorder::add(const row& r, std::span<const line_item> items) {
  row written = r;
  written.items = static_cast<std::uint16_t>(items.size());
  failed_ |= std::fwrite(&written, sizeof written, 1, file_.get()) != 1;
  failed_ |= !items.empty() && std::fwrite(items.data(), sizeof(line_item), items.size(), file_.get()) != items.size();
  ++rows_;
}

base::result<void> recorder::close() {
  if (std::fflush(file_.get()) != 0) failed_ = true;
  // Last of all, so that whoever reads the number finds all that it counts.
  if (!failed_ && (std::fseek(file_.get(), offsetof(header, rows), SEEK_SET) != 0 || std::fwrite(&rows_, sizeof rows_, 1, file_.get()) != 1 ||
                   std::fflush(file_.get()) != 0))
    failed_ = true;
  file_.reset();
  if (failed_) return cannot("cannot write", path_);
  return {};
}

}  // namespace holdfast::history
