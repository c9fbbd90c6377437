#include "apps/holdfast/options.hpp"

#include "client/ids.hpp"

namespace holdfast::cli {

namespace {

base::result<base::id128> id_or_new(std::string_view what, const std::string& text) {
  if (text.empty()) return client::random_id();
  return read_id(what, text);
}

}  // namespace

CLI::Option* one_each(CLI::Option* o) { return o->allow_extra_args(false)->take_all(); }

void add_options(CLI::App& to, place_options& o) {
  to.add_option("places", o.places, "places: 12, 10-13, Zone/Row/Number, Area=COUNT");
  one_each(to.add_option("--seat", o.seats, "a seat by its number in the plan"));
  one_each(to.add_option("--seats", o.ranges, "consecutive seats, 10-13"));
  one_each(to.add_option("--area", o.areas, "standing room, NAME=COUNT"));
}

base::result<std::vector<place_meant>> read_places(const std::vector<std::string>& texts) {
  std::vector<place_meant> all;
  for (const auto& t : texts) {
    auto p = read_place(t);
    if (!p) return p.failure();
    all.push_back(std::move(*p));
  }
  return all;
}

base::result<std::vector<place_meant>> read(const place_options& o) {
  auto texts = o.places;
  for (const auto* more : {&o.seats, &o.ranges, &o.areas}) texts.insert(texts.end(), more->begin(), more->end());
  return read_places(texts);
}

void add_options(CLI::App& to, hold_options& o) {
  to.add_option("session", o.session, "name, or #number")->required();
  add_options(to, o.places);
  to.add_option("--price", o.places.price, "price reference of all lines, a number of the shop's");
  to.add_option("--owner", o.owner, "whose hold it is; default: made up");
  to.add_option("--id", o.id, "the hold's id; default: made up");
  to.add_option("--for", o.interval, "how long")->capture_default_str();
  to.add_option("--basket", o.basket, "ties holds of several sessions together");
  one_each(to.add_option("--key", o.keys, "a limit key, KIND=ID; default: account=the owner's id"));
}

base::result<new_hold> read(const hold_options& o) {
  new_hold h;
  const auto owner = id_or_new("an owner", o.owner);
  if (!owner) return owner.failure();
  h.owner = core::owner_id{*owner};
  const auto id = id_or_new("a hold", o.id);
  if (!id) return id.failure();
  h.id = core::hold_id{*id};
  if (!o.basket.empty()) {
    const auto basket = read_id("a basket", o.basket);
    if (!basket) return basket.failure();
    h.basket = core::basket_id{*basket};
  }
  for (const auto& k : o.keys) {
    const auto key = read_key(k);
    if (!key) return key.failure();
    h.keys.push_back(*key);
  }
  if (h.keys.empty()) h.keys.push_back({core::key_kind::account, *owner});
  auto places = read(o.places);
  if (!places) return places.failure();
  h.places = std::move(*places);
  const auto interval = read_interval(o.interval);
  if (!interval) return interval.failure();
  h.interval = static_cast<core::interval_ms>(interval->count());
  return h;
}

void add_options(CLI::App& to, on_hold_options& o) {
  to.add_option("session", o.session, "name, or #number")->required();
  to.add_option("--owner", o.owner, "whose hold it is")->required();
  to.add_option("--hold", o.hold, "the hold's id")->required();
  to.add_option("--id", o.id, "the command's id; default: made up");
}

base::result<on_hold> read(const on_hold_options& o, const invocation& in) {
  on_hold h;
  const auto owner = read_id("an owner", o.owner);
  if (!owner) return owner.failure();
  const auto hold = read_id("a hold", o.hold);
  if (!hold) return hold.failure();
  const auto id = id_or_new("a command", o.id);
  if (!id) return id.failure();
  h.owner = core::owner_id{*owner};
  h.hold = core::hold_id{*hold};
  h.id = core::command_id{*id};
  h.channel = static_cast<core::channel_no>(in.channel);
  return h;
}

std::string reference_or_new(const std::string& text) { return text.empty() ? base::to_hex(client::random_id()) : text; }

int ask_on_hold(invocation& in, const std::string& session, const on_hold& on, const asking& ask, std::vector<fact> first) {
  auto c = in.connect(door::shop, on.owner);
  HOLDFAST_CLI_TRY(in, c);
  const auto s = find_session(*c, session);
  HOLDFAST_CLI_TRY(in, s);
  const auto a = ask(*c, s->id, c->envelope(on.id, on.channel));
  HOLDFAST_CLI_TRY(in, a);
  auto d = tell(a->said, a->now);
  d.facts.insert(d.facts.begin(), first.begin(), first.end());
  return in.say(d, code_of(a->said));
}

int ask_on_session(invocation& in, const std::string& session, const std::string& id, const asking& ask) {
  const auto command = id_or_new("a command", id);
  HOLDFAST_CLI_TRY(in, command);
  auto c = in.connect(door::admin);
  HOLDFAST_CLI_TRY(in, c);
  const auto s = find_session(*c, session);
  HOLDFAST_CLI_TRY(in, s);
  const auto a = ask(*c, s->id, c->envelope(core::command_id{*command}, static_cast<core::channel_no>(in.channel)));
  HOLDFAST_CLI_TRY(in, a);
  return in.say(tell(a->said, a->now), code_of(a->said));
}

}  // namespace holdfast::cli
