// Where a server listens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>

#include "base/result.hpp"

namespace holdfast::client {

struct address {
  std::string host;        ///< name or number; TCP
  std::uint16_t port = 0;
  std::string path;        ///< a Unix socket; then host and port mean nothing

  [[nodiscard]] bool local() const { return !path.empty(); }
  friend bool operator==(const address&, const address&) = default;
};

/// "host:port", "[::1]:port" or ":port" (this machine). The error names the text and the remedy.
[[nodiscard]] base::result<address> parse_address(std::string_view text);
[[nodiscard]] inline address unix_socket(std::string path) { return {{}, 0, std::move(path)}; }
/// As parse_address reads it; a Unix socket as its path.
[[nodiscard]] std::string to_text(const address& a);

/// What `connect` of the operating system takes.
struct endpoint {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};
/// All that the name stands for, in the order in which they are to be tried; never empty. Asks the resolver, so it may take a while.
/// Errors: unavailable (the name is unknown), bad_input (the path is too long).
[[nodiscard]] base::result<std::vector<endpoint>> resolve(const address& a);

}  // namespace holdfast::client
