#include "tests/core/storyteller.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <stdexcept>

#include "simulation/describe.hpp"

namespace holdfast::tests {

using namespace core;

namespace {

constexpr std::uint64_t story_begins = 1'700'000'000'000'000;

std::uint64_t fnv(const std::string& s) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const unsigned char c : s) h = (h ^ c) * 0x100000001b3ULL;
  return h;
}

key_kind kind_of(const std::string& s) {
  static const char* const names[] = {"account", "email", "card", "device", "code"};
  for (std::uint8_t i = 0; i < key_kinds; ++i)
    if (s == names[i]) return static_cast<key_kind>(i);
  if (s == "odd") return static_cast<key_kind>(77);
  throw std::runtime_error("no such key kind: " + s);
}

role role_of(const std::string& s) {
  static const char* const names[] = {"buyer", "shop", "op", "auditor", "timer", "schedule", "recovery"};
  for (std::uint8_t i = 0; i < 7; ++i)
    if (s == names[i]) return static_cast<role>(i);
  throw std::runtime_error("no such role: " + s);
}

bool is_in(const std::string& s, const std::vector<std::string>& list) { return std::find(list.begin(), list.end(), s) != list.end(); }

}  // namespace

std::uint64_t duration_of(const std::string& text) {
  std::uint64_t us = 0;
  std::size_t i = 0;
  while (i < text.size()) {
    std::size_t used = 0;
    const double n = std::stod(text.substr(i), &used);
    i += used;
    const char unit = i < text.size() ? text[i] : '?';
    std::uint64_t one = unit == 'd' ? 86'400'000'000ULL : unit == 'h' ? 3'600'000'000ULL : unit == 'm' ? 60'000'000ULL : unit == 's' ? 1'000'000ULL : 0;
    ++i;
    if (unit == 'm' && i < text.size() && text[i] == 's') one = 1'000, ++i;
    if (unit == 'u' && i < text.size() && text[i] == 's') one = 1, ++i;
    if (one == 0) throw std::runtime_error("not a time: " + text);
    us += static_cast<std::uint64_t>(n * static_cast<double>(one) + 0.5);
  }
  return us;
}

std::string duration_text(std::uint64_t us) {
  std::string s;
  const auto part = [&](std::uint64_t one, const char* unit) {
    if (us / one == 0) return;
    s += std::to_string(us / one) + unit;
    us %= one;
  };
  part(3'600'000'000ULL, "h");
  part(60'000'000ULL, "m");
  part(1'000'000ULL, "s");
  part(1'000ULL, "ms");
  part(1ULL, "us");
  return s.empty() ? "0s" : s;
}

// ---- words ------------------------------------------------------------------------------------------------------

struct storyteller::words {
  std::vector<std::string> all;
  std::size_t at = 0;

  [[nodiscard]] bool more() const { return at < all.size(); }
  [[nodiscard]] const std::string& peek() const {
    static const std::string none;
    return more() ? all[at] : none;
  }
  std::string next() {
    if (!more()) throw std::runtime_error("the line ends too early");
    return all[at++];
  }
  bool take(const std::string& word) {
    if (peek() != word) return false;
    ++at;
    return true;
  }
  /// Takes `name VALUE` out of the rest of the line, wherever it stands.
  std::optional<std::string> option(const std::string& name) {
    for (auto i = at; i + 1 < all.size(); ++i) {
      if (all[i] != name) continue;
      const auto value = all[i + 1];
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(i), all.begin() + static_cast<std::ptrdiff_t>(i) + 2);
      return value;
    }
    return std::nullopt;
  }
  bool flag(const std::string& name) {
    const auto i = std::find(all.begin() + static_cast<std::ptrdiff_t>(at), all.end(), name);
    if (i == all.end()) return false;
    all.erase(i);
    return true;
  }
  std::string label() {
    for (auto i = at; i < all.size(); ++i) {
      if (all[i][0] != '#') continue;
      const auto l = all[i];
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
      return l;
    }
    return {};
  }
  void finish() const {
    if (more()) throw std::runtime_error("not understood: " + all[at]);
  }
};

/// What may come with any command.
struct storyteller::options {
  std::optional<std::string> from, via, id, deadline, note;
  std::vector<std::string> keys;
  bool no_keys = false;
};

storyteller::storyteller() : draft_(std::make_shared<session_terms>()), plan_(std::make_shared<plan>()), now_(story_begins) {
  draft_->name = "story";
  draft_->currency = "EUR";
  draft_->zone = "Europe/Berlin";
  draft_->rules = default_policy();
  plan_->name = "hall";
  plan_->categories = {{"stalls", ""}};
  plan_->zones = {"main"};
}

duel& storyteller::the_duel() {
  if (!duel_) {
    draft_->seating = plan_;
    terms_ = draft_;
    for (const auto& r : {check_plan(*plan_), check_policy(draft_->rules)})
      if (!r) throw std::runtime_error(r.failure().text);
    duel_ = std::make_unique<duel>(terms_, log_time{story_begins});
  }
  return *duel_;
}

template <class T>
std::span<const T> storyteller::keep(const std::vector<T>& items) {
  if (items.empty()) return {};
  auto* p = static_cast<T*>(arena_.allocate(items.size() * sizeof(T), alignof(T)));
  std::uninitialized_copy(items.begin(), items.end(), p);
  return {p, items.size()};
}

std::string storyteller::tell_all(const std::vector<std::string>& lines) {
  std::string last;
  for (const auto& l : lines) {
    last = tell(l);
    if (last.rfind("TROUBLE", 0) == 0) return last + " (in: " + l + ")";
  }
  return last;
}

std::string storyteller::tell(const std::string& line) {
  words w;
  std::istringstream in(line);
  for (std::string s; in >> s;) w.all.push_back(s);
  if (w.all.empty()) return {};
  try {
    const auto first = w.peek();
    if (is_in(first, {"seats", "area", "channel", "limit", "policy"})) return hall(w);
    if (w.take("at")) {
      const auto t = w.next();
      now_ = t[0] == '+' ? now_ + duration_of(t.substr(1)) : story_begins + duration_of(t);
      w.finish();
      return {};
    }
    auto& d = the_duel();
    if (is_in(first, {"tick", "restart", "fault"})) {
      happening h;
      h.now = log_time{now_};
      h.what = first == "tick" ? happening::kind::step : first == "fault" ? happening::kind::fault : happening::kind::restart;
      auto t = d.play(h);
      if (!t) t = d.compare_state({}, {});
      if (!t) t = d.compare_bytes();
      return t ? "TROUBLE " + *t : "";
    }
    if (is_in(first, {"picture", "session", "hold", "seat", "owner", "fate", "changed"})) {
      if (auto t = d.play({happening::kind::step, log_time{now_}, {}})) return "TROUBLE " + *t;
      return look_line(w);
    }
    return command_line(w);
  } catch (const std::exception& e) {
    return std::string("TROUBLE ") + e.what();
  }
}

// ---- the hall ---------------------------------------------------------------------------------------------------

std::uint8_t storyteller::allocation(const std::string& name) {
  const auto i = std::find(plan_->allocations.begin(), plan_->allocations.end(), name);
  if (i != plan_->allocations.end()) return static_cast<std::uint8_t>(i - plan_->allocations.begin());
  if (duel_) return static_cast<std::uint8_t>(std::stoul(name));
  plan_->allocations.push_back(name);
  return static_cast<std::uint8_t>(plan_->allocations.size() - 1);
}

std::uint8_t storyteller::category(const std::string& name) {
  for (std::size_t i = 0; i < plan_->categories.size(); ++i)
    if (plan_->categories[i].name == name) return static_cast<std::uint8_t>(i);
  plan_->categories.push_back({name, ""});
  return static_cast<std::uint8_t>(plan_->categories.size() - 1);
}

std::string storyteller::hall(words& w) {
  if (duel_) throw std::runtime_error("the hall stands already");
  const auto what = w.next();
  auto& rules = draft_->rules;
  if (what == "seats") {
    const auto in_category = category(w.option("category").value_or("stalls"));
    const auto in_allocation = allocation(w.option("allocation").value_or("public"));
    const auto range = w.next();
    const auto dash = range.find('-');
    const std::string row = range.substr(0, 1);
    const auto from = std::stoul(range.substr(1, dash - 1));
    const auto to = dash == std::string::npos ? from : std::stoul(range.substr(dash + 2));
    if (plan_->rows.empty() || plan_->rows.back().label != row) plan_->rows.push_back({0, row});
    for (auto n = from; n <= to; ++n) {
      plan_seat s;
      s.row = static_cast<std::uint32_t>(plan_->rows.size() - 1);
      s.number = std::to_string(n);
      s.identity = row + s.number;
      s.category = in_category;
      s.allocation = in_allocation;
      seats_[s.identity] = static_cast<std::uint32_t>(plan_->seats.size());
      plan_->seats.push_back(s);
    }
  } else if (what == "area") {
    plan_area a;
    a.category = category(w.option("category").value_or("stalls"));
    a.name = a.identity = w.next();
    a.capacity = {static_cast<std::uint32_t>(std::stoul(w.next()))};
    while (w.more()) {
      const auto in = allocation(w.next());
      a.capacity.resize(std::max<std::size_t>(a.capacity.size(), in + 1U));
      a.capacity[in] = static_cast<std::uint32_t>(std::stoul(w.next()));
    }
    areas_[a.name] = static_cast<std::uint32_t>(plan_->areas.size());
    plan_->areas.push_back(a);
  } else if (what == "channel") {
    channel_policy c;
    c.name = w.next();
    c.allocations = 0;
    if (w.take("takes"))
      while (w.more()) c.allocations |= 1U << allocation(w.next());
    rules.channels.push_back(c);
  } else if (what == "limit") {
    const auto name = w.next();
    auto& row = rules.channels[channel(name)];
    if (!is_in(name, ruled_channels_)) row.rules.clear();
    ruled_channels_.push_back(name);
    limit_rule r;
    r.kind = kind_of(w.next());
    r.places_max = static_cast<std::uint32_t>(std::stoul(w.next()));
    if (const auto c = w.option("category")) r.categories = std::uint64_t{1} << category(*c);
    row.rules.push_back(r);
  } else {
    auto key = w.next();
    const auto value = w.next();
    const auto ms = [&] { return static_cast<interval_ms>(duration_of(value) / us_per_ms); };
    const auto count = [&] { return static_cast<std::uint32_t>(std::stoul(value)); };
    if (const auto dot = key.find('.'); dot != std::string::npos) {
      auto& row = rules.channels[channel(key.substr(0, dot))];
      key = key.substr(dot + 1);
      if (key == "lines_max") row.lines_max = count();
      else if (key == "holds_per_owner_max") row.holds_per_owner_max = count();
      else if (key == "extensions_max") row.extensions_max = count();
      else if (key == "attempts_max") row.attempts_max = count();
      else if (key == "hold_max") row.hold_max = ms();
      else if (key == "paying_max") row.paying_max = ms();
      else if (key == "lifetime_max") row.lifetime_max = ms();
      else throw std::runtime_error("no such policy: " + key);
    } else if (key == "pay_min") rules.pay_min = ms();
    else if (key == "id_min") rules.id_min = ms();
    else if (key == "late_confirm_max") rules.late_confirm_max = ms();
    else if (key == "ended_holds_max") rules.ended_holds_max = count();
    else if (key == "ended_holds_hard_max") rules.ended_holds_hard_max = count();
    else if (key == "unknown_refunds_max") rules.unknown_refunds_max = count();
    else if (key == "expiries_per_step") rules.expiries_per_step = count();
    else throw std::runtime_error("no such policy: " + key);
  }
  w.finish();
  return {};
}

// ---- names ------------------------------------------------------------------------------------------------------

owner_id storyteller::owner(const std::string& name) {
  if (name == "nobody") return {};
  const owner_id o{{fnv(name), 1}};
  owner_names_[o] = name;
  return o;
}

hold_id storyteller::hold(const std::string& of, const std::string& name) {
  if (name == "nothing") return {};
  const hold_id h{{fnv(of + "/" + name), 2}};
  hold_names_[h] = name;
  return h;
}

channel_no storyteller::channel(const std::string& name) const {
  const auto& rows = draft_->rules.channels;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].name == name) return static_cast<channel_no>(i);
  return static_cast<channel_no>(std::stoul(name));
}

channel_set storyteller::channels_of(words& w) const {
  if (!w.more()) return all_channels;
  channel_set set = 0;
  while (w.more()) {
    const auto name = w.next();
    if (name != "none") set |= channel_set{1} << channel(name);
  }
  return set;
}

log_time storyteller::time_of(const std::string& text) const {
  return log_time{text[0] == '+' ? now_ + duration_of(text.substr(1)) : story_begins + duration_of(text)};
}

base::byte_view storyteller::bytes_of(const std::string& text) {
  if (text == "empty") return {};
  if (text == "long") return keep(std::vector<std::uint8_t>(65, 'x'));
  return keep(std::vector<std::uint8_t>(text.begin(), text.end()));
}

lines storyteller::lines_of(words& w, const std::vector<std::string>& until) {
  std::vector<line> list;
  while (w.more() && !is_in(w.peek(), until)) {
    auto word = w.next();
    line l;
    if (const auto dollar = word.find('$'); dollar != std::string::npos) {
      l.price = static_cast<price_ref>(std::stoul(word.substr(dollar + 1)));
      word.resize(dollar);
    }
    if (const auto star = word.find('*'); star != std::string::npos) {
      l.count = static_cast<std::uint32_t>(std::stoul(word.substr(star + 1)));
      word.resize(star);
    }
    if (const auto dash = word.find('-'); dash != std::string::npos) {
      for (auto s = seats_.at(word.substr(0, dash)); s <= seats_.at(word.substr(dash + 1)); ++s) {
        l.number = s;
        list.push_back(l);
      }
      continue;
    }
    if (const auto a = areas_.find(word); a != areas_.end()) {
      l.kind = place_kind::area;
      l.number = a->second;
    } else if (word == "nowhere") {
      l.number = 999'999;
    } else if (word == "noarea") {
      l.kind = place_kind::area;
      l.number = 999;
    } else if (word == "odd") {
      l.kind = static_cast<place_kind>(9);
    } else {
      const auto s = seats_.find(word);
      if (s == seats_.end()) throw std::runtime_error("no such place: " + word);
      l.number = s->second;
    }
    list.push_back(l);
  }
  return keep(list);
}

ranges storyteller::ranges_of(words& w, const std::vector<std::string>& until) {
  std::vector<place_range> list;
  while (w.more() && !is_in(w.peek(), until)) {
    auto word = w.next();
    place_range r;
    if (word == "nowhere") {
      r.first = r.last = 999'999;
    } else if (word == "backwards") {
      r.first = 2;
      r.last = 1;
    } else if (word == "odd") {
      r.kind = static_cast<place_kind>(9);
      r.count = 1;
    } else if (const auto star = word.find('*'); star != std::string::npos) {
      const auto slash = word.find('/');
      r.kind = place_kind::area;
      const auto name = word.substr(0, star);
      r.first = r.last = name == "noarea" ? 999 : areas_.at(name);
      r.count = static_cast<std::uint32_t>(std::stoul(word.substr(star + 1)));
      r.allocation = slash == std::string::npos ? 0 : allocation(word.substr(slash + 1));
    } else {
      const auto dash = word.find('-');
      r.first = seats_.at(word.substr(0, dash));
      r.last = dash == std::string::npos ? r.first : seats_.at(word.substr(dash + 1));
    }
    list.push_back(r);
  }
  return keep(list);
}

keys storyteller::keys_of(const options& o, channel_no in, const std::string& of, bool all) {
  std::vector<limit_key> list;
  if (all && !o.no_keys && in < draft_->rules.channels.size())
    for (const auto& rule : draft_->rules.channels[in].rules)
      if (std::none_of(list.begin(), list.end(), [&](const limit_key& k) { return k.kind == rule.kind; }))
        list.push_back({rule.kind, {fnv(of), 3}});
  for (const auto& k : o.keys) {
    const auto is = k.find('=');
    const auto kind = kind_of(k.substr(0, is));
    const auto value = k.substr(is + 1);
    if (!o.no_keys && all) std::erase_if(list, [&](const limit_key& x) { return x.kind == kind && value != "twice"; });
    list.push_back({kind, value == "zero" ? base::id128{} : base::id128{fnv(value), 3}});
  }
  return keep(list);
}

// ---- commands ---------------------------------------------------------------------------------------------------

std::string storyteller::command_line(words& w) {
  const auto label = w.label();
  if (w.take("again")) {
    w.finish();
    if (label.empty() || labelled_.count(label) == 0) throw std::runtime_error("again what?");
    return play(labelled_.at(label), label);
  }
  options o;
  o.from = w.option("from");
  o.via = w.option("via");
  o.id = w.option("id");
  o.deadline = w.option("deadline");
  o.note = w.option("note");
  while (const auto k = w.option("key")) o.keys.push_back(*k);
  if (w.option("keys")) o.no_keys = true;

  asked a;
  if (o.via) a.head.channel = channel(*o.via);
  a.head.id = command_id{{++ids_, 4}};
  const auto interval = [&](const std::string& word, const std::string& otherwise) {
    return static_cast<interval_ms>(duration_of(w.option(word).value_or(otherwise)) / us_per_ms);
  };

  const auto first = w.next();
  role who = role::op;
  if (first == "open") a.what = open_sale{channels_of(w)};
  else if (first == "close") a.what = close_sale{channels_of(w)};
  else if (first == "pause") a.what = pause_sale{};
  else if (first == "resume") a.what = resume_sale{};
  else if (first == "freeze") a.what = freeze_sale{};
  else if (first == "create") a.what = create_session{terms_};
  else if (first == "expire") a.what = expire_due{};
  else if (first == "shift" || first == "clear") {
    const auto ms = static_cast<interval_ms>(duration_of(w.next()) / us_per_ms);
    if (first == "shift") a.what = shift_deadlines{ms, static_cast<reason_code>(std::stoul(w.option("reason").value_or("1")))};
    else a.what = clear_fault{ms};
  } else if (first == "block") {
    const auto reason = static_cast<reason_code>(std::stoul(w.option("reason").value_or("1")));
    a.what = block_places{ranges_of(w, {}), reason};
  } else if (first == "unblock") {
    a.what = unblock_places{ranges_of(w, {})};
  } else if (first == "allocate") {
    const auto to = allocation(w.option("to").value_or("public"));
    a.what = allocate_places{ranges_of(w, {}), to};
  } else if (first == "confirm") {
    who = role::shop;
    const auto of = w.next();
    confirm_hold c{owner(of), hold(of, w.next()), {}, 0, payment_kind::card};
    c.amount = std::stoll(w.next());
    c.payment = bytes_of(w.option("ref").value_or("p"));
    if (w.take("cash")) c.kind = payment_kind::cash;
    if (w.take("odd")) c.kind = static_cast<payment_kind>(99);
    a.head.id = {};
    a.what = c;
  } else if (first == "cancel") {
    who = role::shop;
    const auto of = w.next();
    cancel_order c{owner(of), hold(of, w.next()), {}, 0, false};
    c.amount = std::stoll(w.option("back").value_or("0"));
    c.withdrawn = w.flag("withdrawn");
    c.lines = lines_of(w, {});
    a.what = c;
  } else if (first == "settle") {
    who = role::shop;
    const auto number = refund_no{static_cast<std::uint32_t>(std::stoul(w.next()))};
    a.what = settle_refund{number, bytes_of(w.option("ref").value_or("r"))};
  } else {
    // A buyer: "ann holds ...".
    const auto verb = w.next();
    who = role::buyer;
    if (verb == "holds") {
      hold_seats h;
      h.owner = owner(first);
      h.interval = interval("for", "15m");
      a.head.id = hold(first, w.option("as").value_or("cart"));
      h.plan_revision = static_cast<std::uint32_t>(std::stoul(w.option("revision").value_or("1")));
      h.keys = keys_of(o, a.head.channel, first, true);
      h.lines = lines_of(w, {});
      a.head.client_deadline = log_time{now_ + 60 * us_per_s};
      a.what = h;
    } else if (verb == "changes") {
      change_hold c{owner(first), hold(first, w.next()), {}, {}, 1};
      c.plan_revision = static_cast<std::uint32_t>(std::stoul(w.option("revision").value_or("1")));
      if (w.take("add")) c.add = lines_of(w, {"drop"});
      if (w.take("drop")) c.drop = lines_of(w, {});
      a.what = c;
    } else if (verb == "extends") {
      const auto h = hold(first, w.next());
      a.what = extend_hold{owner(first), h, interval("for", "15m")};
    } else if (verb == "releases") {
      release_hold c{owner(first), hold(first, w.next()), {}, false};
      c.withdrawn = w.flag("withdrawn");
      if (c.withdrawn) who = role::op;
      c.lines = lines_of(w, {});
      a.what = c;
    } else if (verb == "pays") {
      who = role::shop;
      begin_payment c{owner(first), hold(first, w.next()), {}, 0, {}};
      c.attempt = bytes_of(w.option("attempt").value_or("t"));
      c.interval = interval("for", "5m");
      c.keys = keys_of(o, a.head.channel, first, false);
      a.what = c;
    } else if (verb == "fails") {
      who = role::shop;
      const auto h = hold(first, w.next());
      a.what = payment_failed{owner(first), h, bytes_of(w.option("attempt").value_or("t"))};
    } else {
      throw std::runtime_error("not understood: " + verb);
    }
  }
  w.finish();
  a.head.from = {o.from ? role_of(*o.from) : who, 1};
  if (o.id) {
    if (o.id->front() == '@') a.head.id = labelled_.at("#" + o.id->substr(1)).head.id;
    else if (*o.id == "zero") a.head.id = {};
    else a.head.id = command_id{{fnv(*o.id), 5}};
  }
  if (o.deadline) a.head.client_deadline = *o.deadline == "none" ? log_time{} : time_of(*o.deadline);
  if (o.note) a.head.note = bytes_of(*o.note);
  return play(a, label);
}

std::string storyteller::look_line(words& w) {
  auto& d = the_duel();
  const auto refused = [](const answer& a) { return "refused: " + std::string(core::name_of(a.refused)); };
  answer a;
  const auto what = w.next();
  if (what == "picture") return picture();
  if (what == "session") return session_text();
  if (what == "changed") return "record " + std::to_string(d.last().value);
  if (what == "seat") {
    const auto seat = seats_.at(w.next());
    const auto s = std::get<seat_seen>(*d.look(look_seat{seat_no{seat}}));
    std::string text = seat_name(seat) + " " + std::string(core::name_of(s.state));
    if (s.withdrawn) text += ", withdrawn";
    if (s.reason != 0) text += ", reason " + std::to_string(s.reason);
    if (s.allocation != 0) text += ", for " + plan_->allocations[s.allocation];
    if (!s.owner.value.zero()) text += ", " + name_of_owner(s.owner) + "/" + name_of_hold(s.hold);
    if (s.deadline.value != 0) text += " until " + log_text(s.deadline);
    return text;
  }
  const auto of = w.next();
  if (what == "hold") {
    const auto shown = d.look(look_hold{owner(of), hold(of, w.next())}, &a);
    return shown ? hold_text(std::get<hold_seen>(*shown)) : refused(a);
  }
  if (what == "owner") {
    const auto shown = d.look(look_owner{owner(of)}, &a);
    if (!shown) return refused(a);
    const auto& seen = std::get<owner_seen>(*shown);
    std::string text;
    for (const auto& h : seen.holds) text += (text.empty() ? "" : "\n") + hold_text(h);
    for (const auto& r : seen.refunds)
      text += (text.empty() ? "" : "\n") + ("refund due " + std::to_string(r.number.value)) + ": " + std::to_string(r.amount) + ", " +
              std::string(core::name_of(r.reason)) + (r.settled ? ", settled" : "");
    return text.empty() ? "nothing" : text;
  }
  // fate
  const auto deadline = w.option("deadline");
  const auto label = w.label();
  command_id id;
  if (!label.empty()) id = labelled_.at(label).head.id;
  else id = hold(of, w.next());
  const auto by = deadline ? time_of(*deadline) : log_time{};
  const auto shown = d.look(look_fate{owner(of), id, by}, &a);
  if (!shown) return refused(a);
  const auto& f = std::get<fate_seen>(*shown);
  const auto second = d.second_opinion().see_fate(owner(of), id, by);
  if (f.what != second.what) return "TROUBLE the model sees another fate";
  if (f.what == fate::not_so_far) return "not accepted so far";
  if (f.what == fate::older) return "older than can be known";
  asked as_it_was;
  return name_of(f.command) + " accepted: " + answer_text(as_it_was, f.first);
}

std::string storyteller::play(asked a, const std::string& label) {
  if (!label.empty()) labelled_[label] = a;
  auto& d = the_duel();
  auto t = d.play({happening::kind::step, log_time{now_}, {a}});
  if (t) return "TROUBLE " + *t;
  said_ = d.said().front();
  std::vector<owner_id> everybody;
  for (const auto& [o, name] : owner_names_) everybody.push_back(o);
  // Only where nothing is left over on purpose: comparing expires what is due.
  if (terms_->rules.expiries_per_step > 1) {
    t = d.compare_state({a}, everybody);
    if (!t) t = d.compare_bytes();
  }
  return t ? "TROUBLE " + *t : answer_text(a, said_);
}

}  // namespace holdfast::tests
