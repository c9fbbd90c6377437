#include "client/address.hpp"

#include <charconv>
#include <cstring>
#include <memory>

#include <netdb.h>
#include <sys/un.h>

namespace holdfast::client {

using base::trouble;

base::result<address> parse_address(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return base::error{trouble::bad_input, "'" + std::string(text) + "' is no address (" + std::string(why) + "): write host:port"};
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("no port");
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  unsigned port = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (ec != std::errc{} || end != digits.data() + digits.size() || port == 0 || port > 65'535)
    return wrong("the port is a number from 1 to 65535");
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return wrong("a bracket is not closed");
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return wrong("IPv6 numbers stand in brackets");
  }
  if (host.empty()) host = "127.0.0.1";
  return address{std::string(host), static_cast<std::uint16_t>(port), {}};
}

std::string to_text(const address& a) {
  if (a.local()) return a.path;
  const bool six = a.host.find(':') != std::string::npos;
  return (six ? "[" + a.host + "]" : a.host) + ":" + std::to_string(a.port);
}

base::result<std::vector<endpoint>> resolve(const address& a) {
  std::vector<endpoint> all;
  if (a.local()) {
    sockaddr_un where{};
    if (a.path.size() >= sizeof where.sun_path)
      return base::error{trouble::bad_input, "the path of the socket is too long: " + a.path};
    where.sun_family = AF_UNIX;
    std::memcpy(where.sun_path, a.path.data(), a.path.size());
    auto& e = all.emplace_back();
    std::memcpy(&e.bytes, &where, sizeof where);
    e.size = sizeof where;
    return all;
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int e = ::getaddrinfo(a.host.c_str(), std::to_string(a.port).c_str(), &hints, &found); e != 0)
    return base::error{trouble::unavailable, "no address is known for '" + a.host + "' (" + ::gai_strerror(e) + ")"};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, ::freeaddrinfo);
  for (const auto* f = found; f != nullptr; f = f->ai_next) {
    auto& e = all.emplace_back();
    std::memcpy(&e.bytes, f->ai_addr, f->ai_addrlen);
    e.size = f->ai_addrlen;
  }
  return all;
}

}  // namespace holdfast::client
