// The side file as TOML:
//
//   name = "Stadium, concert"
//   [categories]                 # name in the drawing = name in the plan
//   "0b3f6c1e" = "Category I"
//   [[area]]
//   name = "Pit"
//   category = "Standing"
//   capacity = 400               # or { public = 300, partner = 100 }
//   [[mark]]
//   seats = ["Ground floor/A/1-4", "ccb6d8c1-b81e-491b-b2ae-e8a4644c6616"]
//   flags = ["accessible"]       # and / or allocation, category
//
// It is our own format, so a key that is not known is an error: it is a slip of the pen.
#include <initializer_list>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/one_line.hpp"
#include "core/types.hpp"
#include "plans/naming.hpp"
#include "plans/seat_table.hpp"
#include "plans/side_file.hpp"

namespace holdfast::plans {

namespace {

class toml_side {
 public:
  explicit toml_side(const std::string& source) : source_(source) {}

  base::result<side_file> read(const toml::table& root) {
    if (auto r = known(root, {"name", "categories", "area", "mark"}, "the file"); !r) return r.failure();
    if (auto r = text(root, "name", side_.name); !r) return r.failure();
    if (auto r = read_categories(root); !r) return r.failure();
    if (auto r = each(root, "area", [this](const toml::table& t) { return read_area(t); }); !r) return r.failure();
    if (auto r = each(root, "mark", [this](const toml::table& t) { return read_mark(t); }); !r) return r.failure();
    return std::move(side_);
  }

 private:
  std::string where(const toml::node& n) const { return fmt::format("{}:{}", source_, n.source().begin.line); }

  base::result<void> known(const toml::table& t, std::initializer_list<std::string_view> keys, std::string_view what) const {
    for (const auto& [key, value] : t) {
      bool found = false;
      std::string list;
      for (const auto k : keys) {
        found = found || k == key.str();
        list += (list.empty() ? "" : ", ") + std::string(k);
      }
      if (!found)
        return bad_plan(where(value), fmt::format("key \"{}\" is unknown: {} may have {}", key.str(), what, list));
    }
    return {};
  }

  base::result<void> text(const toml::table& t, std::string_view key, std::string& out) const {
    const auto* n = t.get(key);
    if (n == nullptr) return {};
    const auto v = n->value_exact<std::string>();
    if (!v) return bad_plan(where(*n), fmt::format("\"{}\" must be a text in quotes", key));
    out = *v;
    return {};
  }

  template <class F>
  base::result<void> each(const toml::table& root, std::string_view key, F read_one) const {
    const auto* n = root.get(key);
    if (n == nullptr) return {};
    const auto* list = n->as_array();
    if (list == nullptr) return bad_plan(where(*n), fmt::format("\"{}\" must be written as [[{}]]", key, key));
    for (const auto& item : *list) {
      const auto* t = item.as_table();
      if (t == nullptr) return bad_plan(where(item), fmt::format("\"{}\" must be written as [[{}]]", key, key));
      if (auto r = read_one(*t); !r) return r;
    }
    return {};
  }

  base::result<void> read_categories(const toml::table& root) {
    const auto* n = root.get("categories");
    if (n == nullptr) return {};
    const auto* t = n->as_table();
    if (t == nullptr) return bad_plan(where(*n), "\"categories\" must be written as [categories]");
    for (const auto& [key, value] : *t) {
      const auto to = value.value_exact<std::string>();
      if (!to || to->empty())
        return bad_plan(where(value), fmt::format("category \"{}\" must be given a name in quotes", key.str()));
      side_.category_names.emplace(key.str(), *to);
    }
    return {};
  }

  static std::optional<std::uint32_t> places(const toml::node& n) {
    const auto v = n.value_exact<std::int64_t>();
    if (!v || *v < 1 || *v > core::limits::area_places_max) return std::nullopt;
    return static_cast<std::uint32_t>(*v);
  }

  base::result<void> read_area(const toml::table& t) {
    if (auto r = known(t, {"name", "category", "capacity"}, "an area"); !r) return r;
    area_entry a;
    a.where = where(t);
    if (auto r = text(t, "name", a.name); !r) return r;
    if (auto r = text(t, "category", a.category); !r) return r;
    if (a.name.empty() || a.category.empty()) return bad_plan(a.where, "an area needs a name and a category");
    const auto wrong = [&](const toml::node& n) {
      return bad_plan(where(n),
          fmt::format("the capacity of area \"{}\" must be a number from 1 to {}, or such numbers by "
                                            "allocation: {{ public = 300, partner = 100 }}", a.name,
                                            core::limits::area_places_max));
    };
    const auto* capacity = t.get("capacity");
    if (capacity == nullptr) return wrong(t);
    const auto* by_allocation = capacity->as_table();
    if (by_allocation == nullptr) {
      const auto n = places(*capacity);
      if (!n) return wrong(*capacity);
      a.places = *n;
      side_.areas.push_back(std::move(a));
      return {};
    }
    if (by_allocation->empty()) return wrong(*capacity);
    for (const auto& [allocation, number] : *by_allocation) {
      const auto n = places(number);
      if (!n) return wrong(number);
      a.places = *n;
      a.allocation = allocation.str();
      side_.areas.push_back(a);
    }
    return {};
  }

  base::result<void> read_mark(const toml::table& t) {
    if (auto r = known(t, {"seats", "category", "allocation", "flags"}, "a mark"); !r) return r;
    seat_mark m;
    m.where = where(t);
    if (auto r = text(t, "category", m.category); !r) return r;
    if (auto r = text(t, "allocation", m.allocation); !r) return r;
    if (auto r = texts(t, "seats", m.seats); !r) return r;
    if (m.seats.empty()) return bad_plan(m.where, "a mark needs seats: seats = [\"zone/row/1-4\"]");
    std::vector<std::string> flags;
    if (auto r = texts(t, "flags", flags); !r) return r;
    for (const auto& f : flags) {
      const auto bits = parse_flags(f);
      if (!bits) return bad_plan(m.where, bits.failure().text);
      m.flags |= *bits;
    }
    side_.marks.push_back(std::move(m));
    return {};
  }

  base::result<void> texts(const toml::table& t, std::string_view key, std::vector<std::string>& out) const {
    const auto* n = t.get(key);
    if (n == nullptr) return {};
    const auto wrong = [&](const toml::node& at) {
      return bad_plan(where(at), fmt::format("\"{}\" must be a list of texts: {} = [\"...\", \"...\"]", key, key));
    };
    const auto* list = n->as_array();
    if (list == nullptr) return wrong(*n);
    for (const auto& item : *list) {
      const auto v = item.value_exact<std::string>();
      if (!v) return wrong(item);
      out.push_back(*v);
    }
    return {};
  }

  std::string source_;
  side_file side_;
};

}  // namespace

base::result<side_file> read_side_toml(std::string_view text, const std::string& source) {
  try {
    return toml_side(source).read(toml::parse(text));
  } catch (const toml::parse_error& e) {
    return bad_plan(fmt::format("{}:{}", source, e.source().begin.line), base::one_line(e.description()));
  }
}

}  // namespace holdfast::plans
