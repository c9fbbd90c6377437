// pay, payment-failed, confirm, cancel, settle: what moves money. For shops and operators.
#include "apps/holdfast/invocation.hpp"
#include "apps/holdfast/options.hpp"
#include "client/ids.hpp"

namespace holdfast::cli {

namespace {

struct pay_options {
  on_hold_options hold;
  std::string attempt, interval = "10m";
  std::vector<std::string> keys;
};

int pay(invocation& in, const pay_options& o) {
  const auto on = read(o.hold, in);
  HOLDFAST_CLI_TRY(in, on);
  const auto interval = read_interval(o.interval);
  HOLDFAST_CLI_TRY(in, interval);
  std::vector<core::limit_key> keys;
  for (const auto& k : o.keys) {
    const auto key = read_key(k);
    HOLDFAST_CLI_TRY(in, key);
    keys.push_back(*key);
  }
  const auto attempt = reference_or_new(o.attempt);
  return ask_on_hold(
      in, o.hold.session, *on,
      [&](client::blocking& c, core::session_id s, const core::envelope& e) {
        return c.begin_payment(s, e, {on->owner, on->hold, base::as_bytes(attempt), static_cast<core::interval_ms>(interval->count()), keys});
      },
      {{"attempt", words(attempt)}});
}

int payment_failed(invocation& in, const pay_options& o) {
  const auto on = read(o.hold, in);
  HOLDFAST_CLI_TRY(in, on);
  return ask_on_hold(in, o.hold.session, *on, [&](client::blocking& c, core::session_id s, const core::envelope& e) {
    return c.payment_failed(s, e, {on->owner, on->hold, base::as_bytes(o.attempt)});
  });
}

struct confirm_options {
  on_hold_options hold;
  std::string payment, kind = "card";
  std::int64_t amount = 0;
};

int confirm(invocation& in, const confirm_options& o) {
  const auto on = read(o.hold, in);
  HOLDFAST_CLI_TRY(in, on);
  const auto kind = read_payment_kind(o.kind);
  HOLDFAST_CLI_TRY(in, kind);
  const auto payment = reference_or_new(o.payment);
  return ask_on_hold(
      in, o.hold.session, *on,
      [&](client::blocking& c, core::session_id s, const core::envelope&) {
        return c.confirm_hold(s, c.money_envelope(), {on->owner, on->hold, base::as_bytes(payment), o.amount, *kind});
      },
      {{"payment", words(payment)}});
}

struct cancel_options {
  std::string session, owner, order, id;
  place_options places;
  std::int64_t amount = 0;
  bool withdrawn = false;
};

int cancel(invocation& in, const cancel_options& o) {
  const auto on = read(on_hold_options{o.session, o.owner, o.order, o.id}, in);
  HOLDFAST_CLI_TRY(in, on);
  const auto places = read(o.places);
  HOLDFAST_CLI_TRY(in, places);
  auto c = in.connect(door::shop);
  HOLDFAST_CLI_TRY(in, c);
  const auto s = find_session(*c, o.session);
  HOLDFAST_CLI_TRY(in, s);
  const auto p = plan_for(*c, *s, *places);
  HOLDFAST_CLI_TRY(in, p);
  const auto* plan = *p ? &**p : nullptr;
  const auto lines = as_lines(*places, plan, o.places.price);
  HOLDFAST_CLI_TRY(in, lines);
  const auto a = c->cancel_order(s->id, c->envelope(on->id, on->channel), {on->owner, on->hold, *lines, o.amount, o.withdrawn});
  HOLDFAST_CLI_TRY(in, a);
  auto d = tell(a->said, a->now);
  tell_lines(a->said, *lines, plan, d);
  return in.say(d, code_of(a->said));
}

struct settle_options {
  std::string session, id, reference;
  std::uint32_t refund = 0;
};

int settle(invocation& in, const settle_options& o) {
  const auto id = o.id.empty() ? base::result<base::id128>(client::random_id()) : read_id("a command", o.id);
  HOLDFAST_CLI_TRY(in, id);
  return ask_on_hold(in, o.session, {{}, {}, core::command_id{*id}, static_cast<core::channel_no>(in.channel)},
                     [&](client::blocking& c, core::session_id s, const core::envelope& e) {
                       return c.settle_refund(s, e, {core::refund_no{o.refund}, base::as_bytes(o.reference)});
                     });
}

}  // namespace

void add_payment(CLI::App& app, invocation& in) {
  {
    auto o = std::make_shared<pay_options>();
    auto* c = app.add_subcommand("pay", "begin a payment: the hold cannot expire while it may still succeed");
    add_options(*c, o->hold);
    c->add_option("--attempt", o->attempt, "the payment service's reference of this attempt; default: made up");
    c->add_option("--for", o->interval, "how long the payment may take")->capture_default_str();
    one_each(c->add_option("--key", o->keys, "a limit key known only now, e.g. card=ID"));
    c->callback([&in, o] { in.todo = [&in, o] { return pay(in, *o); }; });
  }
  {
    auto o = std::make_shared<pay_options>();
    auto* c = app.add_subcommand("payment-failed", "a payment came to nothing: the hold is held again");
    add_options(*c, o->hold);
    c->add_option("--attempt", o->attempt, "which attempt")->required();
    c->callback([&in, o] { in.todo = [&in, o] { return payment_failed(in, *o); }; });
  }
  {
    auto o = std::make_shared<confirm_options>();
    auto* c = app.add_subcommand("confirm", "money came: sold, or a refund due");
    add_options(*c, o->hold);
    c->add_option("--payment", o->payment, "the payment's reference; the same again is a retry; default: made up");
    c->add_option("--amount", o->amount, "in minor units")->required();
    c->add_option("--kind", o->kind, "card, cash, invoice, comp or other")->capture_default_str();
    c->callback([&in, o] { in.todo = [&in, o] { return confirm(in, *o); }; });
  }
  {
    auto o = std::make_shared<cancel_options>();
    auto* c = app.add_subcommand("cancel", "undo an order, or only these places of it");
    c->add_option("session", o->session, "name, or #number")->required();
    c->add_option("--owner", o->owner, "whose order it is")->required();
    c->add_option("--order", o->order, "the order's id")->required();
    c->add_option("--id", o->id, "the command's id; default: made up");
    add_options(*c, o->places);
    c->add_option("--price", o->places.price, "price reference of area lines");
    c->add_option("--amount", o->amount, "to give back, in minor units");
    c->add_flag("--withdrawn", o->withdrawn, "the places come back blocked");
    c->callback([&in, o] { in.todo = [&in, o] { return cancel(in, *o); }; });
  }
  {
    auto o = std::make_shared<settle_options>();
    auto* c = app.add_subcommand("settle", "a refund due was paid out");
    c->add_option("session", o->session, "name, or #number")->required();
    c->add_option("--refund", o->refund, "its number in the session")->required();
    c->add_option("--reference", o->reference, "of the paying out")->required();
    c->add_option("--id", o->id, "the command's id; default: made up");
    c->callback([&in, o] { in.todo = [&in, o] { return settle(in, *o); }; });
  }
}

}  // namespace holdfast::cli
