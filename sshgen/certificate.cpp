#include "sshgen/certificate.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>

#include "access/core/clock.hpp"
#include "access/core/text.hpp"
#include "sshgen/keypair.hpp"
#include "sshgen/public_key.hpp"
#include "sshgen/wire.hpp"

namespace mayfly::sshgen {
namespace {

constexpr std::string_view type_suffix = "-cert-v01@openssh.com";
constexpr std::string_view type_domain = "@openssh.com";
constexpr std::string_view type_mark = "-cert-v0";  // no certificate certifies another
constexpr std::size_t longest_name = 64;            // RFC 4251, section 6
constexpr int most_key_strings = 8;
constexpr std::uint32_t user_role = 1;
constexpr std::size_t largest_blob = 64 << 10;
constexpr std::size_t most_principals = 256;  // OpenSSH's SSHKEY_CERT_MAX_PRINCIPALS
constexpr std::uint64_t clock_tolerance = 300;
constexpr std::array<std::string_view, 3> known_critical_options{"force-command", "source-address",
                                                                 "verify-required"};

std::uint64_t epoch_seconds(std::chrono::sys_seconds now) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(now.time_since_epoch().count(), 0));
}

std::optional<std::vector<std::string>> read_principals(std::string_view bytes) {
  WireReader reader(bytes);
  std::vector<std::string> names;
  while (!reader.at_end() && names.size() < most_principals) names.emplace_back(reader.string());
  if (!reader.complete()) return std::nullopt;
  return names;
}

// Returns the names of "string name, string data" pairs, or nullopt unless they are in ascending
// order without repetition (PROTOCOL.certkeys, Critical options).
std::optional<std::vector<std::string>> read_options(std::string_view bytes) {
  WireReader reader(bytes);
  std::vector<std::string> names;
  while (!reader.at_end()) {
    const auto name = reader.string();
    reader.string();
    if (!reader.ok() || (!names.empty() && names.back() >= name)) return std::nullopt;
    names.emplace_back(name);
  }
  if (!reader.complete()) return std::nullopt;
  return names;
}

// RFC 4251, section 6: names have visible characters of ASCII.
bool is_name(std::string_view text) {
  return text.size() <= longest_name &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

// Returns the type of the certified key, or "" if this is no type of a certificate.
std::string certified_type(std::string_view type) {
  if (!type.ends_with(type_suffix) || !is_name(type)) return {};
  const std::string plain(type.substr(0, type.size() - type_suffix.size()));
  if (plain.empty() || plain.find(type_mark) != std::string::npos) return {};
  // OpenSSH's own types of keys have its domain, too: "sk-ssh-ed25519@openssh.com".
  return is_known_type(plain) ? plain : plain + std::string(type_domain);
}

// Reads what follows the certified key.
bool read_statement(WireReader& reader, Certificate& certificate) {
  certificate.serial = reader.uint64();
  certificate.role = reader.uint32();
  certificate.key_id = reader.string();
  auto principals = read_principals(reader.string());
  certificate.valid_after = reader.uint64();
  certificate.valid_before = reader.uint64();
  auto critical = read_options(reader.string());
  const auto extensions = read_options(reader.string());
  reader.string();  // reserved
  certificate.signature_key = reader.string();
  certificate.signature = reader.string();
  if (!reader.complete() || !principals || !critical || !extensions ||
      certificate.signature.empty() || !is_key_blob(certificate.signature_key))
    return false;
  certificate.principals = *std::move(principals);
  certificate.critical_options = *std::move(critical);
  return true;
}

// Passes over a key of a known type, or over so many strings of another one.
bool pass_over_key(WireReader& reader, std::string_view type, int strings) {
  if (is_known_type(type)) return read_public_fields(reader, type);
  for (int i = 0; i < strings; ++i)
    if (reader.string().empty()) return false;
  return reader.ok();
}

std::string unknown_critical_option(const Certificate& certificate) {
  for (const auto& option : certificate.critical_options)
    if (std::find(known_critical_options.begin(), known_critical_options.end(), option) ==
        known_critical_options.end())
      return option;
  return {};
}

// Limits the number, since a certificate may have times beyond the range of std::chrono::seconds.
std::string length_of(std::uint64_t seconds) {
  constexpr std::uint64_t longest = std::numeric_limits<std::int64_t>::max();
  return duration_text(std::chrono::seconds(std::min(seconds, longest)));
}

std::optional<Objection> objection_to_time(const Certificate& certificate,
                                           std::chrono::sys_seconds now) {
  const auto seconds = epoch_seconds(now);
  if (certificate.valid_before <= certificate.valid_after)
    return Objection{"it is valid at no time"};
  if (seconds >= certificate.valid_before)
    return Objection{fmt::format("it expired {} ago by this machine's clock",
                                 length_of(seconds - certificate.valid_before)),
                     Objection::To::time};
  if (certificate.valid_after > seconds && certificate.valid_after - seconds > clock_tolerance)
    return Objection{fmt::format("it becomes valid only in {} by this machine's clock",
                                 length_of(certificate.valid_after - seconds)),
                     Objection::To::time};
  return std::nullopt;
}

}  // namespace

bool Certificate::valid_at(std::chrono::sys_seconds now) const {
  const auto seconds = epoch_seconds(now);
  return valid_after <= seconds && seconds < valid_before;
}

std::chrono::seconds Certificate::remaining_at(std::chrono::sys_seconds now) const {
  const auto seconds = epoch_seconds(now);
  if (seconds >= valid_before) return {};
  constexpr auto longest = static_cast<std::uint64_t>(std::chrono::seconds::max().count());
  return std::chrono::seconds(std::min(valid_before - seconds, longest));
}

bool Certificate::usable_at(std::chrono::sys_seconds now) const {
  if (objection_to_time(*this, now)) return false;
  const auto validity = valid_before - valid_after;
  const std::uint64_t margin = validity < 120 ? validity / 3 : 30;
  return valid_before - epoch_seconds(now) > margin;
}

std::optional<Certificate> parse_certificate(std::string_view line) {
  if (const auto blob = public_blob_of_line(line)) return parse_certificate_blob(*blob);
  return std::nullopt;
}

std::optional<Certificate> parse_certificate_blob(std::string_view blob) {
  if (blob.size() > largest_blob) return std::nullopt;
  WireReader start(blob);
  Certificate certificate;
  certificate.type = start.string();
  const bool has_nonce = !start.string().empty();
  const std::string key_type = certified_type(certificate.type);
  if (!has_nonce || key_type.empty()) return std::nullopt;
  // With another number of strings, an unknown type would not be read to its end.
  for (int strings = 1; strings <= most_key_strings; ++strings) {
    WireReader reader = start;
    if (pass_over_key(reader, key_type, strings)) {
      const std::size_t key_size = start.rest().size() - reader.rest().size();
      WireWriter key;
      key.string(key_type).raw(start.rest().substr(0, key_size));
      if (read_statement(reader, certificate)) {
        certificate.certified_key = key.bytes();
        certificate.blob = blob;
        return certificate;
      }
    }
    if (is_known_type(key_type)) return std::nullopt;
  }
  return std::nullopt;
}

bool signature_verifies(const Certificate& certificate) {
  const auto signature_field = 4 + certificate.signature.size();
  if (certificate.blob.size() < signature_field) return false;
  const std::string_view blob = certificate.blob;
  return verifies(certificate.signature_key, certificate.signature,
                  blob.substr(0, blob.size() - signature_field));
}

std::optional<Objection> objection_to(const Certificate& certificate, std::string_view public_blob,
                                      std::chrono::sys_seconds now) {
  if (certificate.role != user_role) return Objection{"it is not a user certificate"};
  if (certificate.certified_key != public_blob) return Objection{"it certifies another key"};
  if (auto objection = objection_to_time(certificate, now)) return objection;
  if (certificate.principals.empty()) return Objection{"it names no principal"};
  if (const auto option = unknown_critical_option(certificate); !option.empty())
    return Objection{fmt::format("its critical option \"{}\" is unknown", printable(option, 60))};
  if (!signature_verifies(certificate)) return Objection{"its signature does not verify"};
  return std::nullopt;
}

}  // namespace mayfly::sshgen
