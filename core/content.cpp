// The hash of what a command asks. It is stored with ids, so its form is fixed for ever: 64-bit words, XXH3 chained over blocks.
#include "base/hash.hpp"
#include "base/planted.hpp"
#include "core/lookup.hpp"

namespace holdfast::core {
namespace {

class hasher {
 public:
  void add(std::uint64_t v) {
    words_[n_++] = v;
    if (n_ == std::size(words_)) flush();
  }
  void add(const id128& id) { add(id.hi); add(id.lo); }
  void add(base::byte_view b) {
    add(b.size());
    if (b.empty()) return;
    const auto h = base::stable_hash128(b);
    add(h);
  }
  void add(lines ls) {
    add(ls.size());
    for (const auto& l : ls) {
      add(static_cast<std::uint64_t>(l.kind) << 32U | l.number);
      add(static_cast<std::uint64_t>(l.count) << 32U | l.price);
    }
  }
  void add(keys ks) {
    add(ks.size());
    for (const auto& k : ks) {
      add(static_cast<std::uint64_t>(k.kind));
      add(k.value);
    }
  }
  void add(ranges rs) {
    add(rs.size());
    for (const auto& r : rs) {
      add(static_cast<std::uint64_t>(r.kind) << 8U | r.allocation);
      add(static_cast<std::uint64_t>(r.first) << 32U | r.last);
      add(r.count);
    }
  }
  std::uint64_t done() {
    flush();
    return seed_;
  }

 private:
  void flush() {
    if (n_ > 0) seed_ = base::stable_hash64(words_, n_ * sizeof(words_[0]), seed_);
    n_ = 0;
  }
  std::uint64_t words_[32];
  std::size_t n_ = 0;
  std::uint64_t seed_ = 0;
};

struct content {
  hasher& h;
  const hold_id& hold;

  void operator()(const create_session& c) const {
    base::bytes b;
    base::byte_writer w(b);
    w.sized(c.terms->name);
    encode_policy(c.terms->rules, w);
    h.add(base::byte_view(b));
  }
  void operator()(const open_sale& c) const { h.add(c.channels); }
  void operator()(const pause_sale&) const {}
  void operator()(const resume_sale&) const {}
  void operator()(const close_sale& c) const { h.add(c.channels); }
  void operator()(const freeze_sale&) const {}
  void operator()(const hold_seats& c) const {
    h.add(c.keys);
    if (!planted(bug::content_without_places)) h.add(c.lines);
    h.add(static_cast<std::uint64_t>(c.plan_revision) << 32U | c.interval);
    h.add(c.basket.value);
  }
  void operator()(const change_hold& c) const {
    h.add(hold.value);
    h.add(c.add);
    h.add(c.drop);
    h.add(c.plan_revision);
  }
  void operator()(const extend_hold& c) const {
    h.add(hold.value);
    h.add(c.interval);
  }
  void operator()(const begin_payment& c) const {
    h.add(hold.value);
    h.add(c.attempt);
    h.add(c.interval);
    h.add(c.keys);
  }
  void operator()(const payment_failed& c) const {
    h.add(hold.value);
    h.add(c.attempt);
  }
  void operator()(const confirm_hold& c) const {
    h.add(hold.value);
    h.add(c.payment);
    h.add(static_cast<std::uint64_t>(c.amount));
    h.add(static_cast<std::uint64_t>(c.kind));
  }
  void operator()(const release_hold& c) const {
    h.add(hold.value);
    h.add(c.lines);
    h.add(c.withdrawn ? 1U : 0U);
  }
  void operator()(const cancel_order& c) const {
    h.add(hold.value);
    h.add(c.lines);
    h.add(static_cast<std::uint64_t>(c.amount));
    h.add(c.withdrawn ? 1U : 0U);
  }
  void operator()(const settle_refund& c) const {
    h.add(c.number.value);
    h.add(c.reference);
  }
  void operator()(const block_places& c) const {
    h.add(c.ranges);
    h.add(c.reason);
  }
  void operator()(const unblock_places& c) const { h.add(c.ranges); }
  void operator()(const allocate_places& c) const {
    h.add(c.ranges);
    h.add(c.allocation);
  }
  void operator()(const shift_deadlines& c) const {
    h.add(c.by);
    h.add(c.reason);
  }
  void operator()(const clear_fault&) const {}  // its shift is measured by the engine, not asked
  void operator()(const expire_due&) const {}
};

}  // namespace

std::uint64_t content_hash(const command& asked, const envelope& head, hold_id hold) {
  hasher h;
  h.add(static_cast<std::uint64_t>(asked.index()));
  if (!head.note.empty()) h.add(head.note);
  visit_command(asked, content{h, hold});
  return h.done();
}

owner_id owner_of(const command& c) {
  return std::visit(
      [](const auto& x) -> owner_id {
        if constexpr (requires { x.owner; }) return x.owner;
        else return {};
      },
      c);
}

}  // namespace holdfast::core
