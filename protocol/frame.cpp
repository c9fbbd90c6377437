#include "protocol/frame.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "base/planted.hpp"

namespace holdfast::protocol {

namespace {

protocol_error wrong_with(const frame_header& head, std::uint8_t mark, direction from, std::uint32_t frame_bytes_max) {
  // The mark first: what follows is only worth a name if the peer speaks this protocol at all.
  if (mark != frame_mark) return protocol_error::not_a_frame;
  if (head.from != from) return protocol_error::wrong_direction;
  if (head.length < frame_header_bytes) return protocol_error::frame_too_short;
  if (head.length > frame_bytes_max) return protocol_error::frame_too_long;
  if (from == direction::from_client) {
    if ((head.flags & ~flag_retry) != 0) return protocol_error::unknown_flags;
    if (head.request_id == 0 && head.kind != kinds::goodbye) return protocol_error::zero_request_id;
  }
  return protocol_error::none;
}

}  // namespace

// Returns one object in every case, so that the caller's is filled and none is copied.
cut cut_frame(base::byte_view in, direction from, std::uint32_t frame_bytes_max) {
  cut c;
  if (in.size() < frame_header_bytes) return c;

  base::byte_reader reader(in.first(frame_header_bytes));
  auto& head = c.frame.head;
  head.length = reader.fixed<std::uint32_t>();
  const auto kind = reader.fixed<std::uint16_t>();
  head.kind = static_cast<std::uint16_t>(kind & ~direction_bit);
  head.from = (kind & direction_bit) != 0 ? direction::from_server : direction::from_client;
  head.flags = reader.u8();
  const auto mark = reader.u8();
  head.request_id = reader.fixed<std::uint64_t>();

  c.error = wrong_with(head, mark, from, frame_bytes_max);
  if (c.error != protocol_error::none) {
    c.is = cut::what::broken;
    return c;
  }
  c.wants = head.length;
  if (in.size() < head.length) return c;
  c.is = cut::what::whole;
  c.frame.body = in.subspan(frame_header_bytes, head.length - frame_header_bytes);
  return c;
}

frame_buffer::frame_buffer(direction from, std::uint32_t frame_bytes_max, std::size_t first)
    : from_(from), limit_(frame_bytes_max), first_(std::max(first, frame_header_bytes)) {}

void frame_buffer::own(std::size_t size) {
  auto bytes = std::make_unique_for_overwrite<std::uint8_t[]>(size);
  if (end_ > 0) std::memcpy(bytes.get(), at_, end_);
  own_ = std::move(bytes);
  own_bytes_ = size_ = size;
  at_ = own_.get();
}

void frame_buffer::drop_used() {
  if (broken_ != protocol_error::none || (planted(bug::frame_in_two_reads_is_lost) && begin_ > 0)) begin_ = end_;
  // What is left is the beginning of one frame: short, or alone in the buffer, so moving it costs little.
  if (begin_ > 0 && end_ > begin_) std::memmove(at_, at_ + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
}

std::span<std::uint8_t> frame_buffer::room() {
  if (at_ != own_.get()) settle();
  drop_used();
  if (end_ == 0 && own_bytes_ > first_) {  // a long frame has passed: give its memory back
    own_.reset();
    own_bytes_ = 0;
  }
  if (own_bytes_ == 0) {
    own(first_);
  } else if (end_ == size_) {
    HOLDFAST_CHECK(wants_ > size_, "whole frames are cut before more is read");
    // Doubling at most, so that a header alone cannot claim the memory of the longest frame.
    own(std::min(wants_, size_ * 2));
  }
  return {at_ + end_, size_ - end_};
}

std::span<std::uint8_t> frame_buffer::room(std::span<std::uint8_t> lent) {
  drop_used();
  if (std::max(wants_, end_ + 1) > lent.size()) return room();
  if (end_ > 0 && at_ != lent.data()) std::memcpy(lent.data(), at_, end_);
  at_ = lent.data();
  size_ = lent.size();
  return lent.subspan(end_);
}

void frame_buffer::settle() {
  drop_used();
  if (end_ == 0) {
    own_.reset();
    own_bytes_ = size_ = 0;
    at_ = nullptr;
  } else if (at_ != own_.get()) {
    if (own_bytes_ < end_) return own(std::max(end_, std::min(wants_, first_)));
    std::memcpy(own_.get(), at_, end_);
    at_ = own_.get();
    size_ = own_bytes_;
  }
}

void frame_buffer::filled(std::size_t n) {
  HOLDFAST_CHECK(n <= size_ - end_, "more bytes than there was room");
  end_ += n;
}

cut frame_buffer::next() {
  if (broken_ != protocol_error::none) [[unlikely]] {
    cut c;
    c.is = cut::what::broken;
    c.error = broken_;
    return c;
  }
  cut c = cut_frame({at_ + begin_, end_ - begin_}, from_, limit_);
  wants_ = c.wants;
  if (c.is == cut::what::whole) {
    begin_ += c.frame.head.length;
    wants_ = frame_header_bytes;
  }
  broken_ = c.error;
  return c;
}

frame_writer::frame_writer(base::bytes& out, std::uint16_t kind, direction from, std::uint64_t request_id,
                           std::uint8_t flags)
    : out_(out), start_(out.size()) {
  if (from == direction::from_server) kind |= direction_bit;
  std::uint8_t header[frame_header_bytes] = {};
  std::memcpy(header + 4, &kind, sizeof kind);
  header[6] = flags;
  header[7] = frame_mark;
  std::memcpy(header + 8, &request_id, sizeof request_id);
  out_.insert(out_.end(), header, header + sizeof header);
}

std::size_t frame_writer::finish() {
  const auto length = static_cast<std::uint32_t>(out_.size() - start_);
  std::memcpy(out_.data() + start_, &length, sizeof length);
  return length;
}

}  // namespace holdfast::protocol
