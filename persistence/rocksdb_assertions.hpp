// Debian's RocksDB is built with assertions. A table that is damaged in the right bit meets one before its checksum is looked at, and a
// file that is used again after a write to it failed meets another. No error comes back from there and the library cannot be used after it, so
// the program ends on the spot, but as it does for any other damage or failing disk: with 65 or 74 and a line that says so.
#pragma once

namespace holdfast::persistence {

enum class blame {
  nobody,  ///< an abort is a bug of ours: it stays an abort
  damage,  ///< exit 65: RocksDB reads tables, nothing has been written
  disk,    ///< exit 74: RocksDB writes, or has met an error before
};

/// For as long as the object lives, an assertion that fails in this thread or another means what it was given.
class assertions_mean {
 public:
  explicit assertions_mean(blame what);
  ~assertions_mean();
  assertions_mean(const assertions_mean&) = delete;
  assertions_mean& operator=(const assertions_mean&) = delete;

  /// From the first error of a disk on, until the process ends: threads of RocksDB's may still be at work on the file.
  static void from_now_on(blame what);

 private:
  blame before_;
};

}  // namespace holdfast::persistence
