// Frames: how a byte stream is cut into messages. Everything is little-endian.
//
//   offset size
//        0    4  length of the whole frame, this header included
//        4    2  kind; bit 15 is the direction: 0 from the client, 1 from the server
//        6    1  flags; bit 0 `retry`: this request was sent before. All others are 0
//        7    1  mark: 0x48. Nothing in a stream that is out of step is likely to have it
//        8    8  request id, chosen by the client, not 0; the answer carries it back. 0 in frames that answer nothing
//       16       content
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.hpp"
#include "protocol/error.hpp"
#include "protocol/kinds.hpp"

namespace holdfast::protocol {

inline constexpr std::size_t frame_header_bytes = 16;
inline constexpr std::uint8_t frame_mark = 0x48;
inline constexpr std::uint8_t flag_retry = 1;

/// Bytes of a whole frame, header included. Listeners may set lower or higher ones; the welcome tells them.
namespace limits {
inline constexpr std::uint32_t hello_bytes_max = 2 * 1024;            ///< before the handshake is done
inline constexpr std::uint32_t request_bytes_max = 64 * 1024;         ///< shop and buyer; holds every command with its lists full
inline constexpr std::uint32_t admin_request_bytes_max = 64 * 1024 * 1024;  ///< a plan of a million seats
inline constexpr std::uint32_t answer_bytes_max = 8 * 1024 * 1024;    ///< from the server; no page reaches it
inline constexpr std::uint32_t credential_bytes_max = 1024;
inline constexpr std::uint32_t options_max = 16;                      ///< a message
inline constexpr std::uint32_t text_bytes_max = 512;                  ///< of a problem or goodbye
}  // namespace limits

enum class direction : std::uint8_t { from_client, from_server };

struct frame_header {
  std::uint32_t length = 0;  ///< whole frame
  std::uint16_t kind = 0;    ///< without the direction bit
  direction from = direction::from_client;
  std::uint8_t flags = 0;
  std::uint64_t request_id = 0;
};

struct frame {
  frame_header head;
  base::byte_view body;  ///< borrows from the bytes it was cut from
};

/// What the next bytes of a stream are.
struct cut {
  enum class what : std::uint8_t { need_more, whole, broken };
  what is = what::need_more;
  protocol_error error = protocol_error::none;  ///< broken: why; nothing behind it can be trusted
  protocol::frame frame;                        ///< whole: it takes head.length bytes; broken: the header as far as it is known
  std::size_t wants = frame_header_bytes;       ///< need_more: how many bytes from the start must be there
};

/// Looks at the start of `in`, sent by `from`. A header is judged as soon as its 16 bytes are there, so a frame that is too long
/// is found before any of its content. Unknown kinds are not judged here.
[[nodiscard]] cut cut_frame(base::byte_view in, direction from, std::uint32_t frame_bytes_max);

/// Holds what a connection has read until frames are complete. Memory: `first` bytes, and up to the frame limit only while a
/// longer frame arrives, growing with the bytes that are really there. Who has many connections lends all of them one piece of memory
/// to read into; then one that waits for its next frame holds none, and one in the middle of a frame little more than has come of it.
class frame_buffer {
 public:
  frame_buffer(direction from, std::uint32_t frame_bytes_max, std::size_t first = 16 * 1024);

  /// Where the next bytes go; never empty. Invalidates frames cut so far. First cut all whole frames that are there.
  [[nodiscard]] std::span<std::uint8_t> room();
  /// The same in `lent`, which is the caller's again after settle(): call that when the frames have been used. A frame that is longer than
  /// `lent` gets memory of its own, as above.
  [[nodiscard]] std::span<std::uint8_t> room(std::span<std::uint8_t> lent);
  /// Takes what is left of lent memory into memory of its own. Invalidates frames cut so far.
  void settle();
  /// `n` bytes of room() were filled.
  void filled(std::size_t n);
  /// Cuts the next frame; its body is valid until the next room() or settle(). After `broken` it stays broken.
  [[nodiscard]] cut next();

  /// From the next frame on, e.g. when the handshake is done.
  void set_limit(std::uint32_t frame_bytes_max) { limit_ = frame_bytes_max; }
  /// Bytes of a frame that is not complete yet: something has begun that should end in time.
  [[nodiscard]] std::size_t pending() const { return end_ - begin_; }
  /// Bytes of memory of its own.
  [[nodiscard]] std::size_t capacity() const { return own_bytes_; }

 private:
  void drop_used();
  /// Memory of its own, with what is there moved into it.
  void own(std::size_t size);

  direction from_;
  std::uint32_t limit_;
  std::size_t first_;
  std::unique_ptr<std::uint8_t[]> own_;
  std::size_t own_bytes_ = 0;
  std::uint8_t* at_ = nullptr;  ///< own_ or lent; begin_, end_ and size_ are of it
  std::size_t size_ = 0, begin_ = 0, end_ = 0;
  std::size_t wants_ = frame_header_bytes;  ///< of the frame at begin_
  protocol_error broken_ = protocol_error::none;
};

/// Begins a frame at the end of `out`; `finish` writes its length when the content stands behind it.
class frame_writer {
 public:
  frame_writer(base::bytes& out, std::uint16_t kind, direction from, std::uint64_t request_id, std::uint8_t flags = 0);
  /// Returns the length of the whole frame.
  std::size_t finish();

 private:
  base::bytes& out_;
  std::size_t start_;
};

}  // namespace holdfast::protocol
