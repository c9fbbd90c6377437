#include "actors/registry_actor.hpp"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "core/command_codec.hpp"

namespace holdfast::actors {

namespace {

std::shared_ptr<core::sale_view> view_of(const core::session& state) {
  auto view = std::make_shared<core::sale_view>(state.terms().seating, state.rules());
  std::vector<core::view_change> changes;
  state.describe_view(changes);
  view->apply(changes, state.last());
  return view;
}

base::bytes content_of(const core::session_terms& terms) {
  base::bytes out;
  base::byte_writer w(out);
  // Borrowed for the call: an aliasing pointer that owns nothing.
  const std::shared_ptr<const core::session_terms> borrowed(std::shared_ptr<void>(), &terms);
  core::encode_command(core::command{core::create_session{borrowed}}, core::command_form::whole, w);
  core::encode_plan(*terms.seating, w);
  return out;
}

bool is_name(std::string_view s) {
  return !s.empty() && s.size() <= core::limits::name_bytes_max && std::ranges::all_of(s, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace

bool well_formed(const core::session_terms& terms) {
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  return is_name(terms.name) && terms.kind <= core::session_class::rehearsal && terms.currency.size() == 3 &&
         std::ranges::all_of(terms.currency, capital) && terms.organiser_ref.size() <= 64 && terms.zone.size() <= 64 &&
         terms.plan_revision == 1 && terms.seating && core::check_policy(terms.rules).ok() && core::check_plan(*terms.seating).ok();
}

bool same_content(const core::session_terms& a, const core::session_terms& b) { return content_of(a) == content_of(b); }

registry_shell::registry_shell(caf::actor_config& config, std::vector<recovered_session> recovered, registry_options options,
                               std::shared_ptr<board> inspected, surroundings_ptr around)
    : registry_actor::base(config),
      around_(std::move(around)),
      options_(std::move(options)),
      board_(std::move(inspected)),
      recovered_(std::move(recovered)) {}

registry_shell::behavior_type registry_shell::make_behavior() {
  board_->add("registry", "", mailbox_);
  for (auto& r : recovered_) {
    auto terms = r.state.shared_terms();
    const auto id = r.state.id();
    auto view = view_of(r.state);
    auto seed = std::make_unique<session_seed>(id, core::engine(std::move(r.state), r.faulted_since), std::move(view));
    add(std::move(seed), std::move(terms), r.faulted_since);
  }
  recovered_.clear();

  // Nobody counts what is posted to the registry, so its meter shows what it handled, never a queue.
  const auto metered = [this](auto&& work) {
    const auto began = steady_ns();
    work();
    mailbox_->handled_own(began, steady_ns());
  };
  return {
      [this, metered](const create_session_ptr& asked) { metered([&] { create(asked); }); },
      [this, metered](const clear_fault_ptr& asked) { metered([&] { clear_fault(asked); }); },
      [this, metered](const answer_delivery_ptr& answers) {
        metered([&] {
          for (const auto& batch : answers->batches) {
            for (const auto& a : batch->answers) heard(a.ticket, a.said, batch->at);
          }
        });
      },
      [this](join_atom, const caf::actor& sink) {
        sinks_.push_back(sink);
        auto all = std::make_shared<directory>();
        for (const auto& [id, k] : sessions_) all->add(k.entry);
        caf::anon_send(sink, directory_ptr(std::move(all)));
      },
      [this](leave_atom, const caf::actor& sink) { std::erase(sinks_, sink); },
      [this](stop_atom) { return stop(); },
  };
}

// ---- creating -----------------------------------------------------------------------------------------------

void registry_shell::create(const create_session_ptr& asked) {
  if (stopping_) return refuse(asked->ticket, asked->sink, core::refusal::busy);
  if (!asked->terms || !well_formed(*asked->terms)) return refuse(asked->ticket, asked->sink, core::refusal::bad_content);

  if (const auto it = names_.find(asked->terms->name); it != names_.end()) {
    const auto& there = sessions_.at(it->second);
    if (!same_content(*there.terms, *asked->terms)) return refuse(asked->ticket, asked->sink, core::refusal::name_taken);
    core::answer again;
    again.repeated = true;
    again.tells_of = again.waits_for = core::sequence{1};
    return answer(asked->ticket, asked->sink, again, it->second, around_->time.now());
  }
  // Whether the name is taken is not known before the disk has it.
  for (auto& [ticket, c] : coming_) {
    if (c.terms->name == asked->terms->name) return c.waiting.push_back(asked);
  }
  if (sessions_.size() + coming_.size() >= options_.sessions_max) return refuse(asked->ticket, asked->sink, core::refusal::table_full);

  const core::session_id id{++last_id_};
  core::record first;
  first.number = core::sequence{1};
  first.at = around_->time.now();
  first.rules_version = core::rules_version;
  first.head = asked->head;
  first.head.id = {};
  first.head.client_deadline = {};
  first.head.note = {};
  first.asked = core::command{core::create_session{asked->terms}};
  first.done = core::event{core::session_created{}};
  auto state = core::session::create(id, first, options_.session);

  auto view = std::make_shared<core::sale_view>(asked->terms->seating, asked->terms->rules);
  step_outcome out(around_, id, view);
  std::vector<core::view_change> changes;
  state.describe_view(changes);
  out.begin(core::sequence{0}, first.at);
  out.on_plan(asked->terms->seating);
  out.on_record(first);
  for (const auto& c : changes) out.on_view_change(c);
  core::answer said;
  said.tells_of = said.waits_for = first.number;
  const auto ticket = ++last_ticket_;
  out.on_answer(ticket, said, nullptr);

  coming c;
  c.seed = std::make_unique<session_seed>(id, core::engine(std::move(state)), std::move(view));
  c.terms = asked->terms;
  c.waiting.push_back(asked);
  coming_.emplace(ticket, std::move(c));
  out.send(self_as_sink());
}

void registry_shell::clear_fault(const clear_fault_ptr& asked) {
  const auto it = sessions_.find(asked->session);
  if (stopping_ || it == sessions_.end()) {
    return refuse(asked->ticket, asked->sink, stopping_ ? core::refusal::busy : core::refusal::unknown_session);
  }
  // The hold clock stood since the fault; what the disk said then is what the engine knows, so the shift is made here, where
  // recovery's word is kept. A session that is not faulted gets the command too: the answer is the session's to give.
  std::uint64_t shift_ms = 0;
  if (const auto since = it->second.faulted_since) {
    const auto now = around_->time.now();
    shift_ms = now > *since ? (now.value - since->value) / core::us_per_ms : 0;
  }
  core::request r;
  r.ticket = ++last_ticket_;
  r.head = asked->head;
  r.head.note = {};
  r.asked = core::command{core::clear_fault{
      static_cast<core::interval_ms>(std::min<std::uint64_t>(shift_ms, std::numeric_limits<core::interval_ms>::max()))}};
  clearing_.emplace(r.ticket, clearing{asked});
  auto batch = requests_.take();
  batch->sink = self_as_sink();
  batch->requests.push_back(r);
  send_to(*it->second.entry, std::move(batch));
}

void registry_shell::heard(std::uint64_t ticket, const core::answer& said, core::log_time at) {
  if (auto found = coming_.extract(ticket)) {
    auto& c = found.mapped();
    const auto id = c.seed->id;
    add(std::move(c.seed), std::move(c.terms), std::nullopt);
    publish(id);
    answer(c.waiting.front()->ticket, c.waiting.front()->sink, said, id, at);
    for (auto it = c.waiting.begin() + 1; it != c.waiting.end(); ++it) create(*it);
  } else if (auto clear = clearing_.extract(ticket)) {
    const auto& asked = clear.mapped().asked;
    if (said.refused == core::refusal::none) {
      sessions_.at(asked->session).faulted_since.reset();
      if (!said.repeated && options_.on_fault_cleared) options_.on_fault_cleared(asked->session);
    }
    answer(asked->ticket, asked->sink, said, asked->session, at);
  }
}

// ---- the directory ------------------------------------------------------------------------------------------

void registry_shell::add(std::unique_ptr<session_seed> seed, std::shared_ptr<const core::session_terms> terms,
                         std::optional<core::log_time> faulted_since) {
  auto entry = std::make_shared<session_entry>();
  entry->id = seed->id;
  entry->name = terms->name;
  entry->kind = terms->kind;
  entry->view = seed->view;
  entry->mailbox = seed->mailbox;
  entry->opens_at = seed->opens_at;
  HOLDFAST_CHECK(names_.emplace(entry->name, entry->id).second, "two sessions have one name");
  last_id_ = std::max(last_id_, entry->id.value);
  board_->add("session", entry->name, entry->mailbox, entry->id.value);

  entry->actor = spawn<session_shell>(std::move(seed), around_);
  auto to_come = std::make_shared<appointments>();
  for (const auto& s : options_.schedules) {
    if (s.session != entry->name) continue;
    std::ranges::copy_if(s.items, std::back_inserter(to_come->items),
                         [this](const appointment& a) { return a.at > options_.kept_until; });
  }
  if (!to_come->items.empty()) send(entry->actor, appointments_ptr(std::move(to_come)));
  sessions_.emplace(entry->id, known{entry, std::move(terms), faulted_since});
}

void registry_shell::publish(core::session_id id) {
  auto news = std::make_shared<directory>();
  news->add(sessions_.at(id).entry);
  for (const auto& sink : sinks_) caf::anon_send(sink, directory_ptr(news));
}

void registry_shell::answer(std::uint64_t ticket, const caf::actor& sink, const core::answer& said, core::session_id session,
                            core::log_time at) {
  if (!sink || around_->failure.tripped()) return;
  caf::anon_send(sink, session_answer_ptr(std::make_shared<session_answer>(session_answer{ticket, said, session, at})));
}

void registry_shell::refuse(std::uint64_t ticket, const caf::actor& sink, core::refusal why) {
  core::answer no;
  no.refused = why;
  answer(ticket, sink, no, {}, around_->time.now());
}

caf::actor registry_shell::self_as_sink() { return caf::actor_cast<caf::actor>(address()); }

// ---- the end ------------------------------------------------------------------------------------------------

// Sessions first: when the last has said that it is done, everything that it had to say is in the journal's mailbox.
caf::result<done_atom> registry_shell::stop() {
  stopped_ = make_response_promise<caf::typed_response_promise<done_atom>>();
  if (!stopping_) {
    stopping_ = true;
    sessions_to_stop_ = sessions_.size();
    const auto one_less = [this] {
      if (--sessions_to_stop_ == 0) stop_journal();
    };
    for (const auto& [id, k] : sessions_) {
      request(k.entry->actor, caf::infinite, stop_atom::value)
          .then([one_less](done_atom) { one_less(); }, [one_less](const caf::error&) { one_less(); });
    }
    if (sessions_.empty()) stop_journal();
  }
  return stopped_;
}

void registry_shell::stop_journal() {
  const auto end = [this] {
    stopped_.deliver(done_atom::value);
    stopped_ = {};  // an answer that nobody waits for keeps its actor alive, and this actor keeps it
    quit();
  };
  request(around_->journal, caf::infinite, stop_atom::value).then([end](done_atom) { end(); }, [end](const caf::error&) { end(); });
}

}  // namespace holdfast::actors
