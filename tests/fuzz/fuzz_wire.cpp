// The SSH wire format: a line that says what to read, then the bytes.
#include "fuzz.hpp"
#include "property.hpp"
#include "sshgen/wire.hpp"

namespace mayfly::fuzz {
namespace {

using namespace sshgen;

// True when something was read, or nothing had to be.
void read_one(WireReader& reader, char what) {
  const auto before = reader.rest().size();
  const bool was_ok = reader.ok();
  std::string_view taken;
  std::uint64_t value = 0;
  switch (what) {
    case 'b':
      value = reader.byte();
      break;
    case 'u':
      value = reader.uint32();
      break;
    case 'U':
      value = reader.uint64();
      break;
    case 's':
      taken = reader.string();
      break;
    case 'm':
      taken = reader.mpint();
      require(taken.empty() || taken.front() != '\0', "a magnitude has no leading zeros");
      break;
    default:
      taken = reader.take(static_cast<unsigned char>(what));
  }
  require(reader.rest().size() <= before, "reading goes forward");
  require(was_ok || !reader.ok(), "a failure is remembered");
  if (!reader.ok())
    require(taken.empty() && value == 0 && reader.at_end() && !reader.complete(),
            "after a failure everything is empty");
}

const Harness harness("wire", [](std::string_view input) {
  Input in(input);
  const auto plan = in.line();
  const auto bytes = in.rest();
  WireReader reader(bytes);
  for (const char what : plan) read_one(reader, what);
  if (reader.complete() && plan.empty()) require(bytes.empty(), "complete means all was read");

  WireWriter writer;
  writer.byte(7).string(bytes).mpint(bytes).uint32(0xdeadbeef).uint64(1ULL << 63).raw(bytes);
  WireReader again(writer.bytes());
  const auto start = std::min(bytes.find_first_not_of('\0'), bytes.size());
  require(again.byte() == 7 && again.string() == bytes && again.mpint() == bytes.substr(start) &&
              again.uint32() == 0xdeadbeef && again.uint64() == 1ULL << 63 &&
              again.take(bytes.size()) == bytes && again.complete(),
          "what was written is read");
});

}  // namespace
}  // namespace mayfly::fuzz
