// Frames as scripts write them down, and as they are on the wire.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "misbehaviour.hpp"

namespace edge {

struct Received {
  Frame frame;
  bool masked = false;
};

// Takes one frame off the front of `bytes`; none when it is not complete yet.
std::optional<Received> take_frame(std::string& bytes);

// For the log; payloads cut at 1 KiB.
nlohmann::json describe(const Received& received);

// payload, payload_hex, or payload_size bytes: the pattern, or payload_fill throughout.
std::string parse_payload(const nlohmann::json& given);

Frame parse_frame(const nlohmann::json& given);

// The frame as it is (size 0), or as a message of frames of at most `size` bytes.
std::string encode_in_fragments(const Frame& whole, std::size_t size);

// What differs from the expectation; "" when nothing does.
std::string compare(const nlohmann::json& expected, const Received& received);

}  // namespace edge
