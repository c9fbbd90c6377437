// Answers from postings and the records they lead to. Private to the index.
#pragma once

#include <span>

#include "persistence/index_posting.hpp"

namespace rocksdb {
class DB;
}

namespace holdfast::persistence {

/// As journal_index::find. `gathered` is sorted, and all of it is of younger blocks than what is in `db`.
base::result<journal_index::found> find_in(rocksdb::DB& db, std::span<const index_bytes::posting> gathered,
                                           const journal& j, const index_query& q, std::size_t most,
                                           record_position from);

}  // namespace holdfast::persistence
