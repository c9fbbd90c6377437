// Hears of every error of a file that RocksDB writes in the moment it happens, in whatever thread. RocksDB itself may run into an assertion
// (rocksdb_assertions.hpp) before it reports the error to anybody: a manifest whose write failed is one such file.
#pragma once

#include <rocksdb/listener.h>

#include "persistence/rocksdb_assertions.hpp"

namespace holdfast::persistence {

class io_watch : public rocksdb::EventListener {
 public:
  bool ShouldBeNotifiedOnFileIO() override { return true; }
  void OnIOError(const rocksdb::IOErrorInfo& info) override {
    // What cannot be opened or read may as well be damage, and is judged by who reads.
    using enum rocksdb::FileOperationType;
    if (info.operation != kRead && info.operation != kOpen) assertions_mean::from_now_on(blame::disk);
  }
};

}  // namespace holdfast::persistence
