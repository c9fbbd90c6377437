// The second kind of failure: a bad disk, bad bytes, bad input. The caller must look at it.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/check.hpp"

namespace holdfast::base {

/// What kind of trouble it is; programs map it to their exit code.
enum class trouble {
  bad_input,   ///< a file, key or value given by a person is wrong; the text names it and the remedy
  bad_bytes,   ///< stored or received bytes do not decode
  corrupt,     ///< stored bytes decode but contradict the chain, the witness or the rules
  io,          ///< the operating system or the store failed
  busy,        ///< somebody else holds the resource (second server on one directory, port in use)
  clock,       ///< the wall clock contradicts the journal
  unavailable, ///< the server is not reachable or went away; the outcome is unknown
};

struct error {
  trouble kind = trouble::bad_input;
  std::string text;  ///< one line, without a final full stop or newline
};

/// Either a value or an error. `value()` on an error is a bug and aborts.
template <class T>
class [[nodiscard]] result {
 public:
  result(T value) : v_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: conversion is the point
  result(error e) : v_(std::in_place_index<1>, std::move(e)) {}      // NOLINT

  [[nodiscard]] bool ok() const { return v_.index() == 0; }
  explicit operator bool() const { return ok(); }

  [[nodiscard]] T& value() & { require(); return std::get<0>(v_); }
  [[nodiscard]] const T& value() const& { require(); return std::get<0>(v_); }
  [[nodiscard]] T&& value() && { require(); return std::get<0>(std::move(v_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  [[nodiscard]] const error& failure() const {
    HOLDFAST_CHECK(!ok(), "asked a good result for its error");
    return std::get<1>(v_);
  }

 private:
  void require() const {
    if (!ok()) check_failed("result.ok()", std::get<1>(v_).text.c_str(), __FILE__, __LINE__);
  }
  std::variant<T, error> v_;
};

/// Success without a value, or an error.
template <>
class [[nodiscard]] result<void> {
 public:
  result() = default;
  result(error e) : e_(std::move(e)), ok_(false) {}  // NOLINT: conversion is the point

  [[nodiscard]] bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  [[nodiscard]] const error& failure() const {
    HOLDFAST_CHECK(!ok_, "asked a good result for its error");
    return e_;
  }

 private:
  error e_;
  bool ok_ = true;
};

}  // namespace holdfast::base
