#include "persistence/checkpoint.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/check.hpp"
#include "persistence/files.hpp"

namespace holdfast::persistence {

namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t snapshot_magic = 0x6e734648;    // "HFsn"
constexpr std::uint32_t checkpoint_magic = 0x70634648;  // "HFcp"
constexpr std::size_t snapshot_header_bytes = 88;
constexpr std::size_t checkpoint_header_bytes = 68;
constexpr std::size_t entry_bytes = 56;

base::error malformed(const char* what) { return {base::trouble::bad_bytes, what}; }
base::error in_file(const fs::path& path, const base::error& e) {
  return {e.kind, fmt::format("{}: {}", path.string(), e.text)};
}

void put_head(base::byte_writer& w, std::uint32_t kind, std::uint16_t partition, const checkpoint_mark& at) {
  w.fixed(kind);
  w.fixed(snapshot_format_version);
  w.fixed(partition);
  w.id(at.journal);
  w.fixed(at.block.number);
  w.view(at.block.hash);
}

digest take_digest(base::byte_reader& in) {
  digest d{};
  std::ranges::copy(in.view(sizeof d), d.begin());
  return d;
}

/// Hash, magic number (`kind`) and version; then what both formats begin with.
base::result<void> take_head(base::byte_view all, std::size_t bytes_min, std::uint32_t kind, base::byte_reader& in,
                             std::uint16_t& partition, checkpoint_mark& at) {
  if (all.size() < bytes_min) return malformed("it is too short");
  const auto hash = sha256().of(all.first(all.size() - sizeof(digest)));
  if (!std::ranges::equal(hash, all.last(sizeof(digest)))) return malformed("its hash does not match its bytes");
  if (in.fixed<std::uint32_t>() != kind) return malformed("it does not begin as it should");
  if (in.fixed<std::uint16_t>() != snapshot_format_version) return malformed("its format version is unknown to this program");
  partition = in.fixed<std::uint16_t>();
  at.journal = in.id();
  at.block.number = in.fixed<std::uint64_t>();
  at.block.hash = take_digest(in);
  return {};
}

struct snapshot_view {
  std::uint16_t partition = 0;
  checkpoint_mark at;
  std::uint64_t session = 0;
  std::uint64_t sequence = 0;
  base::byte_view payload;
  digest hash{};
};

base::result<snapshot_view> decode_snapshot(base::byte_view all) {
  snapshot_view s;
  base::byte_reader in(all);
  if (auto ok = take_head(all, snapshot_header_bytes + sizeof(digest), snapshot_magic, in, s.partition, s.at); !ok)
    return ok.failure();
  s.session = in.fixed<std::uint64_t>();
  s.sequence = in.fixed<std::uint64_t>();
  if (in.fixed<std::uint64_t>() != all.size() - snapshot_header_bytes - sizeof(digest)) return malformed("its length is wrong");
  s.payload = in.view(all.size() - snapshot_header_bytes - sizeof(digest));
  s.hash = take_digest(in);
  return s;
}

/// The numbers of "<a><between><b><ending>"; with an empty `between` only a.
std::optional<std::pair<std::uint64_t, std::uint64_t>> parse_name(std::string_view name, std::string_view between,
                                                                  std::string_view ending) {
  if (!name.ends_with(ending)) return {};
  name.remove_suffix(ending.size());
  const auto number = [](std::string_view text) -> std::optional<std::uint64_t> {
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size()) return {};
    return n;
  };
  if (between.empty()) {
    const auto a = number(name);
    return a ? std::optional(std::pair(*a, std::uint64_t{0})) : std::nullopt;
  }
  const auto at = name.find(between);
  if (at == std::string_view::npos) return {};
  const auto a = number(name.substr(0, at));
  const auto b = number(name.substr(at + between.size()));
  return a && b ? std::optional(std::pair(*a, *b)) : std::nullopt;
}

base::result<std::vector<std::string>> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code why;
  for (fs::directory_iterator it(directory, why), end; !why && it != end; it.increment(why)) names.push_back(it->path().filename().string());
  if (why && why != std::errc::no_such_file_or_directory)
    return base::error{base::trouble::io, fmt::format("cannot list {}: {}", directory.string(), why.message())};
  return names;
}

}  // namespace

void encode_checkpoint(const checkpoint& c, base::bytes& out) {
  HOLDFAST_CHECK(c.snapshots.size() <= checkpoint_sessions_max, "too many sessions in a checkpoint");
  out.clear();
  base::byte_writer w(out);
  put_head(w, checkpoint_magic, c.partition, c.at);
  w.fixed(static_cast<std::uint32_t>(c.snapshots.size()));
  const snapshot_entry* before = nullptr;
  for (const auto& s : c.snapshots) {
    HOLDFAST_CHECK(before == nullptr || before->session < s.session, "a checkpoint's sessions are not in order");
    HOLDFAST_CHECK(s.block <= c.at.block.number, "a checkpoint names a snapshot younger than itself");
    before = &s;
    w.fixed(s.session);
    w.fixed(s.sequence);
    w.fixed(s.block);
    w.view(s.hash);
  }
  w.view(sha256().of(out));
}

base::result<checkpoint> decode_checkpoint(base::byte_view bytes) {
  checkpoint c;
  base::byte_reader in(bytes);
  if (auto ok = take_head(bytes, checkpoint_header_bytes + sizeof(digest), checkpoint_magic, in, c.partition, c.at); !ok)
    return ok.failure();
  const std::size_t count = in.fixed<std::uint32_t>();
  if (count > checkpoint_sessions_max || bytes.size() != checkpoint_header_bytes + count * entry_bytes + sizeof(digest))
    return malformed("its length is wrong");
  c.snapshots.resize(count);
  const snapshot_entry* before = nullptr;
  for (auto& s : c.snapshots) {
    s.session = in.fixed<std::uint64_t>();
    s.sequence = in.fixed<std::uint64_t>();
    s.block = in.fixed<std::uint64_t>();
    s.hash = take_digest(in);
    if ((before != nullptr && before->session >= s.session) || s.block > c.at.block.number) return malformed("its list is out of order");
    before = &s;
  }
  return c;
}

fs::path checkpoint_files::snapshot_path(std::uint64_t block, std::uint64_t session) const {
  return directory_ / fmt::format("{}-{}.snap", block, session);
}

fs::path checkpoint_files::checkpoint_path(std::uint64_t block) const { return directory_ / fmt::format("{}.checkpoint", block); }

base::result<checkpoint_files::listing> checkpoint_files::list() const {
  auto names = names_in(directory_);
  if (!names) return names.failure();
  std::set<std::uint64_t, std::greater<>> numbers;
  for (const auto& name : *names)
    if (const auto n = parse_name(name, "", ".checkpoint")) numbers.insert(n->first);
  listing all;
  for (const auto number : numbers) {
    const auto path = checkpoint_path(number);
    auto bytes = read_file(path);
    auto c = bytes ? decode_checkpoint(*bytes) : base::result<checkpoint>(bytes.failure());
    if (c && c->at.block.number != number) c = malformed("it was made at another block than its name says");
    if (c) {
      all.checkpoints.push_back(std::move(*c));
    } else {
      all.skipped.push_back(in_file(path, c.failure()).text);
    }
  }
  return all;
}

base::result<void> checkpoint_files::load(const checkpoint& c, const snapshot_visitor& visit) const {
  base::bytes buffer;
  for (const auto& entry : c.snapshots)
    if (auto ok = load_one(c, entry, buffer, visit); !ok) return ok;
  return {};
}

base::result<void> checkpoint_files::load_one(const checkpoint& c, const snapshot_entry& entry, base::bytes& buffer, const snapshot_visitor& visit) const {
  const auto path = snapshot_path(entry.block, entry.session);
  if (auto ok = read_file(path, buffer); !ok) return ok;
  auto s = decode_snapshot(buffer);
  if (!s) return in_file(path, s.failure());
  if (s->hash != entry.hash || s->session != entry.session || s->sequence != entry.sequence || s->partition != c.partition ||
      s->at.journal != c.at.journal || s->at.block.number != entry.block)
    return in_file(path, malformed("it is not the snapshot that the checkpoint names"));
  if (auto ok = visit(entry, s->payload); !ok) return in_file(path, ok.failure());
  return {};
}

base::result<snapshot_entry> checkpoint_files::write_snapshot(std::uint16_t partition, const checkpoint_mark& at,
                                                              std::uint64_t session, std::uint64_t sequence,
                                                              base::byte_view payload) {
  if (auto ok = make_directory(directory_); !ok) return ok.failure();
  base::bytes head;
  base::byte_writer w(head);
  put_head(w, snapshot_magic, partition, at);
  w.fixed(session);
  w.fixed(sequence);
  w.fixed(static_cast<std::uint64_t>(payload.size()));
  sha256 hasher;
  hasher.begin();
  hasher.add(head);
  hasher.add(payload);
  const auto hash = hasher.end();
  if (auto ok = replace_file(snapshot_path(at.block.number, session), {head, payload, hash}); !ok) return ok.failure();
  return snapshot_entry{session, sequence, at.block.number, hash};
}

base::result<void> checkpoint_files::write_checkpoint(const checkpoint& c) {
  if (auto ok = make_directory(directory_); !ok) return ok;
  base::bytes bytes;
  encode_checkpoint(c, bytes);
  if (auto ok = replace_file(checkpoint_path(c.at.block.number), {bytes}); !ok) return ok;
  return remove_superseded();
}

base::result<void> checkpoint_files::remove_superseded() const {
  auto all = list();
  if (!all) return all.failure();
  auto names = names_in(directory_);
  if (!names) return names.failure();
  auto& kept = all->checkpoints;
  if (kept.size() > checkpoints_kept) kept.resize(checkpoints_kept);
  std::set<std::string> needed;
  for (const auto& c : kept) {
    needed.insert(checkpoint_path(c.at.block.number).filename().string());
    for (const auto& s : c.snapshots) needed.insert(snapshot_path(s.block, s.session).filename().string());
  }
  for (const auto& name : *names) {
    const bool ours = parse_name(name, "", ".checkpoint") || parse_name(name, "-", ".snap") || name.ends_with(".tmp");
    if (!ours || needed.contains(name)) continue;
    std::error_code why;
    fs::remove(directory_ / name, why);
    if (why) return base::error{base::trouble::io, fmt::format("cannot remove {}: {}", (directory_ / name).string(), why.message())};
  }
  return {};
}

}  // namespace holdfast::persistence
