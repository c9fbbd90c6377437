// What a story shows: answers, pictures of the hall, looks.
#include <algorithm>
#include <sstream>

#include "simulation/describe.hpp"
#include "tests/core/storyteller.hpp"

namespace holdfast::tests {

using namespace core;

namespace {

constexpr std::uint64_t story_begins = 1'700'000'000'000'000;

std::string joined(const std::vector<std::string>& parts, const char* with) {
  std::string s;
  for (const auto& p : parts) s += (s.empty() ? "" : with) + p;
  return s;
}

std::string kind_text(key_kind k) {
  static const char* const names[] = {"account", "email", "card", "device", "code"};
  return names[static_cast<std::size_t>(k)];
}

}  // namespace

std::string storyteller::log_text(log_time t) const { return duration_text(t.value - story_begins); }

std::string storyteller::name_of_owner(const owner_id& o) const {
  const auto i = owner_names_.find(o);
  return i == owner_names_.end() ? "nobody" : i->second;
}

std::string storyteller::name_of_hold(const hold_id& h) const {
  const auto i = hold_names_.find(h);
  return i == hold_names_.end() ? "unnamed" : i->second;
}

std::string storyteller::seat_name(std::uint32_t seat) const {
  return seat < plan_->seats.size() ? plan_->seats[seat].identity : "nowhere";
}

std::string storyteller::line_text(const line& l) const {
  std::string s;
  if (l.kind == place_kind::seat) s = seat_name(l.number);
  else s = (l.number < plan_->areas.size() ? plan_->areas[l.number].name : "noarea") + "*" + std::to_string(l.count);
  if (l.price != 0) s += "$" + std::to_string(l.price);
  return s;
}

std::string storyteller::answer_text(const asked& a, const answer& said) const {
  std::string s = said.repeated ? "again: " : "";
  const auto state = [&] {
    std::string t;
    if (said.state != hold_state::none) t = std::string(core::name_of(said.state));
    if (said.deadline.value != 0) t += " until " + log_text(said.deadline);
    return t;
  };
  if (said.refused != refusal::none) {
    s += "refused: " + std::string(core::name_of(said.refused));
    lines wanted;
    if (const auto* h = std::get_if<hold_seats>(&a.what)) wanted = h->lines;
    if (const auto* h = std::get_if<change_hold>(&a.what)) wanted = said.refused == refusal::not_in_hold ? h->drop : h->add;
    if (const auto* h = std::get_if<release_hold>(&a.what)) wanted = h->lines;
    if (const auto* h = std::get_if<cancel_order>(&a.what)) wanted = h->lines;
    for (std::size_t i = 0; i < 64; ++i)
      if ((said.lines >> i & 1U) != 0) s += i < wanted.size() ? " " + line_text(wanted[i]) : " range " + std::to_string(i + 1);
    if (said.refused == refusal::not_enough || said.refused == refusal::over_limit || said.refused == refusal::amount_too_high)
      s += ", " + std::to_string(said.left) + " left";
    if (said.refused == refusal::over_limit || said.refused == refusal::limit_key_missing) s += " (" + kind_text(said.kind) + ")";
    if (said.retry_after != 0) s += ", try again in " + duration_text(std::uint64_t{said.retry_after} * us_per_ms);
    if (const auto t = state(); !t.empty()) s += " [" + t + "]";
    return s;
  }
  std::vector<std::string> parts;
  if (said.outcome == money_outcome::sold) parts.push_back("sold");
  if (said.number.value != 0) 
    parts.push_back("refund due " + std::to_string(said.number.value) +
                    (said.reason == refund_reason::none ? "" : ": " + std::string(core::name_of(said.reason))));
  if (said.granted.value != 0) parts.push_back("granted until " + log_text(said.granted));
  if (parts.empty()) parts.emplace_back("ok");
  s += joined(parts, ", ");
  if (const auto t = state(); !t.empty()) s += " [" + t + "]";
  return s;
}

std::string storyteller::picture() {
  auto& d = the_duel();
  const auto s = std::get<session_seen>(*d.look(look_session{}));
  const auto seats = std::get<seats_seen>(*d.look(look_seats{}));
  std::string out(core::name_of(s.sale));
  const auto& channels = terms_->rules.channels;
  const auto every = (channel_set{1} << channels.size()) - 1;
  if (s.open_channels != 0 && s.open_channels != every) {
    out += " for";
    for (std::size_t i = 0; i < channels.size(); ++i)
      if ((s.open_channels >> i & 1U) != 0) out += " " + channels[i].name;
  }
  if (s.frozen) out += ", frozen";
  if (s.faulted) out += ", faulted";
  if (s.shift_us != 0) out += ", shifted by " + duration_text(s.shift_us);
  if (seats.expiries_pending) out += ", expiries pending";
  static const char* const signs[] = {".", "h", "p", "$", "x"};
  std::uint32_t row = ~0U;
  for (std::uint32_t i = 0; i < seats.states.size(); ++i) {
    if (plan_->seats[i].row != row) {
      row = plan_->seats[i].row;
      out += "\n" + plan_->rows[row].label + " ";
    }
    out += std::string(" ") + signs[seats.states[i] & 0x7fU] + ((seats.states[i] & 0x80U) != 0 ? "!" : "");
  }
  for (std::size_t a = 0; a < seats.areas.size(); ++a)
    for (std::size_t k = 0; k < seats.areas[a].allocations.size(); ++k) {
      const auto& n = seats.areas[a].allocations[k];
      std::vector<std::string> parts;
      const auto part = [&](std::uint64_t count, const char* what) {
        if (count != 0) parts.push_back(std::to_string(count) + " " + what);
      };
      part(n.free, "free");
      part(n.held, "held");
      part(n.paying, "paying");
      part(n.sold, "sold");
      part(n.blocked, "blocked");
      part(n.withdrawn, "withdrawn");
      if (!parts.empty()) out += "\n" + plan_->areas[a].name + "/" + plan_->allocations[k] + ": " + joined(parts, ", ");
    }
  return out;
}

std::string storyteller::session_text() {
  const auto s = std::get<session_seen>(*the_duel().look(look_session{}));
  std::ostringstream out;
  const auto& n = s.places;
  out << core::name_of(s.sale) << (s.frozen ? ", frozen" : "") << (s.faulted ? ", faulted" : "") << "; places: " << n.free << " free, "
      << n.held << " held, " << n.paying << " paying, " << n.sold << " sold, " << n.blocked << " blocked, " << n.withdrawn << " withdrawn\n";
  out << "holds: " << s.live_holds << " live, " << s.orders << " orders, " << s.ended_holds << " ended, " << s.forgotten_early
      << " forgotten early\n";
  out << "money: " << s.amount_paid << " paid, " << s.amount_refunds_due << " due back in " << s.refunds_open << " of " << s.refunds_total
      << " refunds";
  if (s.shift_us != 0) out << "\nshift: " << duration_text(s.shift_us) << ", for downtime " << duration_text(s.downtime_shift_us);
  if (s.next_deadline.value != 0) out << "\nnext deadline: " << log_text(s.next_deadline);
  if (s.expiries_pending) out << "\nexpiries pending";
  return out.str();
}

std::string storyteller::hold_text(const hold_seen& h) const {
  std::string s = name_of_owner(h.owner) + "/" + name_of_hold(h.id) + " (" + std::to_string(h.number.value) + ") " + std::string(core::name_of(h.state));
  const bool live = h.state == hold_state::held || h.state == hold_state::paying;
  if (live) s += " until " + log_text(h.deadline) + ", lifetime ends " + log_text(h.lifetime_end);
  if (h.extensions != 0) s += ", extended " + std::to_string(h.extensions) + "x";
  if (h.attempts != 0) s += ", " + std::to_string(h.attempts) + (h.attempts == 1 ? " attempt" : " attempts");
  if (h.state != hold_state::released) {
    s += ":";
    for (const auto& l : h.lines) s += " " + line_text(l.what) + (l.cancelled ? "(cancelled)" : "");
  }
  for (const auto& p : h.payments) {
    s += "\n  paid " + std::to_string(p.amount) + ": ";
    if (p.outcome == money_outcome::sold) s += "sold";
    else s += "refund due " + std::to_string(p.number.value) + ", " + std::string(core::name_of(p.reason));
  }
  return s;
}

}  // namespace holdfast::tests
