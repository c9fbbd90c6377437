#include "simulation/describe.hpp"

#include <charconv>
#include <concepts>
#include <string_view>

namespace holdfast::simulation {

using namespace core;

namespace {

/// A stream into a string without a stream's locale: the model compares contents by their text, millions of times.
class text {
 public:
  text& operator<<(std::string_view more) { return s_ += more, *this; }
  text& operator<<(char c) { return s_ += c, *this; }
  template <std::integral T>
  text& operator<<(T n) {
    char digits[24];
    if constexpr (std::same_as<T, bool>) return *this << (n ? '1' : '0');
    else return *this << std::string_view(digits, std::to_chars(digits, digits + sizeof digits, n, base_).ptr);
  }
  text& in(int base) { return base_ = base, *this; }
  [[nodiscard]] std::string str() { return std::move(s_); }

 private:
  std::string s_;
  int base_ = 10;
};

std::string id_text(const base::id128& i) {
  text s;
  s.in(16) << i.hi << '.' << i.lo;
  return s.str();
}
template <class Tag>
std::string id_text(const base::strong<Tag, base::id128>& i) { return id_text(i.value); }

std::string range_text(const place_range& r) {
  text s;
  s << "r" << static_cast<unsigned>(r.kind) << ':' << r.first << '-' << r.last << 'x' << r.count << 'a' << unsigned{r.allocation};
  return s.str();
}
std::string key_text(const limit_key& k) { return "k" + std::to_string(static_cast<unsigned>(k.kind)) + ':' + id_text(k.value); }

template <class T>
std::string list_of(std::span<const T> items, std::string (*as_text)(const T&)) {
  std::string s = "[";
  for (const auto& i : items) s += (s.size() > 1 ? " " : "") + as_text(i);
  return s + ']';
}
std::string list_of(lines l) { return list_of<line>(l, [](const line& i) { return simulation::text_of(i); }); }
std::string list_of(keys k) { return list_of<limit_key>(k, key_text); }
std::string list_of(ranges r) { return list_of<place_range>(r, range_text); }

}  // namespace

std::string name_of(command_tag tag) {
  static const char* const names[] = {"create_session", "open_sale",      "pause_sale",      "resume_sale",      "close_sale",
                                      "freeze_sale",    "hold_seats",     "change_hold",     "extend_hold",      "begin_payment",
                                      "payment_failed", "confirm_hold",   "release_hold",    "cancel_order",     "settle_refund",
                                      "block_places",   "unblock_places", "allocate_places", "shift_deadlines", "clear_fault",
                                      "expire_due"};
  return names[static_cast<std::size_t>(tag)];
}

std::string text_of(const line& l) {
  text s;
  s << (l.kind == place_kind::seat ? 's' : l.kind == place_kind::area ? 'a' : '?') << l.number << 'x' << l.count << '$' << l.price;
  return s.str();
}

std::string text_of(const command& c) {
  text s;
  s << name_of(tag_of(c)) << ' ';
  const auto hold = [&](const auto& h) { s << "owner " << id_text(h.owner) << " hold " << id_text(h.hold) << ' '; };
  if (const auto* o = std::get_if<open_sale>(&c)) s.in(16) << o->channels;
  if (const auto* o = std::get_if<close_sale>(&c)) s.in(16) << o->channels;
  if (const auto* h = std::get_if<hold_seats>(&c))
    s << "owner " << id_text(h->owner) << " keys " << list_of(h->keys) << " lines " << list_of(h->lines) << " for " << h->interval
      << "ms rev " << h->plan_revision << " basket " << id_text(h->basket);
  if (const auto* h = std::get_if<change_hold>(&c)) {
    hold(*h);
    s << "add " << list_of(h->add) << " drop " << list_of(h->drop) << " rev " << h->plan_revision;
  }
  if (const auto* h = std::get_if<extend_hold>(&c)) {
    hold(*h);
    s << "for " << h->interval << "ms";
  }
  if (const auto* h = std::get_if<begin_payment>(&c)) {
    hold(*h);
    s << "attempt " << base::to_hex(h->attempt) << " for " << h->interval << "ms keys " << list_of(h->keys);
  }
  if (const auto* h = std::get_if<payment_failed>(&c)) {
    hold(*h);
    s << "attempt " << base::to_hex(h->attempt);
  }
  if (const auto* h = std::get_if<confirm_hold>(&c)) {
    hold(*h);
    s << "payment " << base::to_hex(h->payment) << " amount " << h->amount << " kind " << static_cast<unsigned>(h->kind);
  }
  if (const auto* h = std::get_if<release_hold>(&c)) {
    hold(*h);
    s << list_of(h->lines) << (h->withdrawn ? " withdrawn" : "");
  }
  if (const auto* h = std::get_if<cancel_order>(&c))
    s << "owner " << id_text(h->owner) << " order " << id_text(h->order) << ' ' << list_of(h->lines) << " amount " << h->amount
      << (h->withdrawn ? " withdrawn" : "");
  if (const auto* h = std::get_if<settle_refund>(&c)) s << h->number.value << " reference " << base::to_hex(h->reference);
  if (const auto* h = std::get_if<block_places>(&c)) s << list_of(h->ranges) << " reason " << h->reason;
  if (const auto* h = std::get_if<unblock_places>(&c)) s << list_of(h->ranges);
  if (const auto* h = std::get_if<allocate_places>(&c)) s << list_of(h->ranges) << " to " << unsigned{h->allocation};
  if (const auto* h = std::get_if<shift_deadlines>(&c)) s << h->by << "ms reason " << h->reason;
  if (const auto* h = std::get_if<clear_fault>(&c)) s << h->shift << "ms";
  return s.str();
}

std::string text_of(const envelope& e) {
  static const char* const roles[] = {"buyer", "shop", "op", "auditor", "timer", "schedule", "recovery"};
  text s;
  s << (static_cast<unsigned>(e.from.who) < 7 ? roles[static_cast<unsigned>(e.from.who)] : "role?") << '/' << e.from.principal
    << " channel " << unsigned{e.channel} << " id " << id_text(e.id);
  if (e.client_deadline.value != 0) s << " by " << e.client_deadline.value;
  if (!e.note.empty()) s << " note " << base::to_hex(e.note);
  return s.str();
}

std::string text_of(const answer& a) {
  text s;
  s << "refused=" << static_cast<unsigned>(a.refused) << '(' << core::name_of(a.refused) << ") outcome=" << static_cast<unsigned>(a.outcome)
    << " reason=" << static_cast<unsigned>(a.reason) << " number=" << a.number.value << " granted=" << a.granted.value << " lines=";
  s.in(16) << a.lines;
  s.in(10) << " left=" << a.left << " retry_after=" << a.retry_after << " kind=" << static_cast<unsigned>(a.kind)
    << " repeated=" << a.repeated << " state=" << static_cast<unsigned>(a.state) << " deadline=" << a.deadline.value
    << " tells_of=" << a.tells_of.value << " waits_for=" << a.waits_for.value;
  return s.str();
}

}  // namespace holdfast::simulation
