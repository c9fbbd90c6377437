// A session's state as bytes; the form stands in session_form.hpp.
#include <map>

#include "base/planted.hpp"
#include "core/command_codec.hpp"
#include "core/decider.hpp"
#include "core/session_form.hpp"

namespace holdfast::core {
namespace {

template <class T>
void put_list(base::byte_writer& w, const T& ids) {
  w.varint(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) w.varint(ids[i]);
}

}  // namespace

struct saver {
  base::byte_writer& w;

  void id_entry(const state::id_entry& e) const {
    w.id(e.id);
    w.fixed(e.content);
    w.varint(e.value);
    w.varint(e.seq);
    w.u8(e.command);
  }
  void payment(const state::payment& p) const {
    w.id(p.reference);
    w.zigzag(p.amount);
    w.varint(p.seq);
    w.zigzag(p.back);
    w.varint(p.refund);
    w.u8(static_cast<std::uint8_t>(p.kind));
    w.u8(static_cast<std::uint8_t>(p.reason));
  }
  void all(const session& s) const {
    w.varint(state_version);
    encode_command(create_session{s.terms_}, command_form::whole, w);
    for (const auto v : {s.last_.value, s.last_at_.value, std::uint64_t(s.sale_), std::uint64_t(s.open_), s.frozen_at_.value, s.shift_,
                         s.downtime_shift_, s.control_seq_, s.forgot_seq_, s.forgotten_end_, s.forgotten_early_})
      w.varint(v);
    w.varint(s.seats_.size());
    for (const auto& seat : s.seats_) {
      const bool plain = seat.seq == 0;
      w.u8(static_cast<std::uint8_t>((plain ? 1U : 0U) | (seat.state == seat_state::blocked ? 2U : 0U) | (seat.withdrawn ? 4U : 0U)));
      if (plain) continue;
      w.u8(seat.allocation);
      w.varint(seat.reason);
      w.varint(seat.seq);
    }
    w.varint(s.stocks_.size());
    for (const auto& st : s.stocks_)
      for (const auto v : {std::uint64_t(st.capacity), std::uint64_t(st.blocked), std::uint64_t(st.debt), st.seq}) w.varint(v);

    std::map<id128, std::uint64_t> owner_seqs;
    std::map<limit_key, std::uint64_t> key_seqs;
    w.varint(s.holds_.last());
    put_list(w, s.holds_.free());
    for (std::uint32_t n = 1; n <= s.holds_.last(); ++n) {
      const auto& h = s.holds_.at(n);
      if (h.state == hold_state::none) continue;
      const auto& owner = s.owners_.at(h.owner_ref);
      owner_seqs[owner.id] = owner.seq;
      w.varint(n);
      w.id(owner.id);
      w.u8(static_cast<std::uint8_t>(h.state));
      for (const auto v : {h.deadline, h.lifetime_end, h.seq, std::uint64_t(h.channel), std::uint64_t(h.extensions), std::uint64_t(h.attempts),
                           std::uint64_t(h.changes),
                           std::uint64_t(planted(bug::snapshot_forgets_grace) ? 0U : h.grace_used), std::uint64_t(h.extra_ref != 0)})
        w.varint(v);
      if (h.extra_ref != 0) {
        const auto& x = s.extras_.at(h.extra_ref);
        w.id(x.basket);
        w.id(x.attempt);
        w.varint(x.former);
      }
      const auto parts = s.parts_of(h);
      w.varint(parts.size());
      for (const auto& p : parts) {
        w.varint(std::uint64_t{p.number} << 2U | std::uint64_t{p.cancelled} << 1U | p.is_area);
        w.varint(p.price);
        if (!p.is_area) continue;
        w.varint(p.count);
        w.varint(p.allocation);
      }
      std::vector<limit_key> of_hold;
      for (auto m = h.members; m != 0; m = s.members_.at(m).of_hold) {
        const auto target = s.members_.at(m).target;
        if ((target & state::area_bit) != 0) continue;
        const auto& k = s.keys_.at(target);
        of_hold.push_back({k.kind, k.value});
        key_seqs[of_hold.back()] = k.seq;
      }
      std::sort(of_hold.begin(), of_hold.end());
      w.varint(of_hold.size());
      for (const auto& k : of_hold) {
        w.u8(static_cast<std::uint8_t>(k.kind));
        w.id(k.value);
      }
      std::vector<std::uint32_t> refs;
      for (auto i = h.id_ref; i != 0; i = s.ids_.at(i).next) refs.push_back(i);
      w.varint(refs.size());
      for (const auto i : refs) id_entry(s.ids_.at(i));
      refs.clear();
      for (auto p = h.payments; p != 0; p = s.payments_.at(p).next) refs.push_back(p);
      w.varint(refs.size());
      for (const auto p : refs) payment(s.payments_.at(p));
    }
    w.varint(0);
    w.varint(s.ended_.size());
    for (std::size_t i = 0; i < s.ended_.size(); ++i) {
      w.varint(s.ended_[i].hold);
      w.varint(s.ended_[i].at);
    }
    w.varint(s.operator_ids_.size());
    for (std::size_t i = 0; i < s.operator_ids_.size(); ++i) id_entry(s.ids_.at(s.operator_ids_[i]));
    w.varint(s.refunds_.size());
    for (std::size_t i = 0; i < s.refunds_.size(); ++i) {
      const auto& r = s.refunds_[i];
      w.zigzag(r.amount);
      w.id(r.owner);
      w.id(r.hold);
      w.varint(r.recorded);
      w.varint(r.seq);
      w.u8(static_cast<std::uint8_t>(r.reason));
      w.u8(r.settled ? 1 : 0);
      if (r.settled) w.id(r.settled_with);
      if (r.reason == refund_reason::unknown_hold)
        if (const auto o = s.find_owner(r.owner); o != 0) owner_seqs[r.owner] = s.owners_.at(o).seq;
    }
    std::vector<std::uint32_t> strays;
    for (std::uint32_t n = 1; n <= s.strays_.last(); ++n) strays.push_back(n);
    std::sort(strays.begin(), strays.end(), [&](auto a, auto b) { return s.strays_.at(a).paid.refund < s.strays_.at(b).paid.refund; });
    w.varint(strays.size());
    for (const auto n : strays) {
      w.id(s.strays_.at(n).owner);
      w.id(s.strays_.at(n).hold);
      payment(s.strays_.at(n).paid);
    }
    w.varint(owner_seqs.size());
    for (const auto& [id, seq] : owner_seqs) {
      w.id(id);
      w.varint(seq);
    }
    w.varint(key_seqs.size());
    for (const auto& [k, seq] : key_seqs) {
      w.u8(static_cast<std::uint8_t>(k.kind));
      w.id(k.value);
      w.varint(seq);
    }
  }
};

void session::save(base::byte_writer& out) const { saver{out}.all(*this); }

}  // namespace holdfast::core
