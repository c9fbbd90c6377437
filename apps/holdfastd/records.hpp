// The bridge between the actors, who know no codec, and persistence, which knows no actor.
#pragma once

#include "actors/surroundings.hpp"
#include "persistence/plan_library.hpp"
#include "persistence/record_codec.hpp"

namespace holdfast::server {

class records final : public actors::record_encoder {
 public:
  explicit records(std::shared_ptr<persistence::plan_library> plans) : plans_(std::move(plans)) {}

  void encode(const core::record& r, base::bytes& out) const override { persistence::encode_record(r, out); }
  bool encode_plan(const std::shared_ptr<const core::plan>& seating, base::bytes& out) override {
    const auto added = plans_->add(seating);
    if (!added.fresh) return false;
    out.insert(out.end(), added.what->bytes.begin(), added.what->bytes.end());
    return true;
  }

 private:
  std::shared_ptr<persistence::plan_library> plans_;
};

}  // namespace holdfast::server
