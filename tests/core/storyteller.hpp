// Stories of the box office as text. A line is one thing that happens; what is answered comes back as text. Engine and model hear
// every line (duel.hpp), so a story never shows what they disagree about.
//
// The hall, before anything else:
//   seats A1-A6 [category NAME] [allocation NAME]
//   area floor 10 [NAME 4 ...] [category NAME]         so many places, in public and in named allocations
//   channel presale takes presale public               after public (0) and box_office (1)
//   limit CHANNEL KIND 2 [category NAME]                instead of the channel's rules, if it is the first
//   policy pay_min 60s | policy public.lines_max 3
// Time:
//   at 1m30s | at +10s                                  since the story began
//   tick | restart | fault                              a timer's step; saved and loaded; out of service
// Buyers (`cart` is the name of a hold; `A1`, `A1-A3`, `floor*2` are lines, `A1$7` one at another price):
//   ann holds A1 A2 for 15m [as cart] [key email=x | keys none] [revision 2]
//   ann changes cart add B1 drop A1 | ann extends cart for 5m | ann releases cart [A1] [withdrawn]
// Shops:
//   ann pays cart attempt x for 5m [key card=1] | ann fails cart attempt x
//   confirm ann cart 5000 ref p1 [cash] | cancel ann cart [A1] back 2000 [withdrawn] | settle 1 ref r1
// Operators:
//   open [CHANNEL...] | close [CHANNEL...] | pause | resume | freeze | shift 5m | clear 5m
//   block A1-A2 floor*2/public [reason 4] | unblock ... | allocate A1 floor*2/public to presale
// With any of them: `from ROLE`, `via CHANNEL`, `id NAME`, `deadline TIME|none`, `note TEXT`, `#label`; and `again #label`
// sends the labelled command once more.
// Looks:
//   picture | session | hold ann cart | seat A1 | owner ann | fate ann #label [deadline TIME] | changed: the last record's number
#pragma once

#include <map>
#include <memory>
#include <memory_resource>
#include <string>
#include <vector>

#include "tests/core/duel.hpp"

namespace holdfast::tests {

using namespace simulation;

class storyteller {
 public:
  storyteller();

  /// One line happens. Returns what is answered, without a final newline; empty for lines that nobody answers.
  /// A line that cannot be read, and any disagreement, is answered with text that begins with "TROUBLE".
  std::string tell(const std::string& line);

  /// Several lines, in order; the answer of the last.
  std::string tell_all(const std::vector<std::string>& lines);

  /// The answer of the last command.
  [[nodiscard]] const core::answer& said() const { return said_; }
  [[nodiscard]] duel& the_duel();
  [[nodiscard]] std::shared_ptr<const core::session_terms> terms() const { return terms_; }

 private:
  struct words;  ///< a line, cut; options taken out
  struct options;

  std::string hall(words& w);
  std::string command_line(words& w);
  std::string play(asked a, const std::string& label);
  std::string look_line(words& w);

  core::lines lines_of(words& w, const std::vector<std::string>& until);
  core::ranges ranges_of(words& w, const std::vector<std::string>& until);
  core::keys keys_of(const options& o, core::channel_no channel, const std::string& owner, bool all);
  core::owner_id owner(const std::string& name);
  core::hold_id hold(const std::string& owner, const std::string& name);
  core::channel_no channel(const std::string& name) const;
  core::channel_set channels_of(words& w) const;
  std::uint8_t allocation(const std::string& name);
  std::uint8_t category(const std::string& name);
  core::log_time time_of(const std::string& text) const;
  base::byte_view bytes_of(const std::string& text);

  std::string answer_text(const asked& a, const core::answer& said) const;
  std::string picture();
  std::string session_text();
  std::string hold_text(const core::hold_seen& h) const;
  std::string line_text(const core::line& l) const;
  std::string seat_name(std::uint32_t seat) const;
  std::string name_of_owner(const core::owner_id& o) const;
  std::string name_of_hold(const core::hold_id& h) const;
  std::string log_text(core::log_time t) const;

  template <class T>
  std::span<const T> keep(const std::vector<T>& items);

  std::shared_ptr<core::session_terms> draft_;
  std::shared_ptr<core::plan> plan_;
  std::shared_ptr<const core::session_terms> terms_;
  std::unique_ptr<duel> duel_;
  std::uint64_t now_;
  std::map<std::string, std::uint32_t> seats_, areas_;
  std::map<core::owner_id, std::string> owner_names_;
  std::map<core::hold_id, std::string> hold_names_;
  std::map<std::string, asked> labelled_;
  std::vector<std::string> ruled_channels_;
  core::answer said_;
  std::uint64_t ids_ = 0;
  std::pmr::monotonic_buffer_resource arena_;
};

/// "1h2m3.5s" and back; microseconds.
std::uint64_t duration_of(const std::string& text);
std::string duration_text(std::uint64_t us);

}  // namespace holdfast::tests
