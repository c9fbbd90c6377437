// find: across all sessions, over the operators' socket.
#include <set>
#include <tuple>

#include "apps/holdfast/invocation.hpp"
#include "apps/holdfast/shown.hpp"

namespace holdfast::cli {

namespace {

struct find_options {
  std::string owner, payment, basket, order;
  std::size_t most = 1'000;
};

int find(invocation& in, const find_options& o) {
  protocol::find f;
  const std::string* id = nullptr;
  if (!o.owner.empty()) f.by = protocol::find_by::owner, id = &o.owner;
  else if (!o.basket.empty()) f.by = protocol::find_by::basket, id = &o.basket;
  else if (!o.order.empty()) f.by = protocol::find_by::order, id = &o.order;
  else f.by = protocol::find_by::payment, f.payment = o.payment;
  if (id != nullptr) {
    const auto read = read_id("what is looked for", *id);
    HOLDFAST_CLI_TRY(in, read);
    f.id = *read;
  }
  auto c = in.connect(door::admin);
  HOLDFAST_CLI_TRY(in, c);
  std::vector<protocol::found_row> rows;
  std::set<std::tuple<std::uint64_t, core::id128, std::uint32_t>> shown_already;
  do {
    auto page = c->find(f);
    HOLDFAST_CLI_TRY(in, page);
    if (!page->seen) return in.say(tell(page->said, page->now), exits::refused);
    for (auto& r : page->seen->rows)
      if (shown_already.emplace(r.session.value, r.hold.value, r.refund.value).second) rows.push_back(std::move(r));
    f.from = page->seen->next_from;
  } while (f.from != 0 && rows.size() < o.most);
  auto d = shown(rows);
  if (f.from != 0) d.add("more", words("there are more than are shown: raise --most"));
  return in.say(d);
}

}  // namespace

void add_find(CLI::App& app, invocation& in) {
  auto o = std::make_shared<find_options>();
  auto* c = app.add_subcommand("find", "holds, orders and refunds of all sessions, by one of:");
  auto* by = c->add_option_group("by");
  by->add_option("--owner", o->owner, "an owner's id");
  by->add_option("--payment", o->payment, "a payment's reference");
  by->add_option("--basket", o->basket, "a basket's id");
  by->add_option("--order", o->order, "an order's or hold's id");
  by->require_option(1);
  c->add_option("--most", o->most, "rows shown")->capture_default_str();
  c->callback([&in, o] { in.todo = [&in, o] { return find(in, *o); }; });
}

}  // namespace holdfast::cli
