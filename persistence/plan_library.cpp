#include "persistence/plan_library.hpp"

#include <algorithm>

namespace holdfast::persistence {

namespace {
digest hash_of(base::byte_view bytes) { return sha256().of(bytes); }
}  // namespace

digest plan_hash(const core::plan& p) {
  base::bytes bytes;
  base::byte_writer w(bytes);
  core::encode_plan(p, w);
  return hash_of(bytes);
}

base::result<digest> plan_library::add(base::byte_view bytes) {
  const auto hash = hash_of(bytes);
  if (find(hash)) return hash;
  auto decoded = core::decode_plan(bytes);
  if (!decoded) return decoded.failure();
  keep(hash, std::make_shared<const core::plan>(std::move(*decoded)), base::bytes(bytes.begin(), bytes.end()));
  return hash;
}

plan_library::added plan_library::add(std::shared_ptr<const core::plan> p) {
  base::bytes bytes;
  base::byte_writer w(bytes);
  core::encode_plan(*p, w);
  const auto hash = hash_of(bytes);
  return keep(hash, std::move(p), std::move(bytes));
}

plan_library::added plan_library::keep(const digest& hash, std::shared_ptr<const core::plan> p, base::bytes bytes) {
  auto fresh = std::make_shared<const stored>(stored{std::move(p), std::move(bytes)});
  const std::lock_guard guard(lock_);
  const auto [at, inserted] = plans_.emplace(hash, std::move(fresh));
  return {hash, inserted, at->second};
}

std::shared_ptr<const core::plan> plan_library::find(const digest& hash) const {
  auto kept = find_stored(hash);
  return kept ? kept->plan : nullptr;
}

std::shared_ptr<const plan_library::stored> plan_library::find_stored(const digest& hash) const {
  const std::lock_guard guard(lock_);
  const auto at = plans_.find(hash);
  return at == plans_.end() ? nullptr : at->second;
}

std::vector<digest> plan_library::hashes() const {
  std::vector<digest> all;
  {
    const std::lock_guard guard(lock_);
    for (const auto& [hash, kept] : plans_) all.push_back(hash);
  }
  std::ranges::sort(all);
  return all;
}

}  // namespace holdfast::persistence
