#include "persistence/sha256.hpp"

#include <openssl/evp.h>

#include "base/check.hpp"

namespace holdfast::persistence {

struct sha256::state {
  EVP_MD* algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* context = EVP_MD_CTX_new();

  state() = default;
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state() {
    EVP_MD_CTX_free(context);
    EVP_MD_free(algorithm);
  }
};

sha256::sha256() : state_(std::make_unique<state>()) {
  HOLDFAST_CHECK(state_->algorithm != nullptr && state_->context != nullptr, "OpenSSL has no SHA-256");
}
sha256::~sha256() = default;
sha256::sha256(sha256&&) noexcept = default;
sha256& sha256::operator=(sha256&&) noexcept = default;

digest sha256::of(base::byte_view all) {
  begin();
  add(all);
  return end();
}

void sha256::begin() {
  HOLDFAST_CHECK(EVP_DigestInit_ex(state_->context, state_->algorithm, nullptr) == 1, "SHA-256 failed");
}

void sha256::add(base::byte_view part) {
  HOLDFAST_CHECK(EVP_DigestUpdate(state_->context, part.data(), part.size()) == 1, "SHA-256 failed");
}

digest sha256::end() {
  digest out;
  unsigned size = 0;
  HOLDFAST_CHECK(EVP_DigestFinal_ex(state_->context, out.data(), &size) == 1 && size == out.size(), "SHA-256 failed");
  return out;
}

}  // namespace holdfast::persistence
