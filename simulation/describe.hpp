// Commands and answers as one line of text each: for failure messages, and as the model's idea of "same content".
#pragma once

#include <string>

#include "core/answer.hpp"
#include "core/command.hpp"

namespace holdfast::simulation {

/// The snake_case name of a command, e.g. "hold_seats".
std::string name_of(core::command_tag tag);
/// Every field of the content; two commands have the same text exactly if they have the same content.
std::string text_of(const core::command& c);
std::string text_of(const core::envelope& e);
std::string text_of(const core::answer& a);
std::string text_of(const core::line& l);

}  // namespace holdfast::simulation
