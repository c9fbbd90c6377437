// audit verify DATA_DIR: reads a journal from its first block to its last and changes nothing.
#include <fmt/format.h>

#include "apps/holdfast/invocation.hpp"
#include "apps/holdfast/progress_bar.hpp"
#include "persistence/audit.hpp"

namespace holdfast::cli {

namespace {

grid sessions_of(const persistence::audit_report& r) {
  grid g{"sessions", {"number", "name", "records", "capacity", "sold", "held", "paying", "free", "blocked", "withdrawn", "state digest"}, {}};
  for (const auto& s : r.sessions) {
    const auto& p = s.places;
    g.rows.push_back({plain_number(s.id), words(s.name), number(s.records), number(s.capacity), number(p.sold), number(p.held), number(p.paying),
                      number(p.free), number(p.blocked), number(p.withdrawn), words(base::to_hex(s.state).substr(0, 16))});
  }
  return g;
}

grid happenings_of(const persistence::audit_report& r) {
  grid g{"what happened", {"session", "holds", "released", "expired", "orders", "of them late", "orders standing", "cancellations"}, {}};
  for (const auto& s : r.sessions)
    g.rows.push_back({words(s.name), number(s.holds_placed), number(s.holds_released), number(s.holds_expired), number(s.orders_confirmed),
                      number(s.late), number(s.orders_standing), number(s.cancellations)});
  return g;
}

grid money_of(const persistence::audit_report& r) {
  grid g{"money in minor units", {"session", "currency", "sold for", "refunds due", "settled", "open", "amount open"}, {}};
  for (const auto& s : r.sessions)
    g.rows.push_back({words(s.name), words(s.currency), number(s.amount_sold), number(s.refunds_due), number(s.refunds_settled),
                      number(static_cast<std::uint64_t>(s.refunds_open.size())), number(s.amount_refunds_open)});
  return g;
}

grid channels_of(const persistence::audit_report& r) {
  grid g{"channels", {"session", "channel", "holds", "orders", "places sold"}, {}};
  for (const auto& s : r.sessions)
    for (const auto& [channel, t] : s.by_channel)
      g.rows.push_back({words(s.name), plain_number(channel), number(t.holds), number(t.orders), number(t.places)});
  return g;
}

grid refunds_of(const persistence::audit_report& r) {
  grid g{"open refunds", {"session", "refund", "reason", "amount", "hold"}, {}};
  for (const auto& s : r.sessions)
    for (const auto& o : s.refunds_open)
      g.rows.push_back({words(s.name), plain_number(o.number.value), words(core::name_of(o.reason)), number(o.amount), hex(o.hold.value)});
  return g;
}

int verify(invocation& in, const std::string& directory) {
  persistence::audit_options o;
  progress_bar bar(in.around.err, in.around.err_is_terminal && !in.json);
  o.progress = [&](std::uint64_t block, std::uint64_t last, std::uint64_t records) {
    if (bar.due())
      bar.show(last == 0 ? 1.0 : static_cast<double>(block) / static_cast<double>(last),
               fmt::format("block {} of {}, {} records", grouped(block), grouped(last), grouped(records)));
  };
  const auto r = persistence::audit_directory({directory}, o);
  bar.clear();
  HOLDFAST_CLI_TRY(in, r);
  document d;
  d.add("audit", r->clean() ? words("clean", tone::good) : words("violation", tone::bad));
  if (r->wrong) {
    const auto& w = *r->wrong;
    d.add("block", plain_number(w.block));
    d.add("record", plain_number(w.record));
    d.add("session", w.session == 0 ? none() : plain_number(w.session));
    d.add("sequence", w.sequence == 0 ? none() : plain_number(w.sequence));
    d.add("what", words(w.what, tone::bad));
  }
  d.add("journal", hex(r->journal));
  d.add("first block", plain_number(r->first_block));
  d.add("last block", plain_number(r->last_block));
  d.add("blocks", number(r->blocks));
  d.add("records", number(r->records));
  d.add("bytes", number(r->bytes));
  d.add("starts", number(r->starts));
  d.add("checkpoints compared", number(r->checkpoints_compared));
  d.grids.push_back(sessions_of(*r));
  d.grids.push_back(happenings_of(*r));
  d.grids.push_back(money_of(*r));
  d.grids.push_back(channels_of(*r));
  d.grids.push_back(refunds_of(*r));
  grid warnings{"warnings", {"warning"}, {}};
  for (const auto& w : r->warnings) warnings.rows.push_back({words(w)});
  d.grids.push_back(std::move(warnings));
  return in.say(d, r->clean() ? exits::ok : exits::refused);
}

}  // namespace

void add_audit(CLI::App& app, invocation& in) {
  auto* audit = app.add_subcommand("audit", "prove from the journal what was sold");
  audit->require_subcommand(1);
  auto directory = std::make_shared<std::string>();
  auto* c = audit->add_subcommand("verify", "decide every record again and compare; on a copy, or beside a stopped server");
  c->add_option("data_dir", *directory, "the server's data directory")->required();
  c->callback([&in, directory] { in.todo = [&in, directory] { return verify(in, *directory); }; });
}

}  // namespace holdfast::cli
